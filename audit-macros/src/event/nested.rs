//! A vocabulary in a variant of another: `#[event(nested)]`.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Generics, Index, Member, Type};

use super::kind;
use super::parse::{Input, Names};
use super::variant::{VARIANT_KEYS, Variant};
use crate::ctxt::Ctxt;
use crate::meta::{self, Item, set_once};
use crate::names::{ACTION_RULE, is_action};
use crate::private;
use crate::sensitive::bounds::mentions;
use crate::sensitive::fields::local;
use crate::symbol::SENSITIVE;

/// That a variant is made of another vocabulary.
pub(super) struct Nested<'a> {
    /// The field that holds it; none where that is wrong, which has been reported.
    pub(super) inner: Option<Inner<'a>>,
}

/// The key that puts a prefix before the names of a nested vocabulary.
pub(super) const PREFIX: &str = "prefix";

pub(super) struct Inner<'a> {
    pub(super) member: Member,
    pub(super) ty: &'a Type,
    /// What stands before each of its names, with what separates the two.
    pub(super) prefix: Option<String>,
}

impl<'a> Nested<'a> {
    /// Reads a variant that says `nested`, and reports what else it says.
    pub(super) fn parse(
        cx: &Ctxt,
        (enumeration, generics): (&Ident, &Generics),
        variant: &'a syn::Variant,
        items: &[Item],
        names: &Names,
    ) -> Self {
        let mut prefix = None;
        for item in items {
            if item.is("nested") {
                item.expect_word(cx);
            } else if item.is(PREFIX) {
                set_once(cx, &mut prefix, item.expect_string(cx).cloned(), &item.key);
            } else if VARIANT_KEYS.iter().any(|key| item.is(key)) {
                let key = &item.key;
                cx.error_spanned_by(
                    key,
                    format!("`{key}` is about one action, and a nested vocabulary has its own: say it there"),
                );
            }
        }
        for attr in variant.fields.iter().flat_map(|field| meta::named(&field.attrs, SENSITIVE)) {
            cx.error_spanned_by(attr, "a nested vocabulary says itself what is shown: mark its fields there");
        }
        if let Some(wrong) = prefix.as_ref().filter(|prefix| !is_action(&prefix.value())) {
            cx.error_spanned_by(wrong, format!("no action can start with this: {ACTION_RULE}"));
        }
        let inner = inner(cx, enumeration, generics, variant);
        let prefix = prefix.map(|prefix| prefix.value() + &names.separator());
        Self { inner: inner.map(|(member, ty)| Inner { member, ty, prefix }) }
    }
}

fn inner<'a>(
    cx: &Ctxt,
    enumeration: &Ident,
    generics: &Generics,
    variant: &'a syn::Variant,
) -> Option<(Member, &'a Type)> {
    let mut fields = variant.fields.iter();
    let (Some(field), None) = (fields.next(), fields.next()) else {
        cx.error_spanned_by(
            variant,
            format!("`nested` needs one field, the other vocabulary: `{}(UserEvent)`", variant.ident),
        );
        return None;
    };
    let ty = &field.ty;
    if mentions(ty.to_token_stream(), &|name| name == enumeration || name == "Self") {
        cx.error_spanned_by(ty, "a vocabulary that holds itself would have no end: nest another one");
        return None;
    }
    let is_param = |name: &Ident| {
        generics.type_params().any(|param| param.ident == *name)
            || generics.const_params().any(|param| param.ident == *name)
    };
    if mentions(ty.to_token_stream(), &is_param) {
        cx.error_spanned_by(
            ty,
            "the kind has no parameters, so that a nested vocabulary cannot hang on one: name a type",
        );
        return None;
    }
    let member = field.ident.clone().map_or_else(|| Member::Unnamed(Index::from(0)), Member::Named);
    Some((member, ty))
}

