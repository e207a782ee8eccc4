//! The keys of the attribute.

use proc_macro2::{Ident, Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{ParseBuffer, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Error, Expr, ExprCall, LitStr, Pat, Path, Token, parenthesized, parse_quote};

use crate::ctxt::Ctxt;
use crate::symbol;

const KEYS: [&str; 14] = [
    "action",
    "actor",
    "subject",
    "tenant",
    "resource",
    "fields",
    "ok_fields",
    "require",
    "intent",
    "fail_open",
    "fail_closed",
    "errors",
    "outcome",
    "crate",
];

/// The keys that stand alone.
const FLAGS: [&str; 3] = ["intent", "fail_open", "fail_closed"];

/// What the attribute says.
pub(super) struct Args {
    pub(super) action: Option<LitStr>,
    pub(super) tenant: Option<Captured>,
    pub(super) actor: Option<Captured>,
    pub(super) subject: Option<Captured>,
    pub(super) resource: Option<(LitStr, Captured)>,
    pub(super) fields: Vec<Field>,
    /// What is captured of the returned value: the pattern that binds it, and the fields.
    pub(super) ok_fields: Option<(Pat, Vec<Field>)>,
    pub(super) require: Option<Expr>,
    /// Whether it says `intent`.
    pub(super) intent: bool,
    /// Where it says `fail_closed`.
    pub(super) fail_closed: Option<Span>,
    pub(super) verdict: VerdictSource,
    pub(super) krate: Path,
}

/// A value to capture, and what may be shown of it.
pub(super) struct Captured {
    pub(super) value: Expr,
    pub(super) showing: Showing,
}

#[derive(Clone, Copy)]
pub(super) enum Showing {
    /// As its type is classified.
    ByType,
    Plain,
    Hash,
    Drop,
}

pub(super) struct Field {
    pub(super) key: LitStr,
    pub(super) value: Captured,
}

/// Where decision and outcome come from.
pub(super) enum VerdictSource {
    /// The type of the returned value.
    Value,
    /// Every error alike.
    Errors { denied: bool, code: LitStr },
    /// A closure over the returned value.
    Closure(Expr),
}

impl Args {
    /// Reads every key that can be read, and reports every mistake.
    pub(super) fn parse(ctxt: &Ctxt, tokens: TokenStream) -> Self {
        let mut reader = Reader { ctxt, args: Self::empty(), seen: Vec::new() };
        let read = |input: ParseStream<'_>| {
            while !input.is_empty() {
                if let Err(error) = reader.key(input) {
                    ctxt.syn_error(error);
                } else if !input.is_empty() && !input.peek(Token![,]) {
                    ctxt.error_at(input.span(), "expected `,` between the keys");
                }
                skip_to_comma(input)?;
                input.parse::<Option<Token![,]>>()?;
            }
            Ok(())
        };
        if let Err(error) = read.parse2(tokens) {
            ctxt.syn_error(error);
        }
        reader.args
    }

    fn empty() -> Self {
        Self {
            action: None,
            tenant: None,
            actor: None,
            subject: None,
            resource: None,
            fields: Vec::new(),
            ok_fields: None,
            require: None,
            intent: false,
            fail_closed: None,
            verdict: VerdictSource::Value,
            krate: parse_quote!(::audited),
        }
    }
}

struct Reader<'a> {
    ctxt: &'a Ctxt,
    args: Args,
    seen: Vec<String>,
}

impl Reader<'_> {
    fn key(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        let key = input
            .call(Ident::parse_any)
            .map_err(|error| Error::new(error.span(), format!("expected a key: {}", symbol::list(&KEYS))))?;
        let name = key.to_string();
        if !KEYS.contains(&name.as_str()) {
            return Err(Error::new(key.span(), symbol::unknown_key(&name, &KEYS)));
        }
        if self.seen.contains(&name) {
            self.ctxt.error_at(key.span(), format!("`{name}` is given twice: keep one"));
        }
        self.seen.push(name);
        let nothing = input.is_empty() || input.peek(Token![,]);
        self.value_of(&key, input).map_err(|error| {
            // What is missing at the end has no tokens but the key's.
            if nothing || is_whole_attribute(error.span()) { Error::new(key.span(), error) } else { error }
        })
    }

    fn value_of(&mut self, key: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
        let name = key.to_string();
        if FLAGS.contains(&name.as_str()) && (input.peek(Token![=]) || input.peek(syn::token::Paren)) {
            return Err(Error::new(key.span(), format!("`{name}` takes no value: write `{name}`")));
        }
        match name.as_str() {
            "action" => self.args.action = Some(value(input, "action = \"noun.verb\"")?),
            "actor" => self.args.actor = Some(value(input, "actor = user.id")?),
            "subject" => self.args.subject = Some(value(input, "subject = user.id")?),
            "tenant" => self.args.tenant = Some(value(input, "tenant = org.id")?),
            "resource" => self.args.resource = Some(resource(input)?),
            "fields" => {
                let content = list(input, "fields(order_id, items = body.items.len())")?;
                self.args.fields = inside(&content, |content| self.fields(content))?;
            }
            "ok_fields" => {
                let content = list(input, OK_FIELDS)?;
                let read = |content: ParseStream<'_>| Ok((ok_pattern(content)?, self.fields(content)?));
                self.args.ok_fields = Some(inside(&content, read)?);
            }
            "require" => self.args.require = Some(value(input, "require = caller.may(\"write\")")?),
            "intent" => self.args.intent = true,
            "fail_open" => self.policy(key, None, "fail_closed"),
            "fail_closed" => self.policy(key, Some(key.span()), "fail_open"),
            "errors" => {
                let verdict = errors(input)?;
                self.verdict(key, verdict, "outcome");
            }
            "outcome" => {
                let verdict = VerdictSource::Closure(value(input, "outcome = |result| …")?);
                self.verdict(key, verdict, "errors");
            }
            _ => self.args.krate = path(input)?,
        }
        Ok(())
    }

    fn policy(&mut self, key: &Ident, fail_closed: Option<Span>, other: &str) {
        if self.seen.iter().any(|seen| seen == other) {
            self.ctxt.error_at(key.span(), "`fail_open` and `fail_closed` exclude each other: keep one");
        }
        self.args.fail_closed = fail_closed.or(self.args.fail_closed);
    }

    fn verdict(&mut self, key: &Ident, verdict: VerdictSource, other: &str) {
        if self.seen.iter().any(|seen| seen == other) {
            self.ctxt.error_at(key.span(), "`errors` and `outcome` both say how the call ended: keep one");
        }
        self.args.verdict = verdict;
    }

    fn fields(&self, content: ParseStream<'_>) -> syn::Result<Vec<Field>> {
        let mut fields: Vec<Field> = Vec::new();
        while !content.is_empty() {
            match field(content) {
                Ok(field) => {
                    let key = field.key.value();
                    if fields.iter().any(|known| known.key.value() == key) {
                        self.ctxt.error_at(field.key.span(), format!("the field `{key}` is captured twice"));
                    }
                    fields.push(field);
                }
                Err(error) => {
                    self.ctxt.syn_error(error);
                    skip_to_comma(content)?;
                }
            }
            if !content.is_empty() {
                content.parse::<Token![,]>()?;
            }
        }
        Ok(fields)
    }
}

