//! Image references, taken apart as container tooling does it: registry, path, tag, digest.
//!
//! References without a registry are given `docker.io`, as Kyverno's default configuration does. Deliberately absent:
//! asking a registry.

use palisade_model::Map;

/// The parts of an image reference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageReference {
    /// Host of the registry, with its port.
    pub registry: String,
    /// Repository path, image name included.
    pub path: String,
    /// Image name: the last part of the path.
    pub name: String,
    /// Tag; `latest` where neither tag nor digest is given.
    pub tag: String,
    /// Digest, such as `sha256:...`; empty where absent.
    pub digest: String,
}

impl ImageReference {
    /// Takes a reference apart.
    pub fn parse(image: &str) -> Result<Self, String> {
        let full = with_registry(image);
        let (rest, digest) = full.split_once('@').map_or((&*full, ""), |(rest, digest)| (rest, digest));
        let (registry, remainder) = rest.split_once('/').ok_or("it has no path")?;
        let (path, tag) = match remainder.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') => (path, tag),
            _ => (remainder, ""),
        };
        if !is_domain(registry) {
            return Err(format!("`{registry}` is not a registry"));
        }
        if path.chars().any(char::is_uppercase) {
            return Err("repository name must be lowercase".into());
        }
        if path.len() + registry.len() > 255 || !path.split('/').all(is_path_component) {
            return Err("invalid reference format".into());
        }
        if (remainder.ends_with(':') && tag.is_empty()) || !(tag.is_empty() || is_tag(tag)) {
            return Err(format!("`{tag}` is not a tag"));
        }
        if full.contains('@') && !is_digest(digest) {
            return Err(format!("`{digest}` is not a digest"));
        }
        Ok(Self {
            registry: registry.into(),
            path: path.into(),
            name: path.rsplit('/').next().unwrap_or_default().into(),
            tag: if tag.is_empty() && digest.is_empty() { "latest".into() } else { tag.into() },
            digest: digest.into(),
        })
    }

    /// Registry, path and digest, or the tag where there is no digest.
    pub fn reference(&self) -> String {
        let Self { registry, path, tag, digest, .. } = self;
        if digest.is_empty() { format!("{registry}/{path}:{tag}") } else { format!("{registry}/{path}@{digest}") }
    }

    /// As the variables `images` and `image` show it; empty parts are left out.
    pub fn to_map(&self) -> Map {
        let with_tag = format!("{}/{}:{}", self.registry, self.path, self.tag);
        let parts = [
            ("registry", self.registry.clone()),
            ("name", self.name.clone()),
            ("path", self.path.clone()),
            ("tag", self.tag.clone()),
            ("digest", self.digest.clone()),
            ("reference", self.reference()),
            ("referenceWithTag", with_tag),
        ];
        let kept = |(key, text): &(&str, String)| !text.is_empty() || matches!(*key, "name" | "path");
        parts.into_iter().filter(kept).map(|(key, text)| (key.into(), text.into())).collect()
    }
}

fn with_registry(image: &str) -> String {
    let first = image.split_once('/').map(|(first, _)| first);
    let is_registry = |first: &str| first.contains(['.', ':']) || first == "localhost" || first.to_lowercase() != first;
    match first {
        Some(first) if is_registry(first) => image.to_owned(),
        _ => format!("docker.io/{image}"),
    }
}

fn is_domain(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (text, None),
    };
    let digits = |port: &str| !port.is_empty() && port.chars().all(|c| c.is_ascii_digit());
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host_fits = match address {
        Some(address) => !address.is_empty() && address.chars().all(|c| c.is_ascii_hexdigit() || c == ':'),
        None => host.split('.').all(label),
    };
    host_fits && port.is_none_or(digits)
}

/// Lowercase letters and digits, separated by `.`, `_`, `__` or any number of `-`.
fn is_path_component(text: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separators = text.split(alphanumeric).filter(|separator| !separator.is_empty());
    let separator_fits = |separator: &str| matches!(separator, "." | "_" | "__") || separator.chars().all(|c| c == '-');
    text.starts_with(alphanumeric) && text.ends_with(alphanumeric) && separators.into_iter().all(separator_fits)
}

fn is_tag(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.len() <= 128 && text.starts_with(word) && text.chars().all(|c| word(c) || c == '.' || c == '-')
}

fn is_digest(text: &str) -> bool {
    text.split_once(':').is_some_and(|(algorithm, hex)| {
        let hex_digits = hex.chars().all(|c| c.is_ascii_hexdigit());
        let length = match algorithm {
            "sha256" => hex.len() == 64,
            "sha384" => hex.len() == 96,
            "sha512" => hex.len() == 128,
            _ => hex.len() >= 32,
        };
        hex_digits && length && algorithm.starts_with(|c: char| c.is_ascii_alphabetic())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_taken_apart() {
        let parse =
            |image| ImageReference::parse(image).map(|image| (image.registry, image.path, image.tag, image.digest));
        let parts =
            |registry: &str, path: &str, tag: &str| Ok((registry.into(), path.into(), tag.into(), String::new()));
        assert_eq!(parse("nginx"), parts("docker.io", "nginx", "latest"));
        assert_eq!(parse("localhost:5000/a/b:1"), parts("localhost:5000", "a/b", "1"));
        assert_eq!(parse("Host/app"), parts("Host", "app", "latest"));
        assert_eq!(parse("ghcr.io/org/app:v1.0"), parts("ghcr.io", "org/app", "v1.0"));
        let digest = format!("sha256:{}", "a".repeat(64));
        let image = ImageReference::parse(&format!("app@{digest}")).unwrap();
        assert_eq!((image.tag.as_str(), image.reference()), ("", format!("docker.io/app@{digest}")));
        for wrong in ["", "UPPER", "a:", "a:b c", "a@sha256:12", "a//b", "-a", "a..b"] {
            assert!(ImageReference::parse(wrong).is_err(), "{wrong}");
        }
    }
}
