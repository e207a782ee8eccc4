//! The written return type, looked into.

use proc_macro2::TokenStream;
use syn::{GenericArgument, PathArguments, PathSegment, Type};

/// The error of what is written as a result, else the type itself.
pub(super) fn error_type(ty: &Type) -> &Type {
    let Type::Path(path) = ty else { return ty };
    match path.path.segments.last() {
        Some(PathSegment { ident, arguments: PathArguments::AngleBracketed(arguments) }) if ident == "Result" => {
            match arguments.args.last() {
                Some(GenericArgument::Type(error)) if arguments.args.len() == 2 => error,
                _ => ty,
            }
        }
        _ => ty,
    }
}

/// Whether what is written is called a result: `Result`, `ApiResult`.
pub(super) fn is_called_result(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    path.path.segments.last().is_some_and(|last| last.ident.to_string().ends_with("Result"))
}

/// Replaces every `impl Trait` by `_`.
pub(super) fn without_impl(mut ty: Type) -> Type {
    match &mut ty {
        Type::ImplTrait(_) => return syn::parse_quote!(_),
        Type::Path(path) => {
            let segments = path.path.segments.iter_mut();
            for segment in segments {
                let PathArguments::AngleBracketed(arguments) = &mut segment.arguments else { continue };
                for argument in &mut arguments.args {
                    if let GenericArgument::Type(ty) = argument {
                        erase(ty);
                    }
                }
            }
        }
        Type::Tuple(tuple) => tuple.elems.iter_mut().for_each(erase),
        Type::Reference(reference) => erase(&mut reference.elem),
        Type::Array(array) => erase(&mut array.elem),
        Type::Slice(slice) => erase(&mut slice.elem),
        Type::Paren(paren) => erase(&mut paren.elem),
        Type::Group(group) => erase(&mut group.elem),
        _ => {}
    }
    ty
}

fn erase(ty: &mut Type) {
    *ty = without_impl(std::mem::replace(ty, Type::Verbatim(TokenStream::new())));
}
