//! Gatekeeper's wildcards: a `*` at the beginning or at the end of a name.
//!
//! Not those of the model crate (Kyverno's): a star in the middle and `?` are ordinary characters here.

use palisade_model::Str;

/// A name with an optional `*` in front or behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wildcard(pub(crate) Str);

impl Wildcard {
    /// Whether the name of an object matches.
    pub(crate) fn matches(&self, name: &str) -> bool {
        match (self.0.strip_prefix('*'), self.0.strip_suffix('*')) {
            (Some(rest), Some(_)) => name.contains(rest.strip_suffix('*').unwrap_or(rest)),
            (Some(suffix), None) => name.ends_with(suffix),
            (None, Some(prefix)) => name.starts_with(prefix),
            (None, None) => *self.0 == *name,
        }
    }

    /// Whether any name that the API server may make of `generateName` matches: only a star behind leaves it room.
    pub(crate) fn matches_generated(&self, generate_name: &str) -> bool {
        !generate_name.is_empty() && self.0.ends_with('*') && self.matches(generate_name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_at_the_ends_only() {
        for (pattern, name, expected) in [
            ("kube-*", "kube-system", true),
            ("kube-*", "my-kube-system", false),
            ("*-system", "kube-system", true),
            ("*-system", "kube-systems", false),
            ("*sys*", "kube-system", true),
            ("*", "anything", true),
            ("k*m", "kube-system", false),
            ("k*m", "k*m", true),
            ("prod", "prod", true),
        ] {
            assert_eq!(Wildcard(pattern.into()).matches(name), expected, "{pattern} ~ {name}");
        }
        assert!(Wildcard("web-*".into()).matches_generated("web-"));
        assert!(!Wildcard("*-web".into()).matches_generated("my-web"));
    }
}
