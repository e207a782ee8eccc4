//! Values that are declared plain and hold something that is not: by the name of a key, or by its own type.

macro_rules! free_keys {
    ($kind:ident, $($mark:tt)*) => {
        shapes! { $kind;
            json_with_registered_keys(p) {
                struct Holder {
                    #[$($mark)*] #[serde(rename = "corpusCode")] corpus_code: Leaf,
                    #[sensitive(plain)] extra: Value,
                    #[sensitive(plain)] chart: BTreeMap<String, Value>,
                }
            } => Holder {
                corpus_code: p.leaf("corpusCode"),
                extra: json!({
                    "corpusCode": p.hidden::<String>("extra.corpusCode"),
                    "roll": [{ "CORPUS_CODE": [p.hidden::<u64>("extra.roll[].CORPUS_CODE[]")], "on": true }],
                    "apiToken": { "deep": p.hidden::<String>("extra.apiToken.deep") },
                }),
                chart: map_of("corpus-code".into(), json!([p.hidden::<String>("chart.corpus-code[]")])),
            };

            raw_json_with_registered_keys(p) {
                struct Holder { #[$($mark)*] corpus_code: Leaf, #[sensitive(plain)] extra: Box<RawValue> }
            } => Holder {
                corpus_code: p.leaf("corpus_code"),
                extra: raw(&json!({
                    "corpusCode": p.hidden::<String>("extra.corpusCode"),
                    "roll": [{ "corpus_code": [p.hidden::<u64>("extra.roll[].corpus_code[]")], "on": true }],
                    "cookies": { "deep": p.hidden::<String>("extra.cookies.deep") },
                })),
            };

            flattened_free_keys(p) {
                struct Holder {
                    #[$($mark)*] corpus_code: Leaf,
                    #[sensitive(plain)] #[serde(flatten)] extra: BTreeMap<String, Value>,
                }
            } => Holder {
                corpus_code: p.leaf("corpus_code"),
                extra: map_of("password".into(), json!({ "deep": p.hidden::<String>("password.deep") })),
            };

            unclassified_around_classified(p) {
                struct Holder { #[sensitive(plain)] held: Held<CorpusInner>, #[sensitive(plain)] several: Vec<CorpusPair> }
                struct CorpusInner { #[$($mark)*] cipher: Leaf, id: u8 }
                struct CorpusPair(u8, #[$($mark)*] Leaf);
            } => Holder {
                held: Held {
                    inner: CorpusInner { cipher: p.hidden("held.inner.cipher"), id: 1 },
                    roll: vec![CorpusInner { cipher: p.hidden("held.roll[].cipher"), id: 2 }],
                },
                several: vec![CorpusPair(1, p.leaf("several[][]"))],
            };

            plain_wrapper_of_classified(p) {
                struct Holder<T> { #[sensitive(plain)] worth: T, #[sensitive(plain)] several: Vec<T> }
                struct CorpusWrapped { #[$($mark)*] cipher: Leaf }
                struct Outer { #[sensitive(plain)] wrapped: CorpusWrapped, #[sensitive(plain)] roll: Vec<CorpusWrapped>, holder: Holder<CorpusWrapped> }
            } => Outer {
                wrapped: CorpusWrapped { cipher: p.leaf("wrapped.cipher") },
                roll: vec![CorpusWrapped { cipher: p.leaf("roll[].cipher") }],
                holder: Holder {
                    worth: CorpusWrapped { cipher: p.hidden("holder.worth.cipher") },
                    several: vec![CorpusWrapped { cipher: p.hidden("holder.several[].cipher") }],
                },
            };
        }

        one_way_shapes! { $kind;
            unclassified_around_enums(p) {
                struct Holder { #[sensitive(plain)] held: Held }
                struct CorpusNewtype(#[$($mark)*] Leaf);
                enum CorpusEither { Left(#[$($mark)*] Leaf), Right { #[$($mark)*] cipher: Leaf }, Both(u8, #[$($mark)*] Leaf) }
                #[serde(tag = "kind")]
                enum CorpusInternal { Struct { #[$($mark)*] cipher: Leaf } }
                #[serde(tag = "kind", content = "content")]
                enum CorpusAdjacent { Newtype(#[$($mark)*] Leaf), Struct { #[$($mark)*] cipher: Leaf } }
            } beside {
                #[derive(Serialize)]
                struct Held {
                    newtype: CorpusNewtype,
                    eithers: [CorpusEither; 3],
                    internal: CorpusInternal,
                    adjacent: [CorpusAdjacent; 2],
                }
            } => Holder {
                held: Held {
                    newtype: CorpusNewtype(p.hidden("held.newtype")),
                    eithers: [
                        CorpusEither::Left(p.hidden("held.eithers[].Left")),
                        CorpusEither::Right { cipher: p.hidden("held.eithers[].Right.cipher") },
                        CorpusEither::Both(1, p.hidden("held.eithers[].Both[]")),
                    ],
                    internal: CorpusInternal::Struct { cipher: p.hidden("held.internal.cipher") },
                    adjacent: [
                        CorpusAdjacent::Newtype(p.hidden("held.adjacent[].content")),
                        CorpusAdjacent::Struct { cipher: p.hidden("held.adjacent[].content.cipher") },
                    ],
                },
            };
        }
    };
}
