//! The JSON Schema of the payload of each action: `#[event(schema)]`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::kind;
use super::parse::Input;
use crate::sensitive::bounds::where_schema_of;
use crate::sensitive::fields::local;
use crate::sensitive::schema::{imports, object};

/// For a vocabulary of two this is, with what `sensitive::schema` says of fields,
///
/// ```text
/// ::audited::__private::schema! {
///     impl EventSchema for UserEvent {
///         fn payload_schema(__kind: UserEventKind, __generator: &mut SchemaGenerator) -> Schema {
///             match __kind {
///                 UserEventKind::Created => object(__generator, &[Member::Always("id", …), …]),
///                 UserEventKind::Deleted => object(__generator, &[]),
///             }
///         }
///     }
/// }
/// ```
pub(super) fn expand(input: &Input<'_>) -> Option<TokenStream> {
    if !input.schema {
        return None;
    }
    let (ident, private, kind) = (input.ident, &input.private, kind::ident(input));
    let [of, inner, generator] = ["__kind", "__inner", "__generator"].map(local);
    let arms = input.variants.iter().map(|variant| {
        let ident = variant.ident;
        if let Some(nested) = variant.inner() {
            let ty = nested.ty;
            let schema = quote_spanned! {ty.span()=>
                <#ty as #private::schema::EventSchema>::payload_schema(#inner, #generator)
            };
            return quote!(#kind::#ident(#inner) => #schema,);
        }
        let object = object(variant.fields.written());
        quote!(#kind::#ident => #object,)
    });
    let fields = input.variants.iter().map(|variant| &variant.fields);
    let clause = where_schema_of(private, ident, input.generics, fields);
    let (impl_generics, ty_generics, _) = input.generics.split_for_impl();
    let imports = imports(private);
    Some(quote! {
        #private::schema! {
            #[automatically_derived]
            impl #impl_generics #private::schema::EventSchema for #ident #ty_generics #clause {
                fn payload_schema(
                    #of: #kind,
                    #generator: &mut #private::schema::SchemaGenerator,
                ) -> #private::schema::Schema {
                    #imports
                    match #of { #(#arms)* }
                }
            }
        }
    })
}
