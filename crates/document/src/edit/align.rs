//! Which items of a list correspond to which items of the wanted list.
//!
//! Lists of named objects (containers, ports, volumes) are matched by name, so that a new container does not look
//! like a change of all those behind it. Other lists are matched by equal items, and what lies between them by place.

use palisade_model::Value;

/// One step of turning the old list into the new one, by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The old item stays, perhaps with another value.
    Keep(usize, usize),
    /// The old item goes.
    Delete(usize),
    /// The new item comes.
    Insert(usize),
}

/// The largest table of comparisons that is worth its time and memory.
const MAX_TABLE: usize = 1 << 22;

pub(super) fn align(old: &[Value], new: &[Value]) -> Vec<Step> {
    let by_name = names(old) && names(new);
    let same = |a: &Value, b: &Value| if by_name { a.get("name") == b.get("name") } else { a == b };
    let head = old.iter().zip(new).take_while(|(a, b)| same(a, b)).count();
    let (rest_old, rest_new) = (old.get(head..).unwrap_or_default(), new.get(head..).unwrap_or_default());
    let tail = rest_old.iter().rev().zip(rest_new.iter().rev()).take_while(|(a, b)| same(a, b)).count();
    let (old_end, new_end) = (old.len() - tail, new.len() - tail);
    let middle = common(old.get(head..old_end).unwrap_or_default(), new.get(head..new_end).unwrap_or_default(), same);
    let mut steps: Vec<Step> = (0..head).map(|at| Step::Keep(at, at)).collect();
    let (mut o, mut n) = (head, head);
    for (a, b) in middle.into_iter().map(|(a, b)| (a + head, b + head)).chain([(old_end, new_end)]) {
        let paired = if by_name { 0 } else { (a - o).min(b - n) };
        steps.extend((0..paired).map(|at| Step::Keep(o + at, n + at)));
        steps.extend((o + paired..a).map(Step::Delete));
        steps.extend((n + paired..b).map(Step::Insert));
        if a < old_end {
            steps.push(Step::Keep(a, b));
        }
        (o, n) = (a + 1, b + 1);
    }
    steps.extend((0..tail).map(|at| Step::Keep(old_end + at, new_end + at)));
    steps
}

/// Whether every item is an object with a name of its own.
fn names(items: &[Value]) -> bool {
    let mut seen = std::collections::HashSet::new();
    items.iter().all(|item| item.get("name").and_then(Value::as_str).is_some_and(|name| seen.insert(name)))
}

/// A longest common subsequence, as pairs of indices.
fn common(old: &[Value], new: &[Value], same: impl Fn(&Value, &Value) -> bool) -> Vec<(usize, usize)> {
    let width = new.len() + 1;
    if old.is_empty() || new.is_empty() || (old.len() + 1).saturating_mul(width) > MAX_TABLE {
        return Vec::new();
    }
    let mut table = vec![0_u32; (old.len() + 1) * width];
    let at = |table: &[u32], o: usize, n: usize| table.get(o * width + n).copied().unwrap_or(0);
    for (o, a) in old.iter().enumerate().rev() {
        for (n, b) in new.iter().enumerate().rev() {
            let best =
                if same(a, b) { at(&table, o + 1, n + 1) + 1 } else { at(&table, o + 1, n).max(at(&table, o, n + 1)) };
            if let Some(slot) = table.get_mut(o * width + n) {
                *slot = best;
            }
        }
    }
    let (mut o, mut n) = (0, 0);
    let mut pairs = Vec::new();
    while let (Some(a), Some(b)) = (old.get(o), new.get(n)) {
        if same(a, b) {
            pairs.push((o, n));
            (o, n) = (o + 1, n + 1);
        } else if at(&table, o + 1, n) >= at(&table, o, n + 1) {
            o += 1;
        } else {
            n += 1;
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use Step::{Delete, Insert, Keep};

    fn steps(old: &str, new: &str) -> Vec<Step> {
        let list = |json| Value::from_json(json).unwrap();
        align(list(old).as_array().unwrap(), list(new).as_array().unwrap())
    }

    #[test]
    fn named_items_are_matched_by_name() {
        let old = r#"[{"name":"a","x":1},{"name":"b"}]"#;
        let new = r#"[{"name":"n"},{"name":"a","x":2},{"name":"b"}]"#;
        assert_eq!(steps(old, new), [Insert(0), Keep(0, 1), Keep(1, 2)]);
        assert_eq!(steps(new, old), [Delete(0), Keep(1, 0), Keep(2, 1)]);
    }

    #[test]
    fn other_items_are_matched_by_value_and_then_by_place() {
        assert_eq!(steps("[1,2,3]", "[1,3]"), [Keep(0, 0), Delete(1), Keep(2, 1)]);
        assert_eq!(steps("[1,2,3]", "[1,9,3,4]"), [Keep(0, 0), Keep(1, 1), Keep(2, 2), Insert(3)]);
        assert_eq!(steps("[]", "[1]"), [Insert(0)]);
        assert_eq!(steps("[1,2]", "[]"), [Delete(0), Delete(1)]);
    }
}
