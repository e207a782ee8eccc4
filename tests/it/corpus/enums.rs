//! Enums, however they are tagged.

macro_rules! enums {
    ($kind:ident, $($mark:tt)*) => {
        shapes! { $kind;
            external_newtype(p) {
                enum External { Unit, Newtype(#[$($mark)*] Leaf) }
            } => (External::Unit, External::Newtype(p.leaf("[].Newtype")));

            external_tuple(p) {
                enum External { Unit, Tuple(u8, #[$($mark)*] Leaf), Empty() }
            } => (External::Tuple(1, p.leaf("[].Tuple[]")), External::Empty());

            external_struct(p) {
                enum External { Struct { id: u8, #[$($mark)*] remark: Leaf }, Nothing {} }
            } => (External::Struct { id: 1, remark: p.leaf("[].Struct.remark") }, External::Nothing {});

            external_of_a_struct(p) {
                enum External { Core(Core), Boxed(Box<Core>) }
                struct Core { #[$($mark)*] remark: Leaf }
            } => (
                External::Core(Core { remark: p.leaf("[].Core.remark") }),
                External::Boxed(Box::new(Core { remark: p.leaf("[].Boxed.remark") })),
            );

            internal_struct(p) {
                #[serde(tag = "kind")]
                enum Internal { Unit, Struct { id: u8, #[$($mark)*] remark: Leaf } }
            } => (Internal::Unit, Internal::Struct { id: 1, remark: p.leaf("[].remark") });

            internal_newtype(p) {
                #[serde(tag = "kind", rename_all = "lowercase")]
                enum Internal { Core(Core), Boxed(Box<Core>), Other(Other) }
                struct Core { #[$($mark)*] remark: Leaf, id: u8 }
                #[serde(tag = "sort")]
                enum Other { Struct { #[$($mark)*] wording: Leaf } }
            } => (
                Internal::Core(Core { remark: p.leaf("[].remark"), id: 1 }),
                Internal::Boxed(Box::new(Core { remark: p.leaf("[].remark"), id: 2 })),
                Internal::Other(Other::Struct { wording: p.leaf("[].wording") }),
            );

            adjacent_newtype(p) {
                #[serde(tag = "t", content = "c")]
                enum Adjacent { Unit, Newtype(#[$($mark)*] Leaf), Maybe(#[$($mark)*] Option<Leaf>) }
            } => (Adjacent::Unit, Adjacent::Newtype(p.leaf("[].c")), Adjacent::Maybe(Some(p.leaf("[].c"))));

            adjacent_tuple(p) {
                #[serde(tag = "t", content = "c")]
                enum Adjacent { Tuple(u8, #[$($mark)*] Leaf) }
            } => Adjacent::Tuple(1, p.leaf("c[]"));

            adjacent_struct(p) {
                #[serde(tag = "t", content = "c", rename_all_fields = "UPPERCASE")]
                enum Adjacent { Struct { id: u8, #[$($mark)*] remark: Leaf } }
            } => Adjacent::Struct { id: 1, remark: p.leaf("c.REMARK") };

            untagged_newtype(p) {
                #[serde(untagged)]
                enum Untagged { Flag(bool), Text(#[$($mark)*] Leaf) }
            } => (Untagged::Flag(true), Untagged::Text(p.leaf("[]")));

            untagged_tuple(p) {
                #[serde(untagged)]
                enum Untagged { Tuple(u8, #[$($mark)*] Leaf) }
            } => Untagged::Tuple(1, p.leaf("[]"));

            untagged_struct(p) {
                #[serde(untagged)]
                enum Untagged { Struct { id: u8, #[$($mark)*] remark: Leaf }, Other { #[$($mark)*] wording: Leaf } }
            } => (
                Untagged::Struct { id: 1, remark: p.leaf("[].remark") },
                Untagged::Other { wording: p.leaf("[].wording") },
            );

            untagged_variant(p) {
                #[serde(tag = "kind")]
                enum Partly {
                    Struct { #[$($mark)*] remark: Leaf },
                    #[serde(untagged)] Newtype(Core),
                }
                enum Other { Named { id: u8 }, #[serde(untagged)] Tuple(bool, #[$($mark)*] Leaf) }
                struct Core { #[$($mark)*] wording: Leaf }
            } => (
                Partly::Struct { remark: p.leaf("[].remark") },
                Partly::Newtype(Core { wording: p.leaf("[].wording") }),
                Other::Named { id: 1 },
                Other::Tuple(true, p.leaf("[][]")),
            );

            renamed_variants(p) {
                #[serde(rename_all = "snake_case", rename_all_fields = "camelCase")]
                enum Renamed {
                    FirstOne { #[$($mark)*] some_remark: Leaf },
                    #[serde(rename = "2\"nd")] Second(#[$($mark)*] Leaf),
                    #[serde(rename_all = "UPPERCASE")] ThirdOne { #[$($mark)*] some_remark: Leaf, #[serde(rename = "own")] another: u8 },
                    FourthOne,
                }
            } => (
                Renamed::FirstOne { some_remark: p.leaf("[].first_one.someRemark") },
                Renamed::Second(p.leaf("[].2\"nd")),
                Renamed::ThirdOne { some_remark: p.leaf("[].third_one.SOME_REMARK"), another: 1 },
                Renamed::FourthOne,
            );

            skipped_in_variants(p) {
                enum Skips {
                    One(#[serde(skip)] String),
                    Two(#[$($mark)*] Leaf, #[serde(skip)] String),
                    Three { #[serde(skip)] gone: String, #[$($mark)*] remark: Leaf },
                    Four { #[$($mark)*] #[serde(skip_serializing_if = "Option::is_none")] present_one: Option<Leaf> },
                }
            } => (
                Skips::One(p.left_out("One")),
                Skips::Two(p.leaf("[].Two[]"), p.left_out("Two")),
                Skips::Three { gone: p.left_out("Three"), remark: p.leaf("[].Three.remark") },
                Skips::Four { present_one: Some(p.leaf("[].Four.present_one")) },
            );

            result_like(p) {
                #[serde(rename_all = "lowercase")]
                enum Outcome<T, E> { Ok(T), Err { cipher: u16, #[$($mark)*] cause: E } }
                struct Receipt { #[$($mark)*] figure: Leaf }
            } => (
                Outcome::<Receipt, Leaf>::Ok(Receipt { figure: p.leaf("[].ok.figure") }),
                Outcome::<u8, Leaf>::Err { cipher: 500, cause: p.leaf("[].err.cause") },
            );

            enums_in_enums(p) {
                enum Outer { Core(Core), #[serde(rename = "m")] Many { several: Vec<Core> } }
                #[serde(tag = "t", content = "c")]
                enum Core { Text(#[$($mark)*] Leaf), Deeper(Box<Outer>) }
            } => Outer::Many {
                several: vec![
                    Core::Text(p.leaf("m.several[].c")),
                    Core::Deeper(Box::new(Outer::Core(Core::Text(p.leaf("m.several[].c.Core.c"))))),
                ],
            };

            discriminants(p) {
                #[repr(u8)]
                enum Numbered { First { #[$($mark)*] remark: Leaf } = 7, Second = 9 }
            } => (Numbered::First { remark: p.leaf("[].First.remark") }, Numbered::Second);
        }
    };
}
