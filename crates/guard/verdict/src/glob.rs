//! Which files a pattern means, by the rules that people know from `.gitignore`.
//!
//! A pattern without a slash matches a name at any depth; one with a slash starts at the root; `*` and `?` stay within
//! a name, `**` stands for any number of folders; whatever is below a matched folder is matched too. Deliberately
//! absent: negation and character classes.

use palisade_model::{Str, wildcard};

/// A pattern for paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    segments: Vec<Str>,
}

impl From<&str> for Glob {
    fn from(pattern: &str) -> Self {
        let anchored = pattern.trim_end_matches('/').contains('/');
        let mut written = pattern.split('/').filter(|segment| !matches!(*segment, "" | ".")).peekable();
        let anywhere = (!anchored && written.peek().is_some()).then_some("**");
        let mut segments: Vec<Str> = anywhere.into_iter().chain(written).map(Str::from).collect();
        segments.dedup_by(|a, b| **a == **b && **a == *"**");
        Self { segments }
    }
}

impl Glob {
    /// Whether `path` (relative, separated by slashes) or a folder that it is in matches.
    pub fn matches(&self, path: &str) -> bool {
        let path: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let (mut at, mut here) = (0, 0);
        // Where to resume after a mismatch: behind the last `**`, one path segment further than before.
        let mut resume: Option<(usize, usize)> = None;
        loop {
            let (expected, found) = (self.segments.get(at), path.get(here));
            match (expected, found) {
                (Some(expected), _) if &**expected == "**" => {
                    at += 1;
                    resume = Some((at, here));
                }
                // The whole pattern is used up: a folder above the rest of the path matched.
                (None, _) => return !self.segments.is_empty(),
                (Some(expected), Some(found)) if wildcard::matches(expected, found) => {
                    at += 1;
                    here += 1;
                }
                _ => {
                    let Some((after, from)) = &mut resume else { return false };
                    *from += 1;
                    if *from > path.len() {
                        return false;
                    }
                    (at, here) = (*after, *from);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_gitignore() {
        for (pattern, path, expected) in [
            ("legacy/**", "legacy/a/b.yaml", true),
            ("legacy", "apps/legacy/b.yaml", true),
            ("legacy/", "legacy/b.yaml", true),
            ("/legacy", "apps/legacy/b.yaml", false),
            ("apps/legacy", "apps/legacy/b.yaml", true),
            ("apps/legacy", "more/apps/legacy/b.yaml", false),
            ("**/legacy/*.yaml", "a/b/legacy/c.yaml", true),
            ("a/**/z.yaml", "a/z.yaml", true),
            ("a/**/z.yaml", "a/b/c/z.yaml", true),
            ("a/**/z.yaml", "b/z.yaml", false),
            ("*.yaml", "a/b/c.yaml", true),
            ("*.yaml", "a/b/c.json", false),
            ("a/*", "a/b/c.yaml", true),
            ("a?c/x", "abc/x", true),
            ("", "a", false),
            ("**", "a/b", true),
            ("../x", "x", false),
            ("legacy", "legacy-not/b.yaml", false),
        ] {
            assert_eq!(Glob::from(pattern).matches(path), expected, "{pattern} ~ {path}");
        }
    }

    #[test]
    fn hostile_patterns_stay_cheap() {
        let pattern = Glob::from(&*format!("{}b", "**/a/".repeat(2_000)));
        assert!(!pattern.matches(&"a/".repeat(5_000)));
    }
}
