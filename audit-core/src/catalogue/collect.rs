//! From what the linker collected to the catalogue.

use std::collections::{HashMap, HashSet};
use std::ptr;

use super::prefixed;
use super::registered::{ErrorType, EventType, Exempt, RegisteredError, RegisteredEvent, RegisteredExemption, Word};
use super::{
    Catalogue, CatalogueAction, CatalogueError, CatalogueExemption, CatalogueField, CatalogueType, Origin, Place,
};
use crate::recorder::{Capture, Site, sites};
use crate::sensitive::{SensitiveField, SensitiveType, sensitive_types};

/// What this binary records: every audited function and every derived event that is linked into it.
///
/// Only linked crates register: what no code of the binary reaches may be missing.
pub fn catalogue() -> Catalogue {
    // A vocabulary registers as a type, too.
    let events: HashSet<_> = inventory::iter::<RegisteredEvent>().map(|event| ptr::from_ref(event.0.ty)).collect();
    let is_event = |ty: &&SensitiveType| events.contains(&ptr::from_ref(*ty));
    let mut types: Vec<_> = sensitive_types().into_iter().filter(|ty| !is_event(ty)).map(of_type).collect();
    types.sort_by(|a, b| (&a.package, &a.module, &a.name).cmp(&(&b.package, &b.module, &b.name)));
    types.dedup();
    let mut errors: Vec<_> = inventory::iter::<RegisteredError>().map(|error| of_error(error.0)).collect();
    errors.sort();
    errors.dedup();
    let mut exemptions: Vec<_> = inventory::iter::<RegisteredExemption>().map(|entry| of_exempt(entry.0)).collect();
    exemptions.sort();
    exemptions.dedup();
    Catalogue { actions: actions(), types, errors, exemptions }
}

/// The actions alone: what those need who look for one.
pub(crate) fn actions() -> Vec<CatalogueAction> {
    let mut actions: Vec<_> = sites().iter().map(of_site).collect();
    let events: Vec<_> = inventory::iter::<RegisteredEvent>().map(|event| event.0).collect();
    let by_their_names = prefixed::by_their_names(&events);
    for event in events {
        let prefixed = !by_their_names.contains(&ptr::from_ref(event));
        actions.extend(of_event(event).map(|action| CatalogueAction { prefixed, ..action }));
        actions.extend(prefixed::actions(event));
    }
    actions.sort_by(|a, b| (&a.action, a.origin, &a.place).cmp(&(&b.action, b.origin, &b.place)));
    actions.dedup();
    actions
}

fn of_site(site: &Site) -> CatalogueAction {
    let place = place(site.package, site.module, site.function, (site.file, site.line));
    CatalogueAction {
        fields: site.captures.iter().map(of_capture).collect(),
        doc: said(site.doc),
        policy: Some(site.policy.as_str().to_owned()),
        intent: site.intent,
        transaction: site.transaction,
        decided_by: owned(&site.decided_by),
        was: owned(&site.was),
        since: said(site.since),
        deprecated: site.deprecated,
        shared: site.shared,
        unlocked: site.unlocked,
        surface: said(site.only_from),
        ..CatalogueAction::new(site.action.as_str(), Origin::Function, place)
    }
}

pub(super) fn of_event(event: &'static EventType) -> impl Iterator<Item = CatalogueAction> {
    let mut fields: HashMap<_, Vec<_>> = HashMap::new();
    for field in event.ty.fields() {
        fields.entry(field.variant).or_default().push(of_field(field, field.key));
    }
    event.words.iter().map(move |word| of_word(event, word, fields.remove(&Some(word.variant)).unwrap_or_default()))
}

fn of_word(event: &EventType, word: &Word, fields: Vec<CatalogueField>) -> CatalogueAction {
    let item = format!("{}::{}", event.ty.name, word.variant);
    let place = place(event.ty.package, event.ty.module, &item, (event.file, event.line));
    CatalogueAction {
        fields,
        doc: said(word.doc),
        since: said(word.since),
        deprecated: word.deprecated,
        was: owned(word.was),
        surface: said(word.only_from),
        severity: said(word.severity),
        decided_by: said(word.verdict).into_iter().collect(),
        shared: word.shared,
        unlocked: event.unlocked,
        ..CatalogueAction::new(word.action, Origin::Event, place)
    }
}

fn of_type(ty: &SensitiveType) -> CatalogueType {
    let fields = ty.fields().map(|field| {
        let variant = field.variant.map(|variant| format!("{variant}.")).unwrap_or_default();
        of_field(field, &format!("{variant}{}", field.key))
    });
    CatalogueType {
        package: ty.package.to_owned(),
        module: ty.module.to_owned(),
        name: ty.name.to_owned(),
        fields: fields.collect(),
    }
}

fn of_field(field: SensitiveField, key: &str) -> CatalogueField {
    CatalogueField {
        key: key.to_owned(),
        ty: said(field.ty),
        mode: field.mode.map(|mode| mode.to_string()),
        class: field.class.map(str::to_owned),
        scope: field.scope.map(str::to_owned),
    }
}

fn of_capture(captured: &Capture) -> CatalogueField {
    CatalogueField {
        key: captured.key.to_owned(),
        ty: said(captured.ty),
        mode: said(captured.mode),
        class: None,
        scope: said(captured.scope),
    }
}

fn of_error(error: &ErrorType) -> CatalogueError {
    let sorted = |codes: &[&str]| {
        let mut codes = owned(codes);
        codes.sort();
        codes.dedup();
        codes
    };
    CatalogueError {
        package: error.package.to_owned(),
        module: error.module.to_owned(),
        name: error.name.to_owned(),
        reasons: sorted(error.reasons),
        codes: sorted(error.codes),
    }
}

fn of_exempt(exempt: &Exempt) -> CatalogueExemption {
    CatalogueExemption {
        place: place(exempt.package, exempt.module, exempt.function, (exempt.file, exempt.line)),
        reason: exempt.reason.to_owned(),
        doc: said(exempt.doc),
    }
}

impl CatalogueAction {
    /// An action of which only its name and its place are known.
    pub fn new(action: impl Into<String>, origin: Origin, place: Place) -> Self {
        Self {
            action: action.into(),
            origin,
            place,
            doc: None,
            since: None,
            deprecated: false,
            was: Vec::new(),
            fields: Vec::new(),
            policy: None,
            intent: false,
            transaction: false,
            decided_by: Vec::new(),
            surface: None,
            severity: None,
            shared: false,
            unlocked: false,
            prefixed: false,
        }
    }
}

/// The same on every platform.
pub(super) fn place(package: &str, module: &str, item: &str, (file, line): (&str, u32)) -> Place {
    let [package, module, item] = [package, module, item].map(str::to_owned);
    Place { package, module, item, file: file.replace('\\', "/"), line }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().copied().map(str::to_owned).collect()
}

fn said(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
