//! What kind of function it is, as far as its tokens show.

use syn::{AngleBracketedGenericArguments, Attribute, GenericArgument, PathArguments, Type, TypeParamBound};

use super::item::Function;

/// Attributes that do not look at the function. Beside any other one an async function keeps its keyword; beside
/// `must_use` too, which means the output of an async function.
const INERT: [&str; 14] = [
    "allow",
    "cfg",
    "cold",
    "deny",
    "deprecated",
    "doc",
    "expect",
    "export_name",
    "forbid",
    "inline",
    "no_mangle",
    "target_feature",
    "track_caller",
    "warn",
];

pub(super) enum Shape {
    Sync,
    Async,
    /// Async, beside attributes that may look for the keyword.
    AsyncKept,
    /// Returns a future, spelled out: `impl Future`, `Pin<Box<dyn Future>>`, `BoxFuture`.
    Future {
        output: Box<Type>,
        boxed: bool,
    },
}

impl Shape {
    pub(super) fn of(function: &Function) -> Self {
        if function.sig.asyncness.is_some() {
            let never = matches!(function.returns(), Some(Type::Never(_)));
            return if never || !function.attrs.iter().all(is_inert) { Self::AsyncKept } else { Self::Async };
        }
        match function.returns() {
            Some(Type::ImplTrait(ty)) => future_output(&ty.bounds).map(|output| (output, false)),
            Some(ty) => boxed_output(ty).map(|output| (output, true)),
            None => None,
        }
        .map_or(Self::Sync, |(output, boxed)| Self::Future { output: Box::new(output), boxed })
    }
}

fn is_inert(attr: &Attribute) -> bool {
    INERT.iter().any(|name| attr.path().is_ident(name))
}

/// `Pin<Box<dyn Future<Output = T>>>`, `BoxFuture<'_, T>`
fn boxed_output(ty: &Type) -> Option<Type> {
    let (name, arguments) = last_segment(ty)?;
    match name.as_str() {
        "BoxFuture" | "LocalBoxFuture" => types(arguments).last().cloned(),
        "Pin" => {
            let (name, arguments) = last_segment(types(arguments).next()?)?;
            let Type::TraitObject(object) = types(arguments).next()? else { return None };
            (name == "Box").then(|| future_output(&object.bounds)).flatten()
        }
        _ => None,
    }
}

fn last_segment(ty: &Type) -> Option<(String, &AngleBracketedGenericArguments)> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    match &last.arguments {
        PathArguments::AngleBracketed(arguments) => Some((last.ident.to_string(), arguments)),
        _ => None,
    }
}

fn types(arguments: &AngleBracketedGenericArguments) -> impl Iterator<Item = &Type> {
    arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// `Future<Output = T> + …`
fn future_output<'a>(bounds: impl IntoIterator<Item = &'a TypeParamBound>) -> Option<Type> {
    bounds.into_iter().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else { return None };
        let last = bound.path.segments.last().filter(|last| last.ident == "Future")?;
        let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
        arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::AssocType(assoc) if assoc.ident == "Output" => Some(assoc.ty.clone()),
            _ => None,
        })
    })
}
