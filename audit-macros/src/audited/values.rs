//! The values of the keys.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseBuffer, ParseStream};
use syn::spanned::Spanned;
use syn::{Error, Expr, LitStr, Pat, Path, Token, parenthesized};

use super::args::{Captured, Field, VerdictSource};

pub(super) const OK_FIELDS: &str = "ok_fields(|receipt| number = receipt.number)";

/// `|receipt|`
pub(super) fn ok_pattern(content: ParseStream<'_>) -> syn::Result<Pat> {
    let wrong =
        |error: Error| Error::new(error.span(), format!("expected what binds the returned value: `{OK_FIELDS}`"));
    content.parse::<Token![|]>().map_err(wrong)?;
    let pattern = Pat::parse_single(content).map_err(wrong)?;
    content.parse::<Token![|]>().map_err(wrong)?;
    Ok(pattern)
}

/// `= value`
pub(super) fn value<T: Parse>(input: ParseStream<'_>, example: &str) -> syn::Result<T> {
    if !input.peek(Token![=]) {
        return Err(Error::new(input.span(), format!("expected a value: `{example}`")));
    }
    input.parse::<Token![=]>()?;
    let (at, start) = (input.span(), input.cursor());
    let value = input.parse();
    // What is no such value from its first token on.
    let wrong = input.cursor() == start;
    value.map_err(|error| if wrong { Error::new(at, format!("{error}: `{example}`")) } else { error })
}

/// `(…)`
pub(super) fn list<'a>(input: ParseStream<'a>, example: &str) -> syn::Result<ParseBuffer<'a>> {
    if !input.peek(syn::token::Paren) {
        return Err(Error::new(input.span(), format!("expected a list: `{example}`")));
    }
    let content;
    parenthesized!(content in input);
    Ok(content)
}

/// Reads a list to its end: after a mistake the rest of it is none.
pub(super) fn inside<T>(
    content: ParseStream<'_>,
    read: impl FnOnce(ParseStream<'_>) -> syn::Result<T>,
) -> syn::Result<T> {
    let result = read(content);
    if result.is_err() {
        content.parse::<TokenStream>()?;
    }
    result
}

pub(super) fn path(input: ParseStream<'_>) -> syn::Result<Path> {
    let wrong = |span| Error::new(span, "expected a path: `crate = my::audited`");
    input.parse::<Token![=]>().map_err(|error| wrong(error.span()))?;
    input.call(Path::parse_mod_style).map_err(|error| wrong(error.span()))
}

/// `("kind", id)`
pub(super) fn resource(input: ParseStream<'_>) -> syn::Result<(LitStr, Captured)> {
    const EXAMPLE: &str = "resource(\"order\", order_id)";
    inside(&list(input, EXAMPLE)?, |content| {
        let kind: LitStr = content
            .parse()
            .map_err(|error| Error::new(error.span(), format!("expected the kind, a literal: `{EXAMPLE}`")))?;
        if content.is_empty() {
            return Err(Error::new(kind.span(), format!("the id is missing: `{EXAMPLE}`")));
        }
        content.parse::<Token![,]>()?;
        let id = content.parse()?;
        content.parse::<Option<Token![,]>>()?;
        if !content.is_empty() {
            return Err(content.error(format!("a resource is a kind and an id: `{EXAMPLE}`")));
        }
        Ok((kind, id))
    })
}

/// `name`, `name = value`
pub(super) fn field(input: ParseStream<'_>) -> syn::Result<Field> {
    if input.peek(Ident::peek_any) && input.peek2(Token![=]) && !input.peek2(Token![==]) {
        let name = input.call(Ident::parse_any)?;
        input.parse::<Token![=]>()?;
        let value = input.parse()?;
        return Ok(Field { key: key_of(&name), value });
    }
    let value: Captured = input.parse()?;
    match &value.value {
        Expr::Path(path) if path.qself.is_none() && path.path.get_ident().is_some_and(|name| name != "self") => {
            let key = path.path.get_ident().map(key_of);
            Ok(Field { key: key.unwrap_or_else(|| LitStr::new("", value.value.span())), value })
        }
        expr => Err(Error::new_spanned(expr, "an expression needs a name: `name = …`")),
    }
}

fn key_of(name: &Ident) -> LitStr {
    LitStr::new(&name.unraw().to_string(), name.span())
}

/// `= failure("code")`, `= denied("reason")`
pub(super) fn errors(input: ParseStream<'_>) -> syn::Result<VerdictSource> {
    const EXAMPLE: &str = "write `errors = failure(\"code\")` or `errors = denied(\"reason\")`";
    let wrong = |span| Error::new(span, EXAMPLE);
    if !input.peek(Token![=]) {
        return Err(wrong(input.span()));
    }
    input.parse::<Token![=]>()?;
    let kind: Ident = input.parse().map_err(|error| wrong(error.span()))?;
    let denied = match kind.to_string().as_str() {
        "failure" => false,
        "denied" => true,
        _ => return Err(wrong(kind.span())),
    };
    if !input.peek(syn::token::Paren) {
        return Err(wrong(kind.span()));
    }
    inside(&list(input, EXAMPLE)?, |content| {
        let code: LitStr = content.parse().map_err(|error| wrong(error.span()))?;
        if !content.is_empty() {
            return Err(wrong(content.span()));
        }
        Ok(VerdictSource::Errors { denied, code })
    })
}

pub(super) fn skip_to_comma(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}
