//! Container image references as Kyverno's legacy engine reads them: registry, path, name, tag, digest.
//!
//! The grammar is that of Docker's `distribution/reference`, after a default registry has been put in front of names
//! that have none. Kyverno's CEL library reads references by other rules (go-containerregistry), which live beside
//! that library.

use std::fmt;

use crate::{Map, Value};

/// The registry of images that name none.
pub const DEFAULT_REGISTRY: &str = "docker.io";

/// The parts of an image reference. Absent parts are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ImageReference {
    /// Host of the registry, with its port: `ghcr.io`, `localhost:5000`.
    pub registry: String,
    /// Repository within the registry: `library/nginx`.
    pub path: String,
    /// Last part of the path: `nginx`.
    pub name: String,
    /// Tag; `latest` where neither tag nor digest is given.
    pub tag: String,
    /// Digest with its algorithm: `sha256:...`.
    pub digest: String,
}

impl ImageReference {
    /// Reads a reference, with `docker.io` as the default registry.
    pub fn parse(image: &str) -> Result<Self, String> {
        Self::parse_with(image, DEFAULT_REGISTRY)
    }

    /// Reads a reference, with a default registry (which may carry a path prefix).
    pub fn parse_with(image: &str, default_registry: &str) -> Result<Self, String> {
        let full = with_registry(image, default_registry);
        let bad = |reason: &str| format!("bad image `{full}`: {reason}");
        let (rest, digest) = full.split_once('@').map_or((full.as_str(), ""), |(rest, digest)| (rest, digest));
        if full.contains('@') {
            check_digest(digest).map_err(bad)?;
        }
        let (repository, tag) = split_tag(rest);
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(bad("invalid reference format"));
        }
        let (registry, path) = split_repository(repository).ok_or_else(|| {
            let lowercase = split_repository(&repository.to_lowercase()).is_some();
            bad(if lowercase { "repository name must be lowercase" } else { "invalid reference format" })
        })?;
        if path.len() > 255 {
            return Err(bad("repository name must not be more than 255 characters"));
        }
        let tag = match tag {
            Some(tag) => tag,
            None if digest.is_empty() => "latest",
            None => "",
        };
        Ok(Self {
            name: path.rsplit('/').next().unwrap_or(path).to_owned(),
            registry: registry.to_owned(),
            path: path.to_owned(),
            tag: tag.to_owned(),
            digest: digest.to_owned(),
        })
    }

    /// `registry/path`.
    pub fn repository(&self) -> String {
        if self.registry.is_empty() { self.path.clone() } else { format!("{}/{}", self.registry, self.path) }
    }

    /// `registry/path:tag`, even where the tag is empty.
    pub fn reference_with_tag(&self) -> String {
        format!("{}:{}", self.repository(), self.tag)
    }

    /// The members of an entry of Kyverno's `images` variable; empty parts are left out as there.
    pub fn to_map(&self) -> Map {
        let (reference, with_tag) = (self.to_string(), self.reference_with_tag());
        let optional = |key: &str| !matches!(key, "name" | "path");
        [
            ("registry", &self.registry),
            ("name", &self.name),
            ("path", &self.path),
            ("tag", &self.tag),
            ("digest", &self.digest),
            ("reference", &reference),
            ("referenceWithTag", &with_tag),
        ]
        .into_iter()
        .filter(|(key, text)| !text.is_empty() || !optional(key))
        .map(|(key, text)| (key.into(), Value::from(text.as_str())))
        .collect()
    }
}

impl fmt::Display for ImageReference {
    /// `registry/path@digest`, or `registry/path:tag` without a digest.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.digest.is_empty() {
            write!(f, "{}:{}", self.repository(), self.tag)
        } else {
            write!(f, "{}@{}", self.repository(), self.digest)
        }
    }
}

/// Puts the default registry in front, unless the first part looks like a host.
fn with_registry(image: &str, default_registry: &str) -> String {
    let is_host = |part: &str| part.contains(['.', ':']) || part == "localhost" || part.to_lowercase() != part;
    match image.split_once('/') {
        Some((first, _)) if is_host(first) => image.to_owned(),
        _ => format!("{default_registry}/{image}"),
    }
}

/// The tag stands behind the last colon that no slash follows.
fn split_tag(rest: &str) -> (&str, Option<&str>) {
    match rest.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
        _ => (rest, None),
    }
}

/// Registry and path. The whole is a path where the first part cannot be a host, except that Kyverno takes a first
/// part with an underscore for one.
fn split_repository(repository: &str) -> Option<(&str, &str)> {
    match repository.split_once('/') {
        Some((host, path)) if is_path(path) && (is_host(host) || host.contains('_') && is_path(host)) => {
            Some((host, path))
        }
        _ => is_path(repository).then_some(("", repository)),
    }
}

