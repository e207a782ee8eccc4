//! What JSON a field is, as far as its type tells.

use super::super::CatalogueField;

/// The JSON of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Unknown,
    Integer,
    Number,
    Bool,
    Text,
    /// The mark of a dropped value.
    Redacted,
    Maybe(Box<Shape>),
    List(Box<Shape>),
}

impl Shape {
    pub(super) fn of(field: &CatalogueField) -> Self {
        let mode = field.mode.as_deref().unwrap_or("plain");
        match mode.split('(').next().unwrap_or_default() {
            "drop" => Self::Redacted,
            "plain" => field.ty.as_deref().map_or(Self::Unknown, of_type),
            "hash" | "len" | "present" => Self::Text,
            // Of a list each item is shown in part.
            _ => Self::Unknown,
        }
    }
}

/// The types that nobody calls otherwise. What stands in a name of more than one segment is looked at by its last.
fn of_type(ty: &str) -> Shape {
    let ty = ty.trim_start_matches('&').trim_start();
    let ty = if ty.starts_with('\'') { ty.split_once(' ').map_or(ty, |(_, rest)| rest) } else { ty };
    if let Some(item) = ty.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return Shape::List(Box::new(of_type(item.split(';').next().unwrap_or(item))));
    }
    let (name, arguments) = match ty.split_once('<') {
        Some((name, rest)) => (name, rest.strip_suffix('>')),
        None => (ty, None),
    };
    let one = || arguments.filter(|arguments| !at_top_level(arguments, ',')).map(of_type).map(Box::new);
    match name.rsplit("::").next().unwrap_or(name) {
        "u8" | "u16" | "u32" | "u64" | "u128" | "usize" | "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => {
            Shape::Integer
        }
        "f32" | "f64" => Shape::Number,
        "bool" => Shape::Bool,
        "String" | "str" | "char" | "Uuid" => Shape::Text,
        "Option" => one().map_or(Shape::Unknown, Shape::Maybe),
        "Vec" | "VecDeque" | "BTreeSet" | "HashSet" => one().map_or(Shape::Unknown, Shape::List),
        "Box" | "Arc" | "Rc" => one().map_or(Shape::Unknown, |inner| *inner),
        _ => Shape::Unknown,
    }
}

fn at_top_level(text: &str, wanted: char) -> bool {
    let mut depth = 0_i32;
    text.chars().any(|c| {
        depth += i32::from(matches!(c, '<' | '(' | '[')) - i32::from(matches!(c, '>' | ')' | ']'));
        depth == 0 && c == wanted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_types_are_told_and_others_are_not() {
        assert_eq!(of_type("&'a str"), Shape::Text);
        assert_eq!(
            of_type("std::option::Option<Vec<u8>>"),
            Shape::Maybe(Box::new(Shape::List(Box::new(Shape::Integer))))
        );
        assert_eq!(of_type("[bool; 4]"), Shape::List(Box::new(Shape::Bool)));
        assert_eq!(of_type("Box<f64>"), Shape::Number);
        for unknown in ["AccountId", "HashMap<u8, u8>", "Vec<(u8, u8), A>", "Option", "T", "(u8, u8)"] {
            assert_eq!(of_type(unknown), Shape::Unknown, "{unknown}");
        }
    }
}
