//! Kyverno's wildcards: `*` stands for any run of characters (also none), `?` for exactly one.
//!
//! Here because kind selectors, patterns, conditions and label selectors all use them. There is no escape and no
//! character class, and a path separator is a character like any other. The matcher remembers the last `*` only, so
//! hostile patterns cost at most pattern length times text length, never an exponential search.

/// Whether `pattern` has a wildcard at all.
pub fn contains_wildcard(pattern: &str) -> bool {
    pattern.contains(['*', '?'])
}

/// Whether the whole of `text` matches `pattern`.
pub fn matches(pattern: &str, text: &str) -> bool {
    if !contains_wildcard(pattern) {
        return pattern == text;
    }
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    // Where to resume after a mismatch: the pattern behind the last `*`, and the text it has not swallowed yet.
    let mut resume: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
    loop {
        let mut ahead = text.clone();
        let (expected, found) = (pattern.next(), ahead.next());
        match (expected, found) {
            (Some('*'), _) => resume = Some((pattern.clone(), text.clone())),
            (None, None) => return true,
            (Some('?'), Some(_)) => text = ahead,
            (Some(expected), Some(found)) if expected == found => text = ahead,
            _ => {
                let Some((after_star, rest)) = &mut resume else { return false };
                if rest.next().is_none() {
                    return false;
                }
                pattern = after_star.clone();
                text = rest.clone();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_match() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("**", "", true),
            ("?", "", false),
            ("?", "é", true),
            ("?*", "", false),
            ("?*", "x", true),
            ("a*c", "abcbc", true),
            ("a*c", "abcbd", false),
            ("*:latest", "nginx:latest", true),
            ("*:latest", "nginx:latest2", false),
            ("registry/*/nginx?", "registry/a/b/nginx1", true),
            ("abc", "abc", true),
            ("abc", "ab", false),
            ("a?c*", "axc", true),
            ("*a", "ba*a", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} ~ {text}");
        }
        assert!(contains_wildcard("a?"));
        assert!(!contains_wildcard("a"));
    }

    #[test]
    fn hostile_patterns_stay_cheap() {
        let pattern = "*a".repeat(2_000) + "b";
        assert!(!matches(&pattern, &"a".repeat(5_000)));
    }
}
