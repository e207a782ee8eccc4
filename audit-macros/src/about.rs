//! What is said of an action in the catalogue and the lock, on a function as on a variant.

use syn::LitStr;

use crate::ctxt::Ctxt;
use crate::names::{ACTION_RULE, SURFACE_RULE, is_action, is_code};

#[derive(Default)]
pub(crate) struct About {
    pub(crate) was: Vec<LitStr>,
    pub(crate) since: Option<LitStr>,
    pub(crate) deprecated: bool,
    pub(crate) shared: bool,
    pub(crate) only_from: Option<LitStr>,
}

impl About {
    /// Former names and surfaces are names like others.
    pub(crate) fn check(&self, cx: &Ctxt) {
        for was in self.was.iter().filter(|was| !is_action(&was.value())) {
            cx.error_spanned_by(was, ACTION_RULE);
        }
        check_words(cx, self.since.as_ref(), self.only_from.as_ref());
    }
}

/// The same of what a whole enum says.
pub(crate) fn check_words(cx: &Ctxt, since: Option<&LitStr>, only_from: Option<&LitStr>) {
    if let Some(empty) = since.filter(|since| since.value().trim().is_empty()) {
        cx.error_spanned_by(empty, "`since` is the version in which the action came: `since = \"1.2\"`");
    }
    if let Some(surface) = only_from.filter(|surface| !is_code(&surface.value())) {
        cx.error_spanned_by(surface, SURFACE_RULE);
    }
}
