//! What holds other values: lists, maps and their keys, pointers, options.

macro_rules! containers {
    ($kind:ident, $($mark:tt)*) => {
        shapes! { $kind;
            option(p) {
                struct Maybe { #[$($mark)*] remark: Option<Leaf>, inner: Option<Core>, nothing_there: Option<Core> }
                struct Core { #[$($mark)*] remark: Leaf }
            } => Maybe {
                remark: Some(p.leaf("remark")),
                inner: Some(Core { remark: p.leaf("inner.remark") }),
                nothing_there: None,
            };

            option_in_option(p) {
                struct Maybe { #[$($mark)*] remark: Option<Option<Leaf>>, inner: Option<Option<Box<Core>>> }
                struct Core { #[$($mark)*] remark: Option<Leaf> }
            } => Maybe {
                remark: Some(Some(p.leaf("remark"))),
                inner: Some(Some(Box::new(Core { remark: Some(p.leaf("inner.remark")) }))),
            };

            list_of_marked(p) {
                struct List { pieces: Vec<Core>, newtypes: Vec<Newtype> }
                struct Core { #[$($mark)*] remark: Leaf, id: u8 }
                struct Newtype(#[$($mark)*] Leaf);
            } => List {
                pieces: vec![Core { remark: p.leaf("pieces[].remark"), id: 1 }, Core { remark: p.leaf("pieces[].remark"), id: 2 }],
                newtypes: vec![Newtype(p.leaf("newtypes[]")), Newtype(p.leaf("newtypes[]"))],
            };

            list_marked(p) {
                struct List { #[$($mark)*] pieces: Vec<Leaf>, id: u8 }
            } => List { pieces: vec![p.leaf("pieces[]"), p.leaf("pieces[]")], id: 1 };

            lists_in_lists(p) {
                struct Lists { depth_of: Vec<Vec<Option<Core>>>, #[$($mark)*] marked: Vec<Vec<Leaf>> }
                struct Core { #[$($mark)*] remark: Leaf }
            } => Lists {
                depth_of: vec![vec![], vec![None, Some(Core { remark: p.leaf("depth_of[][].remark") })]],
                marked: vec![vec![p.leaf("marked[][]")], vec![p.leaf("marked[][]"), p.leaf("marked[][]")]],
            };

            deque(p) {
                struct Queue { #[$($mark)*] marked: VecDeque<Leaf>, pieces: VecDeque<Core> }
                struct Core { #[$($mark)*] remark: Leaf }
            } => Queue {
                marked: VecDeque::from([p.leaf("marked[]"), p.leaf("marked[]")]),
                pieces: VecDeque::from([Core { remark: p.leaf("pieces[].remark") }]),
            };

            array(p) {
                struct Arrays { #[$($mark)*] marked: [Leaf; 3], pieces: [Core; 2], nothing_there: [Core; 0] }
                struct Core(#[$($mark)*] Leaf);
            } => Arrays {
                marked: [p.leaf("marked[]"), p.leaf("marked[]"), p.leaf("marked[]")],
                pieces: [Core(p.leaf("pieces[]")), Core(p.leaf("pieces[]"))],
                nothing_there: [],
            };

            tuple(p) {
                struct Tuples { #[$($mark)*] marked: (Leaf, Leaf), pieces: (u8, (Core,), Core) }
                struct Core { #[$($mark)*] remark: Leaf }
            } => Tuples {
                marked: (p.leaf("marked[]"), p.leaf("marked[]")),
                pieces: (1, (Core { remark: p.leaf("pieces[][].remark") },), Core { remark: p.leaf("pieces[].remark") }),
            };

            set(p) {
                struct Sets { #[$($mark)*] marked: BTreeSet<Leaf>, ordered: BTreeSet<Core>, hashed: HashSet<Core> }
                #[derive(PartialEq, Eq, PartialOrd, Ord, Hash)]
                struct Core(#[$($mark)*] Leaf);
            } => Sets {
                marked: set_of(p.leaf("marked[]")),
                ordered: set_of(Core(p.leaf("ordered[]"))),
                hashed: hash_set_of(Core(p.leaf("hashed[]"))),
            };

            map_values(p) {
                struct Maps { ordered: BTreeMap<u16, Core>, hashed: HashMap<Key, Core>, maps: Vec<BTreeMap<u16, Core>> }
                #[derive(PartialEq, Eq, Hash)]
                enum Key { First }
                struct Core { #[$($mark)*] remark: Leaf }
            } => Maps {
                ordered: map_of(7, Core { remark: p.leaf("ordered.7.remark") }),
                hashed: hash_map_of(Key::First, Core { remark: p.leaf("hashed.First.remark") }),
                maps: vec![BTreeMap::new(), map_of(8, Core { remark: p.leaf("maps[].8.remark") })],
            };

            boxed(p) {
                struct Boxes { #[$($mark)*] remark: Box<Leaf>, inner: Box<Core>, slice: Box<[Core]> }
                struct Core { #[$($mark)*] remark: Leaf }
            } => Boxes {
                remark: Box::new(p.leaf("remark")),
                inner: Box::new(Core { remark: p.leaf("inner.remark") }),
                slice: Box::new([Core { remark: p.leaf("slice[].remark") }]),
            };

            counted(p) {
                struct Counted { #[$($mark)*] rc: Rc<Leaf>, #[$($mark)*] arc: Arc<Leaf>, inner: Rc<Core>, another: Arc<Core> }
                struct Core { #[$($mark)*] remark: Leaf }
            } => Counted {
                rc: Rc::new(p.leaf("rc")),
                arc: Arc::new(p.leaf("arc")),
                inner: Rc::new(Core { remark: p.leaf("inner.remark") }),
                another: Arc::new(Core { remark: p.leaf("another.remark") }),
            };

            cow(p) {
                struct Cows { #[$($mark)*] remark: Cow<'static, Leaf>, inner: Cow<'static, Core>, several: Cow<'static, [Core]> }
                #[derive(Clone)]
                struct Core { #[$($mark)*] remark: Leaf }
            } => Cows {
                remark: Cow::Owned(p.leaf("remark")),
                inner: Cow::Owned(Core { remark: p.leaf("inner.remark") }),
                several: Cow::Owned(vec![Core { remark: p.leaf("several[].remark") }]),
            };
        }

        one_way_shapes! { $kind;
            map_keys(p) {
                struct Maps { ordered: BTreeMap<Key, u8>, hashed: HashMap<Other, Key> }
                #[derive(PartialEq, Eq, PartialOrd, Ord)]
                struct Key(#[$($mark)*] Leaf);
                #[derive(PartialEq, Eq, Hash)]
                #[serde(transparent)]
                struct Other { #[$($mark)*] latch: Leaf }
            } => {
                let mut ordered = map_of(Key(p.leaf("first key")), 1);
                ordered.insert(Key(p.leaf("second key")), 2);
                Maps { ordered, hashed: hash_map_of(Other { latch: p.leaf("third key") }, Key(p.leaf("its value"))) }
            };

            many_items(p) {
                struct Many { pieces: Vec<Core> }
                struct Core { #[$($mark)*] remark: Leaf, id: u64 }
            } => {
                let remark: Leaf = p.leaf("pieces[].remark");
                Many { pieces: (0..5000).map(|id| Core { remark: remark.clone(), id }).collect() }
            };

            too_deep(p) {
                struct Node { #[$($mark)*] remark: Leaf, next: Option<Box<Node>> }
            } => {
                let remark: Leaf = p.leaf("remark");
                let last = Node { remark: remark.clone(), next: None };
                (0..100).fold(last, |node, _| Node { remark: remark.clone(), next: Some(Box::new(node)) })
            };
        }
    };
}
