//! The keys of the attribute.

use proc_macro2::{Ident, Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Error, Expr, LitStr, Pat, Path, Token, parse_quote};

use super::values::{OK_FIELDS, errors, field, inside, list, ok_pattern, path, resource, skip_to_comma, value};
use crate::about::About;
use crate::ctxt::Ctxt;
use crate::mode::Mode;
use crate::symbol;

const KEYS: [&str; 21] = [
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
    "transaction",
    "errors",
    "outcome",
    "was",
    "since",
    "deprecated",
    "shared",
    "unlocked",
    "only_from",
    "crate",
];

/// The keys that stand alone.
const FLAGS: [&str; 6] = ["intent", "fail_open", "fail_closed", "deprecated", "shared", "unlocked"];

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
    /// The transaction of the caller's that a success is recorded in.
    pub(super) transaction: Option<Expr>,
    pub(super) verdict: VerdictSource,
    pub(super) about: About,
    /// Whether the lock leaves it out.
    pub(super) unlocked: bool,
    pub(super) krate: Path,
}

/// A value to capture, and what may be shown of it.
pub(super) struct Captured {
    pub(super) value: Expr,
    /// None where its type decides.
    pub(super) mode: Option<Mode>,
    /// The word around the value that says so.
    pub(super) wrapper: Option<Ident>,
}

impl Captured {
    /// Whether reading the value can neither wait nor return nor panic: it is a variable, or a field of one.
    pub(super) fn is_looked_at(&self) -> bool {
        let mut value = &self.value;
        loop {
            value = match value {
                Expr::Field(field) => &field.base,
                Expr::Reference(reference) => &reference.expr,
                Expr::Paren(paren) => &paren.expr,
                Expr::Group(group) => &group.expr,
                other => return matches!(other, Expr::Path(_)),
            };
        }
    }
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

    /// What is captured before the body runs.
    pub(super) fn captured(&mut self) -> impl Iterator<Item = &mut Captured> {
        let single = [&mut self.tenant, &mut self.actor, &mut self.subject].into_iter().flatten();
        let resource = self.resource.iter_mut().map(|(_, id)| id);
        single.chain(resource).chain(self.fields.iter_mut().map(|field| &mut field.value))
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
            transaction: None,
            verdict: VerdictSource::Value,
            about: About::default(),
            unlocked: false,
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
            "transaction" => self.args.transaction = Some(value(input, "transaction = store.within(tx)")?),
            "errors" => {
                let verdict = errors(input)?;
                self.verdict(key, verdict, "outcome");
            }
            "outcome" => {
                let verdict = VerdictSource::Closure(value(input, "outcome = |result| …")?);
                self.verdict(key, verdict, "errors");
            }
            "was" => {
                let content = list(input, "was(\"old.name\")")?;
                let names = inside(&content, |content| content.parse_terminated(<LitStr as Parse>::parse, Token![,]))?;
                self.args.about.was = names.into_iter().collect();
            }
            "since" => self.args.about.since = Some(value(input, "since = \"1.2\"")?),
            "deprecated" => self.args.about.deprecated = true,
            "shared" => self.args.about.shared = true,
            "unlocked" => self.args.unlocked = true,
            "only_from" => self.args.about.only_from = Some(value(input, "only_from = \"cli\"")?),
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

/// Whether nothing smaller can be pointed at.
fn is_whole_attribute(span: Span) -> bool {
    span.source_text() == Span::call_site().source_text()
}
