//! Names that a misspelt one may have meant.

/// The options that are close to `given`, closest first.
pub(crate) fn close_names(given: &str, options: impl Iterator<Item = impl AsRef<str>>) -> Vec<String> {
    let limit = given.chars().count() * 2 / 5 + 1;
    let mut found: Vec<(usize, String)> = options
        .map(|option| (distance(given, option.as_ref()), option.as_ref().to_owned()))
        .filter(|(distance, _)| *distance <= limit)
        .collect();
    found.sort_by_key(|(distance, _)| *distance);
    found.into_iter().map(|(_, option)| option).collect()
}

/// ` Did you mean "a" or "b"?`, or nothing.
pub(crate) fn did_you_mean(what: &str, names: &[String]) -> String {
    const MOST: usize = 5;
    let quoted: Vec<String> = names.iter().take(MOST).map(|name| format!("{name:?}")).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [one] => format!(" Did you mean{what} {one}?"),
        [one, other] => format!(" Did you mean{what} {one} or {other}?"),
        [most @ .., last] => format!(" Did you mean{what} {}, or {last}?", most.join(", ")),
    }
}

/// How many letters must be changed, added, dropped or swapped with their neighbour; case counts once.
fn distance(left: &str, right: &str) -> usize {
    if left == right {
        return 0;
    }
    let (left, right): (Vec<char>, Vec<char>) =
        (left.to_lowercase().chars().collect(), right.to_lowercase().chars().collect());
    if left == right {
        return 1;
    }
    let mut rows: Vec<Vec<usize>> = vec![(0..=right.len()).collect()];
    for (i, a) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let at = |back: usize, column: usize| {
                let row = (i + 1).checked_sub(back).and_then(|at| rows.get(at));
                row.and_then(|row| row.get(column)).copied().unwrap_or(usize::MAX / 2)
            };
            let mut best =
                (at(1, j + 1) + 1).min(row.last().copied().unwrap_or(0) + 1).min(at(1, j) + usize::from(a != b));
            let swapped = i > 0 && j > 0 && left.get(i - 1) == Some(b) && right.get(j - 1) == Some(a);
            if swapped {
                best = best.min(at(2, j - 1) + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows.last().and_then(|row| row.last()).copied().unwrap_or(0)
}