const OK_FIELDS: &str = "ok_fields(|receipt| number = receipt.number)";

/// `|receipt|`
fn ok_pattern(content: ParseStream<'_>) -> syn::Result<Pat> {
    let wrong =
        |error: Error| Error::new(error.span(), format!("expected what binds the returned value: `{OK_FIELDS}`"));
    content.parse::<Token![|]>().map_err(wrong)?;
    let pattern = Pat::parse_single(content).map_err(wrong)?;
    content.parse::<Token![|]>().map_err(wrong)?;
    Ok(pattern)
}

/// `= value`
fn value<T: syn::parse::Parse>(input: ParseStream<'_>, example: &str) -> syn::Result<T> {
    if !input.peek(Token![=]) {
        return Err(Error::new(input.span(), format!("expected a value: `{example}`")));
    }
    input.parse::<Token![=]>()?;
    let at = input.span();
    input.parse().map_err(|error| {
        if error.span().source_text() == at.source_text() {
            Error::new(at, format!("{error}: `{example}`"))
        } else {
            error
        }
    })
}

/// `(…)`
fn list<'a>(input: ParseStream<'a>, example: &str) -> syn::Result<ParseBuffer<'a>> {
    if !input.peek(syn::token::Paren) {
        return Err(Error::new(input.span(), format!("expected a list: `{example}`")));
    }
    let content;
    parenthesized!(content in input);
    Ok(content)
}

/// Reads a list to its end: after a mistake the rest of it is none.
fn inside<T>(content: ParseStream<'_>, read: impl FnOnce(ParseStream<'_>) -> syn::Result<T>) -> syn::Result<T> {
    let result = read(content);
    if result.is_err() {
        content.parse::<TokenStream>()?;
    }
    result
}

/// Whether nothing smaller can be pointed at.
fn is_whole_attribute(span: Span) -> bool {
    span.source_text() == Span::call_site().source_text()
}

fn path(input: ParseStream<'_>) -> syn::Result<Path> {
    let wrong = |span| Error::new(span, "expected a path: `crate = my::audited`");
    input.parse::<Token![=]>().map_err(|error| wrong(error.span()))?;
    input.call(Path::parse_mod_style).map_err(|error| wrong(error.span()))
}

/// `("kind", id)`
fn resource(input: ParseStream<'_>) -> syn::Result<(LitStr, Captured)> {
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
fn field(input: ParseStream<'_>) -> syn::Result<Field> {
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
fn errors(input: ParseStream<'_>) -> syn::Result<VerdictSource> {
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

impl syn::parse::Parse for Captured {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let value: Expr = input.parse()?;
        let Expr::Call(ExprCall { func, args, .. }) = &value else {
            return Ok(Self { value, showing: Showing::ByType });
        };
        let Some(showing) = showing_of(func) else { return Ok(Self { value, showing: Showing::ByType }) };
        let mut args: Punctuated<Expr, Token![,]> = args.clone();
        match (args.pop(), args.is_empty()) {
            (Some(inner), true) => Ok(Self { value: inner, showing }),
            _ => Err(Error::new_spanned(&value, "`plain`, `hash` and `drop` take one value")),
        }
    }
}

fn showing_of(func: &Expr) -> Option<Showing> {
    let Expr::Path(path) = func else { return None };
    match path.path.get_ident()?.to_string().as_str() {
        "plain" => Some(Showing::Plain),
        "hash" => Some(Showing::Hash),
        "drop" => Some(Showing::Drop),
        _ => None,
    }
}

fn skip_to_comma(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<proc_macro2::TokenTree>()?;
    }
    Ok(())
}
