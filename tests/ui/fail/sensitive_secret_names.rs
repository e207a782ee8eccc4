use audited::Sensitive;

#[derive(Sensitive)]
struct Login {
    password: u64,
    #[sensitive(plain)]
    session_token: String,
    #[sensitive(plain, reason = " ")]
    cookie: String,
}

#[derive(serde::Serialize, Sensitive)]
struct Renamed {
    #[serde(rename = "apiSecret")]
    shared: u64,
}

fn main() {}
