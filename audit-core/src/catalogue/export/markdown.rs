//! For an auditor.

use std::fmt::Write as _;

use super::super::{Catalogue, CatalogueAction, CatalogueField};
use super::{facts, seen, unacknowledged};

pub(super) fn of(catalogue: &Catalogue) -> String {
    let mut out = String::from("# What is recorded\n\n");
    let Catalogue { actions, types, errors, exemptions } = catalogue;
    let counts = [
        (actions.len(), "action"),
        (types.len(), "classified type"),
        (errors.len(), "error with reasons"),
        (exemptions.len(), "exemption"),
    ];
    let counts = counts.map(|(count, what)| format!("{what}: {count}"));
    let _ = writeln!(out, "{}\n", counts.join(", "));
    out.push_str("| action | what happened | recorded by | if the record cannot be written |\n|---|---|---|---|\n");
    for action in actions {
        let what = action.doc.as_deref().unwrap_or_default();
        let by = format!("{} `{}::{}`", action.origin.as_str(), action.place.module, action.place.item);
        let _ = writeln!(out, "| `{}` | {} | {by} | {} |", action.action, cell(what), unacknowledged(action));
    }
    for action in actions {
        of_action(&mut out, action);
    }
    if !types.is_empty() {
        out.push_str("\n## Classified types\n\nWherever one of these is captured, this is what its fields show.\n");
        for ty in types {
            let _ = writeln!(out, "\n### `{}::{}`\n", ty.module, ty.name);
            fields(&mut out, &ty.fields);
        }
    }
    if !errors.is_empty() {
        out.push_str("\n## Reasons and codes\n\n| error | denied because | failed with |\n|---|---|---|\n");
        for error in errors {
            let (reasons, codes) = (codes(&error.reasons), codes(&error.codes));
            let _ = writeln!(out, "| `{}::{}` | {reasons} | {codes} |", error.module, error.name);
        }
    }
    if !exemptions.is_empty() {
        out.push_str("\n## Not audited, on purpose\n\n| function | why |\n|---|---|\n");
        for exemption in exemptions {
            let _ = writeln!(
                out,
                "| `{}::{}` | {} |",
                exemption.place.module,
                exemption.place.item,
                cell(&exemption.reason)
            );
        }
    }
    out
}

fn of_action(out: &mut String, action: &CatalogueAction) {
    let _ = writeln!(out, "\n## `{}`\n", action.action);
    if let Some(doc) = &action.doc {
        let _ = writeln!(out, "{}\n", cell(doc));
    }
    let place = &action.place;
    let _ = writeln!(
        out,
        "- {} `{}::{}`, {}:{}, package {}",
        action.origin.as_str(),
        place.module,
        place.item,
        place.file,
        place.line,
        place.package
    );
    for (name, fact) in facts(action) {
        let _ = writeln!(out, "- {name}: {}", cell(&fact));
    }
    if !action.fields.is_empty() {
        out.push('\n');
        fields(out, &action.fields);
    }
}

fn fields(out: &mut String, fields: &[CatalogueField]) {
    if fields.is_empty() {
        out.push_str("No fields.\n");
        return;
    }
    out.push_str("| field | type | shown | class |\n|---|---|---|---|\n");
    for field in fields {
        let ty = field.ty.as_ref().map(|ty| format!("`{}`", ty.replace('|', "\\|"))).unwrap_or_default();
        let mode = field.mode.as_ref().map(|mode| format!(" (`{}`)", mode.replace('|', "\\|"))).unwrap_or_default();
        let class = cell(field.class.as_deref().unwrap_or_default());
        let _ = writeln!(out, "| `{}` | {ty} | {}{mode} | {class} |", field.key.replace('|', "\\|"), seen(field));
    }
}

fn codes(codes: &[String]) -> String {
    codes.iter().map(|code| format!("`{code}`")).collect::<Vec<_>>().join(", ")
}

/// Text that is nothing but text, wherever it stands.
fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.trim().char_indices() {
        match c {
            '|' | '*' | '_' | '[' | ']' | '\\' | '`' | '~' | '#' | '!' => out.extend(['\\', c]),
            // At the beginning these would make a list, a quotation or a line.
            '-' | '+' | '>' | '=' if at == 0 => out.extend(['\\', c]),
            '0'..='9' if at == 0 && is_numbered(text.trim()) => out.extend(["&#", &u32::from(c).to_string(), ";"]),
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// Whether it would be an item of a numbered list.
fn is_numbered(text: &str) -> bool {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    rest.starts_with(". ") || rest.starts_with(") ")
}

#[cfg(test)]
mod tests {
    use super::super::tests::example;

    #[test]
    fn text_is_no_markup() {
        for (text, written) in [
            ("```text", "\\`\\`\\`text"),
            ("# Not a heading", "\\# Not a heading"),
            ("- no list", "\\- no list"),
            ("1. no list", "&#49;. no list"),
            ("> said", "\\> said"),
            ("1.2", "1.2"),
            ("a-b > c | d", "a-b > c \\| d"),
            ("~~gone~~ ![x](y)", "\\~\\~gone\\~\\~ \\!\\[x\\](y)"),
        ] {
            assert_eq!(super::cell(text), written);
        }
    }

    #[test]
    fn an_auditor_reads_what_is_shown_and_what_happens_without_a_record() {
        let text = example().to_markdown();
        for line in [
            "| `account.transfer` | Moves money &lt;b>\\|now\\|&lt;/b>. | function `bank::api::transfer` | the call is refused |",
            "- formerly: account.send",
            "| `memo` | `String` | nothing (`drop`) |  |",
            "| `bank::api::BankError` | `missing_scope` | `ledger` |",
            "| `bank::api::healthz` | no data &amp; no caller |",
            "- state: deprecated",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }
}
