//! The name that was probably meant.

/// The candidate nearest to `name`, if it is near enough to be a slip of the keyboard.
pub fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let limit = name.chars().count().min(9) / 3;
    candidates
        .filter(|candidate| candidate.len().abs_diff(name.len()) <= limit)
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance, case ignored.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (at, left) in a.to_lowercase().chars().enumerate() {
        let mut diagonal = at;
        let mut previous = at + 1;
        for (cell, right) in row.iter_mut().skip(1).zip(&b) {
            let substituted = diagonal + usize::from(left != *right);
            diagonal = *cell;
            previous = substituted.min(previous + 1).min(*cell + 1);
            *cell = previous;
        }
        if let Some(first) = row.first_mut() {
            *first = at + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        let names = ["startsWith", "endsWith", "split", "size"];
        assert_eq!(nearest("startswith", names.into_iter()), Some("startsWith"));
        assert_eq!(nearest("splt", names.into_iter()), Some("split"));
        assert_eq!(nearest("frobnicate", names.into_iter()), None);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