impl<'a> Variant<'a> {
    /// The vocabulary that it is made of.
    pub(super) fn inner(&self) -> Option<&Inner<'a>> {
        self.nested.as_ref()?.inner.as_ref()
    }

    /// The arm for a nested vocabulary, whose own method gives the value.
    pub(super) fn passes_on(&self, private: &TokenStream, method: &str, argument: &TokenStream) -> Option<TokenStream> {
        let Inner { member, ty, .. } = self.inner()?;
        let (ident, value, method) = (self.ident, local("__inner"), local(method));
        let call = quote_spanned!(ty.span()=> #private::AuditEvent::#method(#value #argument));
        Some(quote!(Self::#ident { #member: #value } => #call,))
    }
}

impl Inner<'_> {
    /// The kind of the nested vocabulary. The kind outside knows no lifetimes, and needs none.
    pub(super) fn kind(&self, private: &TokenStream) -> TokenStream {
        let ty = everlasting(self.ty.to_token_stream());
        quote_spanned!(self.ty.span()=> <#ty as #private::AuditEvent>::Kind)
    }
}

/// The name of a kind of a nested vocabulary as it is here, where a prefix stands before it; an expression that can
/// stand in a constant.
///
/// ```text
/// {
///     const __NAMES: [&str; <UserKind as EventKind>::ALL.len()] = { … each one's as_str() … };
///     const __JOINED: &[u8] = &prefixed::<{ prefixed_len("billing.", &__NAMES) }>("billing.", &__NAMES);
///     const __PREFIXED: [&str; __NAMES.len()] = prefixed_names(__JOINED, "billing.", &__NAMES);
///     name_beside(&__PREFIXED, &__NAMES, __inner.as_str())
/// }
/// ```
pub(super) fn prefixed(private: &TokenStream, inner: &Inner<'_>, prefix: &str) -> TokenStream {
    let [names, joined, prefixed] = ["__NAMES", "__JOINED", "__PREFIXED"].map(local);
    let [all, at, inside] = ["__names", "__at", "__inner"].map(local);
    let (of, core, span) = (inner.kind(private), quote!(#private::core), inner.ty.span());
    // So that a name that is too long is shown at the nested vocabulary.
    let shown = private::among_users(private, span);
    let len = quote_spanned!(span=> #shown::prefixed_len(#prefix, &#names));
    quote! {{
        const #names: [&#core::primitive::str; <#of as #private::EventKind>::ALL.len()] = {
            let (mut #all, mut #at) = ([""; <#of as #private::EventKind>::ALL.len()], 0);
            while #at < #all.len() {
                #all[#at] = <#of as #private::EventKind>::ALL[#at].as_str();
                #at += 1;
            }
            #all
        };
        const #joined: &[#core::primitive::u8] = &#private::prefixed::<{ #len }>(#prefix, &#names);
        const #prefixed: [&#core::primitive::str; #names.len()] =
            #private::prefixed_names(#joined, #prefix, &#names);
        #private::name_beside(&#prefixed, &#names, #inside.as_str())
    }}
}

fn everlasting(tokens: TokenStream) -> TokenStream {
    let mut before = ' ';
    let change = |token| match token {
        TokenTree::Ident(ident) if before == '\'' => {
            before = ' ';
            Ident::new("static", ident.span()).into()
        }
        TokenTree::Group(group) => {
            let mut inside = proc_macro2::Group::new(group.delimiter(), everlasting(group.stream()));
            inside.set_span(group.span());
            inside.into()
        }
        other => {
            before = if let TokenTree::Punct(punct) = &other { punct.as_char() } else { ' ' };
            other
        }
    };
    tokens.into_iter().map(change).collect()
}

/// Every kind, those of the nested vocabularies in their places:
///
/// ```text
/// {
///     const __LEN: usize = 1 + <UserKind as EventKind>::ALL.len();
///     const __ALL: [AppKind; __LEN] = {
///         let (mut __all, mut __at) = ([AppKind::Started; __LEN], 0);
///         __all[__at] = AppKind::Started;
///         __at += 1;
///         let mut __from = 0;
///         while __from < <UserKind as EventKind>::ALL.len() {
///             __all[__at] = AppKind::User(<UserKind as EventKind>::ALL[__from]);
///             …
///         }
///         __all
///     };
///     &__ALL
/// }
/// ```
pub(super) fn all(input: &Input<'_>) -> TokenStream {
    let (private, kind) = (&input.private, kind::ident(input));
    let [all, at, from, len, whole] = ["__all", "__at", "__from", "__LEN", "__ALL"].map(local);
    let kinds = |inner: &Inner<'_>| {
        let inner = inner.kind(private);
        quote!(<#inner as #private::EventKind>::ALL)
    };
    let own = input.own().count();
    let lens = input.variants.iter().filter_map(Variant::inner).map(kinds);
    let first = input.variants.iter().map(|variant| some(&kind, variant, &kinds)).next();
    let fills = input.variants.iter().map(|variant| {
        let ident = variant.ident;
        match variant.inner().map(kinds) {
            None => quote!(#all[#at] = #kind::#ident; #at += 1;),
            Some(kinds) => quote! {
                let mut #from = 0;
                while #from < #kinds.len() {
                    #all[#at] = #kind::#ident(#kinds[#from]);
                    #at += 1;
                    #from += 1;
                }
            },
        }
    });
    quote! {{
        const #len: #private::core::primitive::usize = #own #(+ #lens.len())*;
        const #whole: [#kind; #len] = {
            let (mut #all, mut #at) = ([#first; #len], 0);
            #(#fills)*
            #all
        };
        &#whole
    }}
}

/// A kind of that variant.
fn some(kind: &Ident, variant: &Variant<'_>, kinds: &dyn Fn(&Inner<'_>) -> TokenStream) -> TokenStream {
    let ident = variant.ident;
    match variant.inner().map(kinds) {
        None => quote!(#kind::#ident),
        Some(kinds) => quote!(#kind::#ident(#kinds[0])),
    }
}

/// What the compiler checks where the derive cannot look: that no action is there twice.
///
/// ```text
/// const _: () = {
///     let (mut __names, mut __at) = ([""; AppKind::ALL.len()], 0);
///     while __at < __names.len() { __names[__at] = AppKind::ALL[__at].as_str(); __at += 1; }
///     __private::distinct(&__names, &["user.added"])
/// };
/// ```
pub(super) fn distinct(input: &Input<'_>) -> Option<TokenStream> {
    let (private, kind, [names, at]) = (&input.private, kind::ident(input), ["__names", "__at"].map(local));
    let ty = input.variants.iter().find_map(Variant::inner)?.ty;
    let formers = input.variants.iter().flat_map(|variant| &variant.about.was);
    // So that it is shown at the nested vocabulary.
    let (span, formers) = (ty.span(), quote!(&[#(#formers),*]));
    let private = private::among_users(private, span);
    let check = quote_spanned!(span=> #private::distinct(&#names, #formers));
    Some(quote! {
        // A large vocabulary takes its time.
        #[allow(long_running_const_eval)]
        const _: () = {
            let (mut #names, mut #at) = ([""; #kind::ALL.len()], 0);
            while #at < #names.len() {
                #names[#at] = #kind::ALL[#at].as_str();
                #at += 1;
            }
            #check
        };
    })
}
