//! How a shape is written.

/// Makes a module and a test of each shape: its types, which derive what a user's would, what else they need, and the
/// value with its secrets.
///
/// Reading and writing them as JSON is what costs the compiler most. So `read` types come back from their JSON, `shown`
/// ones are written as JSON, and `marked` ones are only recorded.
macro_rules! shapes {
    ($kind:ident; $(
        $name:ident($planting:ident) { $($item:item)* } $(beside { $($other:item)* })? => $value:expr;
    )*) => {$(
        mod $name {
            use super::*;

            shape_types!($kind { $($item)* });
            $($($other)*)?

            pub(super) fn make($planting: &mut Planting<'_>) -> Made {
                Made::$kind(std::boxed::Box::new($value))
            }
        }

        #[test]
        fn $name() {
            check(&Case { name: stringify!($name), make: $name::make });
        }
    )*};
}

/// The same for types that do not come back from their JSON, or not as they were.
macro_rules! one_way_shapes {
    (read; $($shapes:tt)*) => {
        shapes!(shown; $($shapes)*);
    };
    ($kind:ident; $($shapes:tt)*) => {
        shapes!($kind; $($shapes)*);
    };
}

macro_rules! shape_types {
    (read { $($item:item)* }) => {$(
        #[derive(Deserialize, Serialize, Sensitive)]
        #[sensitive(debug)]
        $item
    )*};
    ($kind:ident { $($item:item)* }) => {$(
        #[derive(Serialize, Sensitive)]
        #[sensitive(debug)]
        $item
    )*};
}

/// Makes a module and a test of each piece of code: what it needs, and a closure that leaves records.
macro_rules! call_shapes {
    ($($name:ident($planting:ident) { $($item:item)* } => $run:expr;)*) => {$(
        mod $name {
            use super::*;

            $($item)*

            pub(super) fn make($planting: &mut Planting<'_>) -> Box<dyn Fn()> {
                Box::new($run)
            }
        }

        #[test]
        fn $name() {
            driver::code_leaks_nothing($name::make, MODE);
        }
    )*};
}
