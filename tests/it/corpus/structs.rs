//! Structs: their fields, their names, and what serde's attributes make of them.

macro_rules! structs {
    ($kind:ident, $($mark:tt)*) => {
        shapes! { $kind;
            named_struct(p) {
                struct Named { id: u64, #[$($mark)*] remark: Leaf }
            } => Named { id: 7, remark: p.leaf("remark") };

            newtype(p) {
                struct Newtype(#[$($mark)*] Leaf);
            } => Newtype(p.leaf(""));

            newtype_of_a_struct(p) {
                struct Outer(Core);
                struct Core { #[$($mark)*] remark: Leaf, id: u8 }
            } => Outer(Core { remark: p.leaf("remark"), id: 1 });

            tuple_struct(p) {
                struct Tuple(u8, #[$($mark)*] Leaf, #[$($mark)*] Leaf, bool);
            } => Tuple(1, p.leaf("[]"), p.leaf("[]"), true);

            several_fields(p) {
                struct Several {
                    #[$($mark)*] alpha: Leaf,
                    id: u64,
                    #[$($mark)*] bravo: Leaf,
                    #[$($mark)*] charlie: Leaf,
                    on: bool,
                }
            } => Several { alpha: p.leaf("alpha"), id: 7, bravo: p.leaf("bravo"), charlie: p.leaf("charlie"), on: true };

            three_levels(p) {
                struct Top { middle: Middle, #[$($mark)*] remark: Leaf, single_unit: Unit }
                struct Middle { bottom: Bottom, id: u8 }
                struct Bottom { #[$($mark)*] remark: Leaf, on: bool }
                struct Unit;
            } => Top {
                middle: Middle { bottom: Bottom { remark: p.leaf("middle.bottom.remark"), on: false }, id: 2 },
                remark: p.leaf("remark"),
                single_unit: Unit,
            };

            sixty_four_fields(p) {
                struct Many {
                    #[$($mark)*] a0: Leaf, a1: u8, a2: u16, a3: u32, a4: u64, a5: i8, a6: i16, #[$($mark)*] a7: Leaf,
                    #[$($mark)*] b0: Leaf, b1: u8, b2: u16, b3: u32, b4: u64, b5: i8, b6: i16, #[$($mark)*] b7: Leaf,
                    #[$($mark)*] c0: Leaf, c1: u8, c2: u16, c3: u32, c4: u64, c5: i8, c6: i16, #[$($mark)*] c7: Leaf,
                    #[$($mark)*] d0: Leaf, d1: u8, d2: u16, d3: u32, d4: u64, d5: i8, d6: i16, #[$($mark)*] d7: Leaf,
                    #[$($mark)*] e0: Leaf, e1: u8, e2: u16, e3: u32, e4: u64, e5: i8, e6: i16, #[$($mark)*] e7: Leaf,
                    #[$($mark)*] f0: Leaf, f1: u8, f2: u16, f3: u32, f4: u64, f5: i8, f6: i16, #[$($mark)*] f7: Leaf,
                    #[$($mark)*] g0: Leaf, g1: u8, g2: u16, g3: u32, g4: u64, g5: i8, g6: i16, #[$($mark)*] g7: Leaf,
                    #[$($mark)*] h0: Leaf, h1: u8, h2: u16, h3: u32, h4: u64, h5: i8, h6: i16, #[$($mark)*] h7: Leaf,
                }
            } => Many {
                a0: p.leaf("a0"), a1: 1, a2: 2, a3: 3, a4: 4, a5: -5, a6: -6, a7: p.leaf("a7"),
                b0: p.leaf("b0"), b1: 1, b2: 2, b3: 3, b4: 4, b5: -5, b6: -6, b7: p.leaf("b7"),
                c0: p.leaf("c0"), c1: 1, c2: 2, c3: 3, c4: 4, c5: -5, c6: -6, c7: p.leaf("c7"),
                d0: p.leaf("d0"), d1: 1, d2: 2, d3: 3, d4: 4, d5: -5, d6: -6, d7: p.leaf("d7"),
                e0: p.leaf("e0"), e1: 1, e2: 2, e3: 3, e4: 4, e5: -5, e6: -6, e7: p.leaf("e7"),
                f0: p.leaf("f0"), f1: 1, f2: 2, f3: 3, f4: 4, f5: -5, f6: -6, f7: p.leaf("f7"),
                g0: p.leaf("g0"), g1: 1, g2: 2, g3: 3, g4: 4, g5: -5, g6: -6, g7: p.leaf("g7"),
                h0: p.leaf("h0"), h1: 1, h2: 2, h3: 3, h4: 4, h5: -5, h6: -6, h7: p.leaf("h7"),
            };

            empty_around_one(p) {
                struct Around { nothing_there: Vec<u8>, single_unit: (), nothing: Empty, #[$($mark)*] remark: Leaf, tuple: EmptyTuple }
                struct Empty {}
                struct EmptyTuple();
            } => Around { nothing_there: vec![], single_unit: (), nothing: Empty {}, remark: p.leaf("remark"), tuple: EmptyTuple() };

            packed(p) {
                #[derive(Clone, Copy)]
                #[repr(C, packed)]
                struct Packed { id: u8, #[$($mark)*] figure: u64, on: bool }
            } => Packed { id: 1, figure: p.leaf("figure"), on: true };

            raw_identifiers(p) {
                struct r#Box { #[$($mark)*] r#type: Leaf, r#fn: u8 }
            } => r#Box { r#type: p.leaf("type"), r#fn: 1 };

            renamed(p) {
                #[serde(rename_all = "camelCase")]
                struct Renamed { first_one: u8, #[$($mark)*] second_one: Leaf, #[$($mark)*] #[serde(rename = "3rd")] charlie: Leaf }
            } => Renamed { first_one: 1, second_one: p.leaf("secondOne"), charlie: p.leaf("3rd") };

            keys_that_need_escaping(p) {
                struct Escaped {
                    #[serde(rename = "a \"b\" \\ c")] id: u8,
                    #[$($mark)*] #[serde(rename = "\u{1}\n\t é 東京 🦀")] remark: Leaf,
                    inner: Core,
                }
                struct Core { #[$($mark)*] #[serde(rename = "\"")] quote: Leaf }
            } => Escaped {
                id: 1,
                remark: p.leaf("\u{1}\n\t é 東京 🦀"),
                inner: Core { quote: p.leaf("inner.\"") },
            };

            keys_that_mislead(p) {
                struct Lines {
                    #[serde(rename = "a\u{2028}b")] id: u8,
                    #[$($mark)*] #[serde(rename = "\u{202e}c\u{7f}")] remark: Leaf,
                }
            } => Lines { id: 1, remark: p.leaf("\u{202e}c\u{7f}") };

            keys_like_paths(p) {
                struct Paths { #[serde(rename = "a[].b")] id: u8, #[$($mark)*] #[serde(rename = "a.b")] remark: Leaf, a: Core }
                struct Core { #[$($mark)*] gamma: Leaf }
            } => Paths { id: 1, remark: p.leaf("a.b"), a: Core { gamma: p.leaf("a.gamma") } };

            skipped(p) {
                struct Skips {
                    #[serde(skip)] gone: String,
                    #[serde(skip_serializing, default)] unsaid: String,
                    #[$($mark)*] #[serde(skip_serializing_if = "Option::is_none", default)] absent: Option<Leaf>,
                    #[$($mark)*] #[serde(skip_serializing_if = "Option::is_none")] present_one: Option<Leaf>,
                    #[serde(skip_serializing_if = "Vec::is_empty", default)] empty: Vec<Core>,
                    tuple: SkipsTuple,
                }
                struct SkipsTuple(#[serde(skip)] String, #[$($mark)*] Leaf, u8);
                struct Core { #[$($mark)*] remark: Leaf }
            } => Skips {
                gone: p.left_out("gone"),
                unsaid: p.left_out("unsaid"),
                absent: None,
                present_one: Some(p.leaf("present_one")),
                empty: vec![],
                tuple: SkipsTuple(p.left_out("tuple.0"), p.leaf("tuple[]"), 1),
            };

            defaults(p) {
                #[serde(default, deny_unknown_fields)]
                struct Defaults { #[$($mark)*] remark: Leaf, #[serde(alias = "number")] id: u64 }
            } beside {
                impl Default for Defaults {
                    fn default() -> Self {
                        Self { remark: Leaf::default(), id: 3 }
                    }
                }
            } => Defaults { remark: p.leaf("remark"), id: 7 };

            tagged_struct(p) {
                #[serde(tag = "type", rename = "tagged")]
                struct Tagged { #[$($mark)*] remark: Leaf, inner: Core }
                #[serde(tag = "kind")]
                struct Core { #[$($mark)*] remark: Leaf }
            } => Tagged { remark: p.leaf("remark"), inner: Core { remark: p.leaf("inner.remark") } };

            transparent(p) {
                struct Outer { inner: Transparent, several: Vec<Transparent> }
                #[serde(transparent)]
                struct Transparent { #[$($mark)*] remark: Leaf }
            } => Outer {
                inner: Transparent { remark: p.leaf("inner") },
                several: vec![Transparent { remark: p.leaf("several[]") }, Transparent { remark: p.leaf("several[]") }],
            };

            transparent_in_transparent(p) {
                #[serde(transparent)]
                struct Outer { inner: Middle }
                #[serde(transparent)]
                struct Middle(Core<u8>);
                #[serde(transparent)]
                struct Core<T> { #[$($mark)*] remark: Leaf, marker: PhantomData<T>, #[serde(skip)] skipped: u8 }
            } => Outer { inner: Middle(Core { remark: p.leaf(""), marker: PhantomData, skipped: 1 }) };

            transparent_of_a_struct(p) {
                #[serde(transparent)]
                struct Outer { inner: Core }
                struct Core { #[$($mark)*] remark: Leaf, id: u8 }
            } => Outer { inner: Core { remark: p.leaf("remark"), id: 1 } };
        }

        one_way_shapes! { $kind;
            empty_key(p) {
                struct Nameless { id: u8, #[$($mark)*] #[serde(rename = "")] remark: Leaf }
            } => Nameless { id: 1, remark: p.leaf("") };

            names_for_writing_alone(p) {
                #[serde(rename_all(serialize = "SCREAMING-KEBAB-CASE", deserialize = "snake_case"))]
                struct Ways {
                    #[$($mark)*] some_remark: Leaf,
                    #[$($mark)*] #[serde(rename(serialize = "out", deserialize = "in"))] route: Leaf,
                    #[serde(rename(deserialize = "x"))] kept: u8,
                }
            } => Ways { some_remark: p.leaf("SOME-REMARK"), route: p.leaf("out"), kept: 3 };
        }
    };
}
