//! Values that no type classifies: text, bytes, numbers, free JSON, whole types that say nothing of themselves.

macro_rules! values {
    ($kind:ident, $($mark:tt)*) => {
        shapes! { $kind;
            numbers(p) {
                struct Numbers {
                    #[$($mark)*] unsigned: u64,
                    #[$($mark)*] signed: i64,
                    #[$($mark)*] wide: u128,
                    #[$($mark)*] short: u32,
                    #[$($mark)*] quota: f64,
                    #[$($mark)*] single: f32,
                    #[$($mark)*] perhaps: Option<u64>,
                    #[$($mark)*] never_zero: std::num::NonZeroU64,
                }
            } => Numbers {
                unsigned: p.leaf("unsigned"),
                signed: p.leaf("signed"),
                wide: p.leaf("wide"),
                short: p.leaf("short"),
                quota: p.leaf("quota"),
                single: p.leaf("single"),
                perhaps: Some(p.leaf("perhaps")),
                never_zero: p.leaf("never_zero"),
            };

            bytes(p) {
                struct Bytes { #[$($mark)*] vec: Vec<u8>, #[$($mark)*] slice: Box<[u8]>, #[$($mark)*] array: [u8; 32] }
            } => Bytes {
                vec: p.drawn("vec", Secrets::bytes),
                slice: p.drawn("slice", Secrets::bytes).into(),
                array: *p.drawn("array", Secrets::bytes).first_chunk().unwrap(),
            };

            ids(p) {
                struct Ids {
                    #[$($mark)*] uuid: uuid::Uuid,
                    #[$($mark)*] letterhead: String,
                    #[$($mark)*] trail: std::path::PathBuf,
                }
            } => Ids {
                uuid: p.drawn("uuid", |s, path| s.like(path, "01890a5d-ac96-774b-bcce-b302099a8057")).parse().unwrap(),
                letterhead: p.drawn("letterhead", |s, path| s.like(path, "ann.miller@example.org")),
                trail: p.leaf::<String>("trail").into(),
            };

            very_long(p) {
                struct Long { #[$($mark)*] remark: String, id: u8 }
            } => Long { remark: p.leaf::<String>("remark").repeat(4000), id: 1 };

            unclassified_struct(p) {
                struct Holder { #[$($mark)*] particulars: Details, #[$($mark)*] several: Vec<Details>, id: u8 }
            } => Holder {
                particulars: Details { figure: p.leaf("particulars.figure"), keeper: p.leaf("particulars.keeper") },
                several: vec![Details { figure: p.leaf("several[].figure"), keeper: p.leaf("several[].keeper") }],
                id: 1,
            };

            map_with_names(p) {
                struct Holder { #[$($mark)*] chart: BTreeMap<String, String>, #[$($mark)*] depth_of: BTreeMap<String, Value> }
            } => Holder {
                chart: map_of("qx1".into(), p.leaf("chart.qx1")),
                depth_of: map_of("qx2".into(), json!([{ "qx3": p.leaf::<String>("depth_of.qx2[].qx3") }])),
            };

            json(p) {
                struct Holder { #[$($mark)*] worth: Value, #[$($mark)*] roll: Vec<Value> }
            } => Holder {
                worth: json!({ "qx1": [p.leaf::<String>("worth.qx1[]"), p.leaf::<u64>("worth.qx1[]")] }),
                roll: vec![json!({ "qx2": p.leaf::<String>("roll[].qx2") })],
            };

            raw_json(p) {
                struct Holder { #[$($mark)*] uncooked: Box<RawValue> }
            } => Holder {
                uncooked: raw(&json!({ "qx1": [p.leaf::<String>("uncooked.qx1[]"), p.leaf::<u64>("uncooked.qx1[]")] })),
            };

            unclassified_in_variants(p) {
                #[serde(untagged)]
                enum Untagged { Struct { #[$($mark)*] particulars: Details }, Value(#[$($mark)*] Vec<Details>) }
            } => (
                Untagged::Struct { particulars: Details { figure: p.leaf("[].particulars.figure"), keeper: p.leaf("[].particulars.keeper") } },
                Untagged::Value(vec![Details { figure: p.leaf("[][].figure"), keeper: p.leaf("[][].keeper") }]),
            );

            unclassified_internally_tagged(p) {
                #[serde(tag = "kind")]
                enum Internal { Struct { #[$($mark)*] particulars: Details } }
            } => Internal::Struct {
                particulars: Details { figure: p.leaf("particulars.figure"), keeper: p.leaf("particulars.keeper") },
            };
        }

        one_way_shapes! { $kind;
            borrowed_text(p) {
                struct Borrowed<'a> {
                    #[$($mark)*] wording: &'a str,
                    #[$($mark)*] octets: &'a [u8],
                    #[$($mark)*] cow: Cow<'a, str>,
                    #[$($mark)*] perhaps: Option<&'a str>,
                }
            } => Borrowed {
                wording: p.leaf::<String>("wording").leak(),
                octets: p.drawn("octets", Secrets::bytes).leak(),
                cow: Cow::Borrowed(p.leaf::<String>("cow").leak()),
                perhaps: Some(p.leaf::<String>("perhaps").leak()),
            };

            empty_values(p) {
                struct Empty {
                    #[$($mark)*] wording: String,
                    #[$($mark)*] roll: Vec<String>,
                    #[$($mark)*] nothing_there: Option<String>,
                    #[$($mark)*] chart: BTreeMap<String, String>,
                    #[$($mark)*] single_unit: (),
                    #[$($mark)*] remark: String,
                }
            } => Empty {
                wording: String::new(),
                roll: Vec::new(),
                nothing_there: None,
                chart: BTreeMap::new(),
                single_unit: (),
                remark: p.leaf("remark"),
            };

            small_values(p) {
                struct Small {
                    #[$($mark)*] flag: bool,
                    #[$($mark)*] letter: char,
                    #[$($mark)*] byte: u8,
                    #[$($mark)*] negative: i16,
                    #[$($mark)*] single_unit: Unit,
                    #[$($mark)*] nan: Option<f64>,
                    #[$($mark)*] remark: String,
                }
                #[derive(Clone, Copy)]
                enum Unit { First }
            } => Small {
                flag: true, letter: 'x', byte: 200, negative: -7, single_unit: Unit::First, nan: None, remark: p.leaf("remark"),
            };

            times_and_addresses(p) {
                struct Times {
                    #[$($mark)*] took: std::time::Duration,
                    #[$($mark)*] moment: std::time::SystemTime,
                    #[$($mark)*] whereabouts: std::net::IpAddr,
                }
            } => Times {
                took: std::time::Duration::from_secs(p.leaf("took.secs")),
                moment: std::time::UNIX_EPOCH + std::time::Duration::from_secs(p.leaf::<u32>("moment.secs").into()),
                whereabouts: p.drawn("whereabouts", address),
            };

            function_writes(p) {
                struct Written {
                    #[$($mark)*] #[serde(with = "hex")] digits: String,
                    #[$($mark)*] #[serde(with = "doubled")] doubled: String,
                    tuple: WrittenTuple,
                }
                struct WrittenTuple(u8, #[$($mark)*] #[serde(with = "hex")] String);
            } => Written {
                digits: p.leaf("digits"),
                doubled: p.leaf("doubled[]"),
                tuple: WrittenTuple(1, p.leaf("tuple[]")),
            };

            marked_map_keys(p) {
                struct Holder { #[$($mark)*] chart: BTreeMap<String, u8>, #[$($mark)*] by_number: BTreeMap<u64, u8> }
            } => Holder {
                chart: map_of(p.leaf("chart"), 1),
                by_number: map_of(p.leaf("by_number"), 1),
            };
        }
    };
}
