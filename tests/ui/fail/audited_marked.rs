//! Marks of parameters.

use audited::audited;

#[audited(fields(shown = plain(password)))]
fn plain(#[sensitive] password: String) {}

#[audited(actor = hash(user), subject = plain(&*user), fields(a = len(user), b = drop(user)))]
fn other_modes(#[sensitive(mask(last = 4))] user: &str) {}

#[audited(fields(name))]
fn pattern(#[sensitive] (name, _): (String, u64)) {}

#[audited]
async fn no_name(#[sensitive(hash)] _: String) {}

#[audited(fields(code))]
async fn slips(#[sensitive(hahs)] code: String, #[sensitive(class = "pii")] name: String) -> usize {
    code.len() + name.len()
}

#[audited(fields(token))]
fn secret(#[sensitive(plain)] token: String) {}

struct Service;

impl Service {
    #[audited(action = "service.run")]
    fn run(#[sensitive] &self) {}
}

#[audited(ok_fields(|_| plain(code)))]
fn after(#[sensitive] code: &str) -> Result<(), ()> {
    Ok(())
}

#[audited(fields(part = plain(code.trim()), text = plain(format!("{code:>9}")), length = code.len(), hidden = hash(code.trim())))]
fn made_of(#[sensitive] code: &str) {}

fn main() {
    made_of("");
    plain(String::new());
    other_modes("");
    pattern((String::new(), 1));
    secret(String::new());
    Service.run();
    let _ = (no_name(String::new()), slips(String::new(), String::new()), after(""));
}
