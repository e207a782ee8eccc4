//! Types whose own `Serialize` fails, panics or lies, around marked fields and under marks.

macro_rules! misbehaving {
    ($kind:ident, $($mark:tt)*) => {
        shapes! { $kind;
            fails_half_way(p) {
                struct Around {
                    #[sensitive(plain)] shattered: Fails,
                    #[$($mark)*] remark: Leaf,
                    #[$($mark)*] marked: Fails,
                    roll: Vec<Core>,
                }
                struct Core { #[$($mark)*] remark: Leaf, #[sensitive(plain)] shattered: Fails, #[$($mark)*] behind: Leaf }
            } => Around {
                shattered: Fails(p.left_out("shattered")),
                remark: p.leaf("remark"),
                marked: Fails(p.left_out("marked")),
                roll: vec![Core {
                    remark: p.leaf("roll[].remark"),
                    shattered: Fails(p.left_out("roll.shattered")),
                    behind: p.leaf("roll[].behind"),
                }],
            };

            panics_half_way(p) {
                struct Around { #[sensitive(plain)] shattered: Panics, #[$($mark)*] remark: Leaf, #[$($mark)*] marked: Panics }
            } => Around {
                shattered: Panics(p.left_out("shattered")),
                remark: p.leaf("remark"),
                marked: Panics(p.left_out("marked")),
            };

            lies_about_what_it_is(p) {
                struct Around { #[$($mark)*] marked: Lies, #[$($mark)*] remark: Leaf }
            } => Around { marked: Lies(p.leaf("marked")), remark: p.leaf("remark") };

            function_fails(p) {
                struct Around {
                    #[$($mark)*] #[serde(serialize_with = "fails")] shattered: String,
                    #[sensitive(plain)] #[serde(serialize_with = "fails")] shown: String,
                    #[$($mark)*] remark: Leaf,
                }
            } => Around { shattered: p.left_out("shattered"), shown: p.left_out("shown"), remark: p.leaf("remark") };
        }
    };
}
