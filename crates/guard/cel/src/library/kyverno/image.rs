//! `parseImageReference('ghcr.io/a/b:1')`, `image(...)`, `isImage(...)` and the parts of a reference.
//!
//! References are read as Google's go-containerregistry reads them, which is looser than Docker's grammar
//! ([`palisade_model::image_reference`]), calls Docker Hub `index.docker.io` and puts its bare names under `library/`.

use std::fmt;

use crate::library::textual::Textual;
use crate::library::{Call, Cost, Function, Library, mismatch};
use crate::{EvalError, Type, Val};

const DEFAULT_REGISTRY: &str = "index.docker.io";

/// An image reference in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageName {
    /// Host and port of the registry.
    pub registry: String,
    /// Repository within the registry.
    pub repository: String,
    /// Tag; `latest` where neither tag nor digest is given, empty with a digest alone.
    pub tag: String,
    /// Digest with its algorithm, or empty.
    pub digest: String,
    text: String,
}

impl ImageName {
    /// Reads a reference; `None` where it is malformed.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, check_digest(digest)?),
            None => (text, ""),
        };
        let (base, tag) = match name.rsplit_once(':') {
            Some((base, tag)) if !tag.contains('/') => (base, Some(tag)),
            _ => (name, None),
        };
        // In front of a digest a malformed tag is taken for part of the name, which then must be well formed.
        let (base, tag) = match tag {
            Some(tag) if is_tag(tag) => (base, tag),
            Some(_) if digest.is_empty() => return None,
            Some(_) => (name, ""),
            None if digest.is_empty() => (base, "latest"),
            None => (base, ""),
        };
        let (registry, repository) = split_repository(base)?;
        Some(Self { registry, repository, tag: tag.to_owned(), digest: digest.to_owned(), text: text.to_owned() })
    }

    /// The tag, the digest, or both joined by `@`.
    pub fn identifier(&self) -> String {
        match (self.tag.as_str(), self.digest.as_str()) {
            (tag, "") => tag.to_owned(),
            ("", digest) => digest.to_owned(),
            (tag, digest) => format!("{tag}@{digest}"),
        }
    }

    fn identifier_with_separator(&self) -> String {
        if self.digest.is_empty() { format!(":{}", self.tag) } else { format!("@{}", self.digest) }
    }
}

fn check_digest(digest: &str) -> Option<&str> {
    let hex = digest.strip_prefix("sha256:")?;
    let valid = hex.len() == 64 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    valid.then_some(digest)
}

fn is_tag(tag: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    (1..=128).contains(&tag.len()) && tag.bytes().all(allowed)
}

/// The first part is a registry where it looks like a host.
fn split_repository(name: &str) -> Option<(String, String)> {
    let (registry, repository) = match name.split_once('/') {
        Some((host, rest)) if host == "localhost" || host.contains(['.', ':']) => (host, rest),
        _ => ("", name),
    };
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.' | b'/');
    if !(2..=255).contains(&repository.len()) || !repository.bytes().all(allowed) || !is_authority(registry) {
        return None;
    }
    let registry = if matches!(registry, "" | "docker.io") { DEFAULT_REGISTRY } else { registry };
    let library = registry == DEFAULT_REGISTRY && !repository.contains('/');
    let repository = if library { format!("library/{repository}") } else { repository.to_owned() };
    Some((registry.to_owned(), repository))
}

/// Whether a URL can have this host and port, without user, path or escapes.
fn is_authority(registry: &str) -> bool {
    let host = |byte: u8| byte.is_ascii_alphanumeric() || !byte.is_ascii() || b"-_.~!$&'()*+,;=:[]<>\"".contains(&byte);
    let plain = registry.bytes().all(host);
    let bracketed = registry.strip_prefix('[').and_then(|rest| rest.rsplit_once(']'));
    let port = match bracketed {
        Some((address, port)) if address.parse::<std::net::Ipv6Addr>().is_ok() => port,
        Some(_) => return false,
        None if registry.contains(['[', ']']) => return false,
        None => registry.rfind(':').and_then(|colon| registry.get(colon..)).unwrap_or_default(),
    };
    let digits = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    plain && (port.is_empty() || port.strip_prefix(':').is_some_and(digits))
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Textual for ImageName {
    const NAME: &'static str = "kyverno.image";
}

pub(super) fn library() -> Library {
    let parse = |name| Function::global(name, [Type::String], ImageName::cel_type(), parse).cost(Cost::Sizes);
    let part = |name, call| Function::member(name, [ImageName::cel_type()], Type::String, call);
    Library::of(
        "kyverno.image",
        [
            parse("image"),
            parse("parseImageReference"),
            Function::global("isImage", [Type::String], Type::Bool, is_image).cost(Cost::Sizes),
            Function::member("containsDigest", [ImageName::cel_type()], Type::Bool, contains_digest),
            part("registry", |_, args| read("registry", args, |image| image.registry.clone())),
            part("repository", |_, args| read("repository", args, |image| image.repository.clone())),
            part("identifier", |_, args| read("identifier", args, ImageName::identifier)),
            part("identifierWithSeparator", |_, args| {
                read("identifierWithSeparator", args, ImageName::identifier_with_separator)
            }),
            part("tag", |_, args| read("tag", args, |image| image.tag.clone())),
            part("digest", |_, args| read("digest", args, |image| image.digest.clone())),
        ],
    )
}

fn parse(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let [Val::String(text)] = args else { return Err(mismatch("parseImageReference", args)) };
    let image = ImageName::parse(text).map(Val::opaque);
    image.ok_or_else(|| EvalError::invalid(format_args!("could not parse reference: {text}")))
}

fn is_image(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let [Val::String(text)] = args else { return Err(mismatch("isImage", args)) };
    Ok(Val::Bool(ImageName::parse(text).is_some()))
}

fn contains_digest(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    Ok(Val::Bool(!ImageName::receiver("containsDigest", args)?.digest.is_empty()))
}

fn read(function: &str, args: &[Val], part: fn(&ImageName) -> String) -> Result<Val, EvalError> {
    ImageName::receiver(function, args).map(|image| Val::from(part(image)))
}
