//! TypeScript.

use std::fmt::Write as _;

use super::super::Catalogue;
use super::detail;
use super::shape::Shape;

pub(super) fn of(catalogue: &Catalogue) -> String {
    let mut out = String::from("// The details of the records, by action. Made from the catalogue.\n\n");
    out.push_str("export interface Details {\n");
    for (at, action) in catalogue.actions.iter().enumerate() {
        // A name that several places share stands there once.
        if at > 0 && catalogue.actions[at - 1].action == action.action {
            continue;
        }
        if let Some(doc) = &action.doc {
            let _ = writeln!(out, "  /** {} */", doc.replace("*/", "* /"));
        }
        let _ = writeln!(out, "  {}: {{", quoted(&action.action));
        for field in detail(action) {
            let _ = writeln!(out, "    {}?: {};", quoted(&field.key), shape(&Shape::of(field)));
        }
        out.push_str("  };\n");
    }
    out.push_str("}\n\nexport type Action = keyof Details;\n");
    out
}

/// Where a policy or a bound can step in, a text or an object can stand instead.
fn shape(of: &Shape) -> String {
    match of {
        Shape::Unknown => "unknown".to_owned(),
        Shape::Integer | Shape::Number => "number | string".to_owned(),
        Shape::Bool => "boolean | string".to_owned(),
        Shape::Text => "string".to_owned(),
        Shape::Redacted => "\"<redacted>\"".to_owned(),
        Shape::Maybe(inner) => format!("{} | null", shape(inner)),
        Shape::List(item) => format!("Array<{}> | object | string", shape(item)),
    }
}

/// A string of JSON is one of TypeScript.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::super::tests::example;

    #[test]
    fn each_action_is_a_key() {
        let text = example().to_typescript();
        for line in [
            "  \"account.transfer\": {",
            "    \"cents\"?: number | string;",
            "    \"memo\"?: \"<redacted>\";",
            "    \"codes\"?: Array<string> | object | string | null;",
            "    \"to be\"?: unknown;",
            "export type Action = keyof Details;",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }
}
