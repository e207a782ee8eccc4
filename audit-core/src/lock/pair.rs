//! Which of the new names may be those of what is gone.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

/// One thing and its name.
type Named<'a, T> = (&'a str, &'a T);

/// Takes the pairs that agree by `key`, where only one of each side has it, from both sides: (gone, new).
///
/// What has no key is left out.
pub(super) fn pair<'a, T, K: Eq + Hash>(
    gone: &mut Vec<Named<'a, T>>,
    fresh: &mut Vec<Named<'a, T>>,
    key: impl Fn(&'a str, &'a T) -> Option<K>,
) -> Vec<(Named<'a, T>, Named<'a, T>)> {
    let (by_gone, by_fresh) = (by_key(gone, &key), by_key(fresh, &key));
    let mut pairs: Vec<_> = by_gone
        .iter()
        .filter_map(|(key, olds)| match (&olds[..], &by_fresh.get(key)?[..]) {
            ([old], [new]) => Some((*old, *new)),
            _ => None,
        })
        .collect();
    // The order of a hash map is nobody's.
    pairs.sort_by_key(|((old, _), _)| *old);
    let paired: HashSet<_> = pairs.iter().map(|((old, _), _)| *old).collect();
    gone.retain(|(name, _)| !paired.contains(name));
    let paired: HashSet<_> = pairs.iter().map(|(_, (new, _))| *new).collect();
    fresh.retain(|(name, _)| !paired.contains(name));
    pairs
}

fn by_key<'a, T, K: Eq + Hash>(
    all: &[(&'a str, &'a T)],
    key: impl Fn(&'a str, &'a T) -> Option<K>,
) -> HashMap<K, Vec<(&'a str, &'a T)>> {
    let mut by_key: HashMap<K, Vec<_>> = HashMap::new();
    for (name, one) in all {
        if let Some(key) = key(name, one) {
            by_key.entry(key).or_default().push((*name, *one));
        }
    }
    by_key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_clear_is_paired() {
        let mut gone = vec![("a", &1), ("b", &2), ("c", &2), ("d", &4)];
        let mut fresh = vec![("x", &1), ("y", &2), ("z", &5)];
        let pairs = pair(&mut gone, &mut fresh, |_, number| Some(*number));
        assert_eq!(pairs, [(("a", &1), ("x", &1))]);
        assert_eq!(gone, [("b", &2), ("c", &2), ("d", &4)]);
        assert_eq!(fresh, [("y", &2), ("z", &5)]);
    }
}
