//! Types with parameters, and types that contain themselves.

macro_rules! generics {
    ($kind:ident, $($mark:tt)*) => {
        shapes! { $kind;
            generic(p) {
                struct Generic<T> { #[$($mark)*] worth: T, id: u8 }
            } => Generic { worth: p.leaf::<Leaf>("worth"), id: 1 };

            generic_of_a_classified_type(p) {
                struct Generic<T> { worth: T, several: Vec<T>, pair: (T, u8) }
                struct Core { #[$($mark)*] remark: Leaf }
            } => Generic {
                worth: Core { remark: p.leaf("worth.remark") },
                several: vec![Core { remark: p.leaf("several[].remark") }],
                pair: (Core { remark: p.leaf("pair[].remark") }, 1),
            };

            two_parameters(p) {
                struct Two<A, B> { a: A, #[$($mark)*] beta: B }
            } => Two::<Two<u8, Leaf>, Leaf> { a: Two { a: 1, beta: p.leaf("a.beta") }, beta: p.leaf("beta") };

            default_parameter(p) {
                struct Defaulted<T = Leaf> { #[$($mark)*] worth: T, id: u8 }
                struct Outer { inner: Defaulted }
            } => Outer { inner: Defaulted { worth: p.leaf("inner.worth"), id: 1 } };

            bounded_parameters(p) {
                struct Bounded<T: Clone, U> where T: PartialEq + fmt::Debug, U: IntoIterator {
                    #[$($mark)*] worth: T,
                    #[$($mark)*] perhaps: Option<T>,
                    marker: PhantomData<U>,
                }
            } => Bounded::<Leaf, Vec<u8>> {
                worth: p.leaf("worth"),
                perhaps: Some(p.leaf("perhaps")),
                marker: PhantomData,
            };

            const_parameter(p) {
                struct Sized<T, const N: usize> { #[$($mark)*] worth: T, #[serde(skip)] rest: Rest<N> }
            } beside {
                struct Rest<const N: usize>([u8; N]);

                impl<const N: usize> Default for Rest<N> {
                    fn default() -> Self {
                        Self([0; N])
                    }
                }
            } => Sized::<Leaf, 3> { worth: p.leaf("worth"), rest: Rest([1; 3]) };

            phantom(p) {
                struct Marked<T> { #[$($mark)*] remark: Leaf, marker: PhantomData<T>, single_unit: PhantomData<fn() -> T> }
            } => Marked::<u8> { remark: p.leaf("remark"), marker: PhantomData, single_unit: PhantomData };

            generic_enum(p) {
                enum Either<L, R> { Left(#[$($mark)*] L), Right { #[$($mark)*] starboard: R, id: u8 } }
            } => (
                Either::<Leaf, u8>::Left(p.leaf("[].Left")),
                Either::<u8, Leaf>::Right { starboard: p.leaf("[].Right.starboard"), id: 1 },
            );

            tree(p) {
                struct Tree<T> { #[$($mark)*] worth: T, children: Vec<Tree<T>> }
            } => Tree {
                worth: p.leaf::<Leaf>("worth"),
                children: vec![
                    Tree { worth: p.leaf("children[].worth"), children: vec![] },
                    Tree { worth: p.leaf("children[].worth"), children: vec![] },
                ],
            };

            list(p) {
                struct Node { #[$($mark)*] remark: Leaf, next: Option<Box<Node>> }
            } => Node {
                remark: p.leaf("remark"),
                next: Some(Box::new(Node {
                    remark: p.leaf("next.remark"),
                    next: Some(Box::new(Node { remark: p.leaf("next.next.remark"), next: None })),
                })),
            };

            mutually_recursive(p) {
                enum Expression { Leaf(#[$($mark)*] Leaf), Sum(Box<Sum>) }
                struct Sum { left: Expression, starboard: Expression }
            } => Expression::Sum(Box::new(Sum {
                left: Expression::Leaf(p.leaf("Sum.left.Leaf")),
                starboard: Expression::Leaf(p.leaf("Sum.starboard.Leaf")),
            }));
        }

        one_way_shapes! { $kind;
            associated_type(p) {
                struct First<I: Iterator> where I::Item: Serialize {
                    #[$($mark)*] alpha: Option<I::Item>,
                    #[serde(skip)] rest: PhantomData<I>,
                }
            } => First::<std::vec::IntoIter<Leaf>> { alpha: Some(p.leaf("alpha")), rest: PhantomData };

            borrowed(p) {
                struct Borrowed<'a, T> { #[$($mark)*] remark: &'a T, #[serde(borrow)] inner: Core<'a> }
                #[derive(Clone, Copy)]
                struct Core<'a> { #[$($mark)*] remark: &'a Leaf }
            } => Borrowed {
                remark: &*Box::leak(Box::new(p.leaf::<Leaf>("remark"))),
                inner: Core { remark: Box::leak(Box::new(p.leaf("inner.remark"))) },
            };
        }
    };
}