fn is_host(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (text, None),
    };
    let digits = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let ipv6 = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let named = match ipv6 {
        Some(address) => !address.is_empty() && address.bytes().all(|byte| byte == b':' || byte.is_ascii_hexdigit()),
        None => host.split('.').all(is_host_label),
    };
    named && port.is_none_or(digits)
}

fn is_host_label(label: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && label.bytes().all(inner)
}

fn is_path(path: &str) -> bool {
    path.split('/').all(is_path_component)
}

/// Lower-case letters and digits, joined by one `.`, one or two `_`, or any number of `-`.
fn is_path_component(component: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let joined = |run: &str| matches!(run, "" | "." | "_" | "__") || run.bytes().all(|byte| byte == b'-');
    let bytes = component.as_bytes();
    bytes.first().is_some_and(|byte| word(*byte))
        && bytes.last().is_some_and(|byte| word(*byte))
        && component.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit()).all(joined)
}

fn is_tag(tag: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    tag.len() <= 128
        && tag.bytes().next().is_some_and(word)
        && tag.bytes().all(|byte| word(byte) || matches!(byte, b'.' | b'-'))
}

fn check_digest(digest: &str) -> Result<(), &'static str> {
    let Some((algorithm, hex)) = digest.split_once(':') else { return Err("invalid reference format") };
    if hex.len() < 32 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err("invalid reference format");
    }
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return Err("unsupported digest algorithm"),
    };
    if hex.len() != length {
        return Err("invalid checksum digest length");
    }
    if hex.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err("invalid checksum digest format");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    const DIGEST: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";

    fn parts(image: &str) -> [String; 5] {
        let image = ImageReference::parse(image).unwrap();
        [image.registry, image.path, image.name, image.tag, image.digest]
    }

    #[test]
    fn parts_and_defaults() {
        assert_eq!(parts("nginx"), ["docker.io", "nginx", "nginx", "latest", ""]);
        assert_eq!(parts("team/app:1.2"), ["docker.io", "team/app", "app", "1.2", ""]);
        assert_eq!(parts("localhost/app"), ["localhost", "app", "app", "latest", ""]);
        assert_eq!(parts("localhost:5000/a/b:x"), ["localhost:5000", "a/b", "b", "x", ""]);
        assert_eq!(parts("my_registry.io/a/b:x"), ["my_registry.io", "a/b", "b", "x", ""]);
        assert_eq!(parts("[::1]:5000/a"), ["[::1]:5000", "a", "a", "latest", ""]);
        assert_eq!(parts(&format!("ghcr.io/a/b@{DIGEST}")), ["ghcr.io", "a/b", "b", "", DIGEST]);
        assert_eq!(parts(&format!("ghcr.io/a/b:1@{DIGEST}")), ["ghcr.io", "a/b", "b", "1", DIGEST]);
        assert_eq!(ImageReference::parse_with("a/b", "quay.io/mirror").unwrap().repository(), "quay.io/mirror/a/b");
    }

    #[test]
    fn malformed_references_are_refused() {
        for (image, reason) in [
            ("++", "invalid reference format"),
            ("", "invalid reference format"),
            ("nginx:", "invalid reference format"),
            ("nginx:-x", "invalid reference format"),
            ("Nginx", "repository name must be lowercase"),
            ("a..b", "invalid reference format"),
            ("a___b", "invalid reference format"),
            ("nginx@sha256:12", "invalid reference format"),
            ("nginx@md5:11111111111111111111111111111111", "unsupported digest algorithm"),
            ("nginx@sha256:11111111111111111111111111111111", "invalid checksum digest length"),
            ("nginx @x", "invalid reference format"),
        ] {
            let error = ImageReference::parse(image).unwrap_err();
            assert!(error.ends_with(reason), "{image}: {error}");
        }
    }

    #[test]
    fn the_json_shape_is_kyvernos() {
        let image = ImageReference::parse("ghcr.io/a/b").unwrap();
        assert_eq!(
            Value::object(image.to_map()),
            json!({
                "registry": "ghcr.io", "name": "b", "path": "a/b", "tag": "latest",
                "reference": "ghcr.io/a/b:latest", "referenceWithTag": "ghcr.io/a/b:latest"
            })
        );
        let pinned = ImageReference::parse(&format!("a@{DIGEST}")).unwrap();
        assert_eq!(pinned.reference_with_tag(), "docker.io/a:");
        assert_eq!(pinned.to_string(), format!("docker.io/a@{DIGEST}"));
    }
}
