//! One page that needs nothing else.

use std::fmt::Write as _;

use super::super::{Catalogue, CatalogueAction, CatalogueField};
use super::{facts, seen};

const HEAD: &str = include_str!("head.html");
const FOOT: &str = include_str!("foot.html");

pub(super) fn of(catalogue: &Catalogue) -> String {
    let mut out = String::from(HEAD);
    out.push_str("<section><h2>Actions</h2>\n");
    catalogue.actions.iter().for_each(|action| of_action(&mut out, action));
    out.push_str("</section>\n<section><h2>Classified types</h2>\n");
    for ty in &catalogue.types {
        entry(&mut out, &format!("{}::{}", ty.module, ty.name), "", |out| fields(out, &ty.fields));
    }
    out.push_str("</section>\n<section><h2>Reasons and codes</h2>\n");
    for error in &catalogue.errors {
        entry(&mut out, &format!("{}::{}", error.module, error.name), "", |out| {
            line(out, "denied because", &error.reasons.join(", "));
            line(out, "failed with", &error.codes.join(", "));
        });
    }
    out.push_str("</section>\n<section><h2>Not audited, on purpose</h2>\n");
    for exemption in &catalogue.exemptions {
        let name = format!("{}::{}", exemption.place.module, exemption.place.item);
        entry(&mut out, &name, &exemption.reason, |out| line(out, "where", &exemption.place.to_string()));
    }
    out.push_str("</section>\n");
    out.push_str(FOOT);
    out
}

fn of_action(out: &mut String, action: &CatalogueAction) {
    entry(out, &action.action, action.doc.as_deref().unwrap_or_default(), |out| {
        line(out, action.origin.as_str(), &action.place.to_string());
        facts(action).for_each(|(name, fact)| line(out, name, &fact));
        fields(out, &action.fields);
    });
}

fn entry(out: &mut String, name: &str, about: &str, inside: impl FnOnce(&mut String)) {
    let _ = writeln!(out, "<article><h3>{}</h3>", escaped(name));
    if !about.is_empty() {
        let _ = writeln!(out, "<p>{}</p>", escaped(about));
    }
    out.push_str("<dl>");
    inside(out);
    out.push_str("</dl></article>\n");
}

fn line(out: &mut String, name: &str, value: &str) {
    if !value.is_empty() {
        let _ = write!(out, "<dt>{}</dt><dd>{}</dd>", escaped(name), escaped(value));
    }
}

fn fields(out: &mut String, fields: &[CatalogueField]) {
    if fields.is_empty() {
        return;
    }
    out.push_str("</dl><table><tr><th>field</th><th>type</th><th>shown</th><th>mode</th><th>class</th></tr>");
    for field in fields {
        let cells = [&field.key, field.ty.as_deref().unwrap_or_default(), seen(field)];
        let more = [field.mode.as_deref().unwrap_or_default(), field.class.as_deref().unwrap_or_default()];
        out.push_str("<tr>");
        for cell in cells.into_iter().chain(more) {
            let _ = write!(out, "<td>{}</td>", escaped(cell));
        }
        out.push_str("</tr>");
    }
    out.push_str("</table><dl>");
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::tests::example;

    #[test]
    fn the_page_needs_nothing_else_and_text_is_no_markup() {
        let page = example().to_html();
        assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"));
        assert!(page.contains("Moves money &lt;b&gt;|now|&lt;/b&gt;."));
        assert!(page.contains("<td>memo</td><td>String</td><td>nothing</td><td>drop</td>"));
        for outside in ["http://", "https://", "src=", "<link", "@import", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert_eq!(page.matches("<article>").count(), page.matches("</article>").count());
        assert_eq!(page.matches("<dl>").count(), page.matches("</dl>").count());
    }
}
