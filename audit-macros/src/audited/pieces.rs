//! The pieces that every expansion is put together from.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use super::args::{Args, VerdictSource};
use super::captures::WhichCall;
use super::item::Function;
use super::types::{error_type, is_called_result, without_impl};
use crate::private;

pub(super) struct Pieces<'a> {
    pub(super) args: &'a Args,
    pub(super) function: &'a Function,
    /// The path to `__private`.
    pub(super) private: TokenStream,
    /// The type of what the body ends with, as it can be named inside the function: the return type, or the output
    /// of the future that is returned.
    pub(super) value: TokenStream,
    /// The same as it is written, with every `impl` in it.
    written: TokenStream,
    /// Where a mistake about that type is shown.
    value_span: Span,
}

impl<'a> Pieces<'a> {
    pub(super) fn new(args: &'a Args, function: &'a Function, value: Option<&Type>) -> Self {
        let krate = &args.krate;
        let private = quote!(#krate::__private);
        let (value, written) = match value {
            None => (quote!(()), quote!(())),
            // `!` can stand in few places; what nobody can have a value of, in all.
            Some(Type::Never(_)) => {
                let never = quote!(#private::core::convert::Infallible);
                (never.clone(), never)
            }
            Some(ty) => (without_impl(ty.clone()).into_token_stream(), ty.to_token_stream()),
        };
        let value_span = function.returns().map_or_else(|| function.sig.ident.span(), |ty| error_type(ty).span());
        Self { args, function, private, value, written, value_span }
    }

    /// Whether [`Pieces::value`] says it all: no `impl` in it. It is asked for where it has to be known, since it is dear.
    pub(super) fn nameable(&self) -> bool {
        self.value.to_string() == self.written.to_string()
    }

    /// The path to `__private`, shown at `at` should anything about it be wrong.
    pub(super) fn private_at(&self, at: Span) -> TokenStream {
        private::at(&self.private, at)
    }

    fn guard(&self) -> Option<TokenStream> {
        let guard = self.args.require.as_ref()?;
        // At the user's expression, where a mistake in its type is shown.
        let at = Span::mixed_site().located_at(guard.span());
        let private = self.private_at(at);
        Some(quote_spanned!(at=> #private::require(#guard)))
    }

    /// Whether something has to happen before the user's part of the body, besides capturing, or behind it.
    pub(super) fn comes_after_something(&self) -> bool {
        self.can_refuse().is_some() || self.args.intent || self.args.transaction.is_some()
    }

    /// What a body does before the user's part of it: it captures, passes its guard, and has its intent acknowledged.
    pub(super) fn prologue(&self, is_async: bool) -> TokenStream {
        let private = &self.private;
        let span = Span::mixed_site();
        let captures = self.captures(WhichCall::Running);
        let guard = self.guard().map(|guard| self.or_refuse(&guard));
        let intent = if is_async {
            quote_spanned!(span=> #private::intent().await)
        } else {
            quote_spanned!(span=> #private::intent_sync())
        };
        let intent = match (self.args.fail_closed, self.args.intent) {
            (Some(_), _) => self.or_refuse(&intent),
            (None, true) => quote_spanned!(span=> let _ = #intent;),
            (None, false) => TokenStream::new(),
        };
        quote!(#captures #guard #intent)
    }

    fn or_refuse(&self, passed: &TokenStream) -> TokenStream {
        let private = &self.private;
        let Some(at) = self.can_refuse() else { return TokenStream::new() };
        let refused = self.refused(at);
        quote_spanned! {Span::mixed_site()=>
            if let #private::core::result::Result::Err(__refusal) = #passed {
                return #refused;
            }
        }
    }

    /// Where the attribute says that the call may be refused.
    fn can_refuse(&self) -> Option<Span> {
        self.args.fail_closed.or_else(|| self.args.require.as_ref().map(Spanned::span))
    }

    /// A closure that makes a refusal of the return type, where the call may be refused.
    fn refuse(&self) -> Option<TokenStream> {
        let private = &self.private;
        let refused = self.refused(self.can_refuse()?);
        Some(quote_spanned!(Span::mixed_site()=> |__refusal: #private::Refusal| #refused))
    }

    /// What makes a refusal of the return type of a function that is not async.
    pub(super) fn refuse_sync(&self) -> TokenStream {
        let private = &self.private;
        self.refuse().unwrap_or_else(|| quote!(#private::never_refused))
    }

    /// A type that cannot carry a refusal is an error at the return type, or where the attribute asks for it.
    fn refused(&self, asked: Span) -> TokenStream {
        let private = &self.private;
        let at = Span::mixed_site().located_at(self.function.returns().map_or(asked, Spanned::span));
        let value = if self.function.returns().is_none() { quote_spanned!(at=> ()) } else { self.value.clone() };
        quote_spanned!(at=> <#value as #private::Refuse>::refuse(__refusal))
    }

    /// What reads the verdict from what a future, `body`, ends with, and makes a refusal of it.
    pub(super) fn judge_of(&self, body: &TokenStream) -> TokenStream {
        let private = &self.private;
        let span = Span::mixed_site();
        let judge = if self.args.transaction.is_some() {
            quote_spanned!(span=> #private::judge::by(&#body, #private::judged_before))
        } else if matches!(self.args.verdict, VerdictSource::Value) && self.args.ok_fields.is_none() {
            self.by_type(&quote_spanned!(span=> returned_by(&#body)))
        } else {
            let judge = self.judge_sync();
            quote_spanned!(span=> #private::judge::by(&#body, #judge))
        };
        match self.refuse() {
            Some(refuse) => quote_spanned!(span=> #private::judge::Refusing(#judge, #refuse)),
            None => judge,
        }
    }

    /// What the type of a value says how it is judged.
    fn by_type(&self, ty: &TokenStream) -> TokenStream {
        let private = &self.private;
        let at = Span::mixed_site().located_at(self.value_span);
        // What an async function calls a result is no future: one step less for the compiler to try.
        let result = self.function.sig.asyncness.is_some() && self.function.returns().is_some_and(is_called_result);
        let future = (!result).then(|| quote_spanned!(at=> ReturnsFuture as _,));
        let step = (!result).then(|| quote_spanned!(at=> &));
        quote_spanned! {at=> {
            #[allow(unused_imports)]
            use #private::judge::{
                AsData as _, ByDecision as _, ByNestedResult as _, ByResult as _, ByResultOfDecision as _,
                ByResultOfFuture as _, #future
            };
            (#step &&&&#private::judge::#ty).choose()
        }}
    }

    /// A closure that reads the verdict from the returned value.
    pub(super) fn judge_sync(&self) -> TokenStream {
        let private = &self.private;
        let span = Span::mixed_site();
        let at = span.located_at(self.value_span);
        let by_type = |value: &TokenStream| {
            let chosen = self.by_type(&quote_spanned!(span=> type_of(#value)));
            quote_spanned!(at=> #private::judge::Judging::verdict(&#chosen, #value, __told))
        };
        let value = quote_spanned!(span=> __value);
        let verdict = match &self.args.verdict {
            VerdictSource::Value => by_type(&value),
            VerdictSource::Closure(closure) => {
                let at = span.located_at(closure.span());
                let private = self.private_at(at);
                quote_spanned!(at=> #private::judge::judged(__value, #closure))
            }
            VerdictSource::Errors { denied, code } => {
                let verdict = if *denied { quote!(denied) } else { quote!(failure) };
                let good = by_type(&value);
                let private = self.private_at(at);
                quote_spanned! {at=>
                    match #private::judge::HasErrors::value(__value) {
                        #private::core::option::Option::Some(__value) => #good,
                        #private::core::option::Option::None => #private::Verdict::#verdict(#code),
                    }
                }
            }
        };
        let ok_fields = self.ok_fields();
        // The type of an error may tell the call more than its verdict.
        let told = !matches!(self.args.verdict, VerdictSource::Closure(_));
        let told = if told || ok_fields.is_some() { quote_spanned!(span=> __told) } else { quote!(_) };
        quote_spanned! {span=>
            |__value, #told| {
                #ok_fields
                #verdict
            }
        }
    }

    /// Captures of the returned value, unless it is an error.
    fn ok_fields(&self) -> Option<TokenStream> {
        let private = &self.private;
        let (pattern, fields) = self.args.ok_fields.as_ref()?;
        let fields = self.fields(WhichCall::Told, fields);
        Some(quote_spanned! {Span::mixed_site()=>
            let __good = {
                #[allow(unused_imports)]
                use #private::judge::{OkOfData as _, OkOfResult as _};
                (&&#private::judge::Returned(__value)).good()
            };
            if let #private::core::option::Option::Some(#pattern) = __good {
                #fields
            }
        })
    }

    /// Tells the compiler the type of the block before the body, so that `?` in it is inferred as in a plain function
    /// and a wrong type is an error at the user's own expression.
    pub(super) fn inference(&self) -> TokenStream {
        let (private, value) = (&self.private, &self.value);
        let returned = self.returned();
        quote_spanned! {Span::mixed_site()=>
            if let #private::core::option::Option::Some(__value) = #private::core::option::Option::None::<#value> {
                #returned
            }
        }
    }

    /// Returns from the body. What the compiler says about the returned type is shown where the user wrote it.
    pub(super) fn returned(&self) -> TokenStream {
        quote_spanned!(self.at_type()=> return __value;)
    }

    /// A call into `__private` with what the whole call is about.
    pub(super) fn call(&self, function: &str, arguments: &TokenStream) -> TokenStream {
        let at = self.at_type();
        let (private, function) = (self.private_at(at), Ident::new(function, at));
        quote_spanned!(at=> #private::#function(#arguments))
    }

    /// Where the user wrote the returned type, or the name of what returns nothing.
    pub(super) fn at_type(&self) -> Span {
        let ty = self.function.returns().map_or_else(|| self.function.sig.ident.span(), Spanned::span);
        Span::mixed_site().located_at(ty)
    }
}
