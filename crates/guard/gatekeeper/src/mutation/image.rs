//! The parts of an image that AssignImage replaces: domain, path, and tag or digest with its separator.

use palisade_gotext::go_regex;

const DOMAIN: &str = r"(^\w[\w\-_]*\.[\w\-_\.]*[\w](:\d+)?$)|(^localhost(:\d+)?$)";
const PATH: &str = r"^[a-z0-9]+(?:(?:(?:[._/]|__|[-]*)[a-z0-9]+)+)?$";
const TAG: &str = r"(^:[\w][\w.-]{0,127}$)|(^@[A-Za-z][A-Za-z0-9]*([-_+.][A-Za-z][A-Za-z0-9]*)*[:][0-9A-Fa-f]{32,}$)";

/// Parts of an image; empty ones are left as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ImageParts {
    pub(super) domain: String,
    pub(super) path: String,
    pub(super) tag: String,
}

impl ImageParts {
    /// What is wrong with the parts. They must not run into one another, or assigning would never settle.
    pub(super) fn check(&self) -> Result<(), String> {
        if *self == Self::default() {
            return Err("at least one of `assignDomain`, `assignPath` and `assignTag` must be set".into());
        }
        let parts =
            [("assignDomain", &self.domain, DOMAIN), ("assignPath", &self.path, PATH), ("assignTag", &self.tag, TAG)];
        for (field, text, pattern) in parts {
            let fits = text.is_empty() || go_regex::compile(pattern)?.is_match(text);
            if !fits {
                return Err(format!("`{field}` must match `{pattern}`, which `{text}` does not"));
            }
        }
        match split_domain(&self.path) {
            (domain, _) if self.domain.is_empty() && !domain.is_empty() => {
                Err(format!("`assignPath` begins with what reads as a domain, `{domain}`; set `assignDomain` too"))
            }
            _ => Ok(()),
        }
    }

    /// The image with these parts.
    pub(super) fn assign(&self, image: &str) -> String {
        let (domain, rest) = split_domain(image);
        let (path, tag) = rest.split_at_checked(rest.find([':', '@']).unwrap_or(rest.len())).unwrap_or((rest, ""));
        let pick = |new: &str, old: &str| if new.is_empty() { old.to_owned() } else { new.to_owned() };
        let domain = pick(&self.domain, domain);
        let slash = if domain.is_empty() { "" } else { "/" };
        format!("{domain}{slash}{}{}", pick(&self.path, path), pick(&self.tag, tag))
    }
}

/// The domain of an image, empty where it has none, and what follows.
fn split_domain(image: &str) -> (&str, &str) {
    match image.split_once('/') {
        Some((domain, rest)) if domain.contains(['.', ':']) || domain == "localhost" => (domain, rest),
        _ => ("", image),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(domain: &str, path: &str, tag: &str) -> ImageParts {
        ImageParts { domain: domain.into(), path: path.into(), tag: tag.into() }
    }

    #[test]
    fn given_parts_are_replaced() {
        for (assigned, image, expected) in [
            (parts("", "", ":v2"), "nginx", "nginx:v2"),
            (parts("", "", ":v2"), "nginx@sha256:abc", "nginx:v2"),
            (parts("ghcr.io", "", ""), "library/nginx:1", "ghcr.io/library/nginx:1"),
            (parts("ghcr.io", "", ""), "docker.io/library/nginx:1", "ghcr.io/library/nginx:1"),
            (parts("", "my/repo", ""), "localhost:5000/nginx:1", "localhost:5000/my/repo:1"),
        ] {
            assert_eq!(assigned.assign(image), expected);
            assert_eq!(assigned.assign(expected), expected, "assigning settles");
        }
    }

    #[test]
    fn parts_that_would_not_settle_are_refused() {
        for broken in [
            parts("", "", ""),
            parts("", "", "v2"),
            parts("", "gcr.io/repo", ""),
            parts("nodots", "", ""),
            parts("", "repo:tag", ""),
        ] {
            assert!(broken.check().is_err(), "{broken:?}");
        }
        assert!(parts("a.io:80", "gcr.io/repo", ":v1").check().is_ok());
    }
}
