//! Values whose fields stand among those of another, and values that are written as another.

macro_rules! flattened {
    ($kind:ident, $($mark:tt)*) => {
        shapes! { $kind;
            flattened_struct(p) {
                struct Outer { alpha: u8, #[serde(flatten)] inner: Core, last: bool }
                struct Core { #[$($mark)*] remark: Leaf, id: u8 }
            } => Outer { alpha: 1, inner: Core { remark: p.leaf("remark"), id: 2 }, last: true };

            flattened_beside_marked(p) {
                struct Outer {
                    #[$($mark)*] ahead: Leaf,
                    #[serde(flatten)] inner: Core,
                    #[$($mark)*] behind: Leaf,
                    #[serde(flatten)] another: Other,
                }
                struct Core { #[$($mark)*] remark: Leaf }
                struct Other { #[$($mark)*] #[serde(rename = "in the way")] remark: Leaf }
            } => Outer {
                ahead: p.leaf("ahead"),
                inner: Core { remark: p.leaf("remark") },
                behind: p.leaf("behind"),
                another: Other { remark: p.leaf("in the way") },
            };

            flattened_two_levels(p) {
                struct Outer { #[serde(flatten)] middle: Middle, id: u8 }
                struct Middle { #[serde(flatten)] inner: Core, #[$($mark)*] wording: Leaf }
                struct Core { #[$($mark)*] remark: Leaf }
            } => Outer { middle: Middle { inner: Core { remark: p.leaf("remark") }, wording: p.leaf("wording") }, id: 1 };

            flattened_boxed_and_optional(p) {
                struct Outer {
                    #[serde(flatten)] boxed: Box<Core>,
                    #[serde(flatten)] present_one: Option<Other>,
                    #[serde(flatten)] nothing_there: Option<Absent>,
                    roll: Vec<Nested>,
                }
                struct Core { #[$($mark)*] remark: Leaf }
                struct Other { #[$($mark)*] another: Leaf }
                struct Absent { #[$($mark)*] absent: Leaf }
                struct Nested { #[serde(flatten)] inner: Option<Box<Core>> }
            } => Outer {
                boxed: Box::new(Core { remark: p.leaf("remark") }),
                present_one: Some(Other { another: p.leaf("another") }),
                nothing_there: None,
                roll: vec![Nested { inner: Some(Box::new(Core { remark: p.leaf("roll[].remark") })) }],
            };

            flattened_enums(p) {
                struct Outer { #[serde(flatten)] external: External, id: u8, #[serde(flatten)] internal: Internal }
                enum External { Newtype(#[$($mark)*] Leaf), Struct { #[$($mark)*] remark: Leaf } }
                #[serde(tag = "kind")]
                enum Internal { Struct { #[$($mark)*] wording: Leaf }, Core(Core) }
                struct Core { #[$($mark)*] wording: Leaf }
            } => (
                Outer {
                    external: External::Newtype(p.leaf("[].Newtype")),
                    id: 1,
                    internal: Internal::Struct { wording: p.leaf("[].wording") },
                },
                Outer {
                    external: External::Struct { remark: p.leaf("[].Struct.remark") },
                    id: 2,
                    internal: Internal::Core(Core { wording: p.leaf("[].wording") }),
                },
            );

            flattened_adjacent_enum(p) {
                struct Outer { #[serde(flatten)] adjacent: Adjacent, #[serde(flatten)] untagged: Untagged }
                #[serde(tag = "t", content = "c")]
                enum Adjacent { Newtype(#[$($mark)*] Leaf) }
                #[serde(untagged)]
                enum Untagged { Struct { #[$($mark)*] remark: Leaf } }
            } => Outer {
                adjacent: Adjacent::Newtype(p.leaf("c")),
                untagged: Untagged::Struct { remark: p.leaf("remark") },
            };

            into_another(p) {
                #[derive(Clone)]
                #[serde(into = "Target", from = "Target")]
                struct Origin { alpha: Leaf, bravo: Leaf }
                struct Target { #[$($mark)*] remark: Leaf, inner: Core }
                struct Core { #[$($mark)*] remark: Leaf }
                struct Outer { origin: Origin, several: Vec<Origin> }
            } beside {
                impl From<Origin> for Target {
                    fn from(origin: Origin) -> Self {
                        Self { remark: origin.alpha, inner: Core { remark: origin.bravo } }
                    }
                }

                impl From<Target> for Origin {
                    fn from(target: Target) -> Self {
                        Self { alpha: target.remark, bravo: target.inner.remark }
                    }
                }
            } => Outer {
                origin: Origin { alpha: p.leaf("origin.remark"), bravo: p.leaf("origin.inner.remark") },
                several: vec![Origin { alpha: p.leaf("several[].remark"), bravo: p.leaf("several[].inner.remark") }],
            };
        }

        one_way_shapes! { $kind;
            flattened_map(p) {
                struct Outer { id: u8, #[serde(flatten)] rest: BTreeMap<u16, Core> }
                struct Core { #[$($mark)*] remark: Leaf }
            } => Outer { id: 1, rest: map_of(7, Core { remark: p.leaf("7.remark") }) };

            flattened_and_marked(p) {
                struct Outer { #[$($mark)*] #[serde(flatten)] inner: Core, #[$($mark)*] remark: Leaf }
                struct Core { #[$($mark)*] wording: Leaf, id: u8 }
            } => Outer { inner: Core { wording: p.leaf("inner.wording"), id: 1 }, remark: p.leaf("remark") };

            internal_newtype_marked(p) {
                #[serde(tag = "kind")]
                enum Internal { Marked(#[$($mark)*] Core) }
                struct Core { #[$($mark)*] wording: Leaf, id: u8 }
            } => Internal::Marked(Core { wording: p.leaf("wording"), id: 1 });

            remote(p) {
                struct Outer {
                    #[sensitive(with = AccountDef)]
                    #[serde(with = "AccountDef")]
                    account: bank::Account,
                    #[sensitive(with = StateDef)]
                    #[serde(flatten, with = "StateDef")]
                    state: bank::State,
                    #[$($mark)*] remark: Leaf,
                }
            } beside {
                mod bank {
                    use super::Leaf;

                    pub(super) struct Account {
                        pub(super) id: u8,
                        pub(super) keeper: Leaf,
                        iban: Leaf,
                    }

                    impl Account {
                        pub(super) fn new(keeper: Leaf, iban: Leaf) -> Self {
                            Self { id: 1, keeper, iban }
                        }

                        pub(super) fn iban(&self) -> &Leaf {
                            &self.iban
                        }
                    }

                    pub(super) enum State {
                        Blocked { grounds: Leaf },
                    }
                }

                #[derive(Serialize, Sensitive)]
                #[serde(remote = "bank::Account")]
                struct AccountDef {
                    id: u8,
                    #[$($mark)*] keeper: Leaf,
                    #[$($mark)*] #[serde(getter = "bank::Account::iban")] iban: Leaf,
                }

                #[derive(Serialize, Sensitive)]
                #[serde(remote = "bank::State")]
                enum StateDef {
                    Blocked { #[$($mark)*] grounds: Leaf },
                }
            } => Outer {
                account: bank::Account::new(p.leaf("account.keeper"), p.leaf("account.iban")),
                state: bank::State::Blocked { grounds: p.leaf("Blocked.grounds") },
                remark: p.leaf("remark"),
            };
        }
    };
}
