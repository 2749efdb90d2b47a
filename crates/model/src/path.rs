//! Where a node is inside a document: the route of keys and indices from the root.

use std::fmt;

use crate::{Str, Value};

/// One step of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Segment {
    /// A member of an object.
    Key(Str),
    /// An element of an array, counted from 0.
    Index(usize),
}

impl From<&str> for Segment {
    fn from(key: &str) -> Self {
        Self::Key(key.into())
    }
}

impl From<usize> for Segment {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// A route from the root of a document to a node, such as `spec.containers[0].image`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path(pub Vec<Segment>);

impl Path {
    /// The root of the document.
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// This path with one more step.
    #[must_use]
    pub fn child(&self, segment: impl Into<Segment>) -> Self {
        let mut segments = self.0.clone();
        segments.push(segment.into());
        Self(segments)
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads a JSON pointer (RFC 6901): `/spec/containers/0/image`. Digits become indices.
    pub fn from_pointer(pointer: &str) -> Self {
        let tokens = pointer.split('/').skip(1).map(|token| {
            let token = token.replace("~1", "/").replace("~0", "~");
            token.parse().map_or_else(|_| Segment::Key(token.into()), Segment::Index)
        });
        Self(tokens.collect())
    }

    /// Reads the form that is shown: `spec.containers[0]["a/b"].image`; `None` where the text is no such path.
    pub fn parse(text: &str) -> Option<Self> {
        let mut segments = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(inside) = rest.strip_prefix('[') {
                let (part, after) = match inside.strip_prefix('"') {
                    Some(quoted) => quoted.split_once("\"]").map(|(key, after)| (Segment::from(key), after))?,
                    None => inside
                        .split_once(']')
                        .and_then(|(at, after)| Some((Segment::Index(at.parse().ok()?), after)))?,
                };
                segments.push(part);
                rest = after;
            } else {
                let plain = if segments.is_empty() { rest } else { rest.strip_prefix('.')? };
                let end = plain.find(['.', '[']).unwrap_or(plain.len());
                let (key, after) = plain.split_at_checked(end).filter(|(key, _)| !key.is_empty())?;
                segments.push(Segment::from(key));
                rest = after;
            }
        }
        Some(Self(segments))
    }

    /// The node that this path leads to.
    pub fn resolve<'a>(&self, root: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(root, |value, segment| match segment {
            Segment::Key(key) => value.get(key),
            Segment::Index(index) => value.at(*index),
        })
    }
}

impl<S: Into<Segment>> FromIterator<S> for Path {
    fn from_iter<I: IntoIterator<Item = S>>(segments: I) -> Self {
        Self(segments.into_iter().map(Into::into).collect())
    }
}

impl Segment {
    /// Writes it as part of a path, `first` or after others: `name`, `.name`, `["a/b"]`, `[0]`.
    pub fn write(&self, first: bool, out: &mut dyn fmt::Write) -> fmt::Result {
        match self {
            Self::Index(index) => write!(out, "[{index}]"),
            Self::Key(key) if is_plain(key) => {
                out.write_str(if first { "" } else { "." })?;
                out.write_str(key)
            }
            Self::Key(key) => write!(out, "[{key:?}]"),
        }
    }
}

impl fmt::Display for Path {
    /// Dotted as `kubectl explain` writes it; keys that are not plain words are quoted: `metadata.labels["a/b"]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(position, segment)| segment.write(position == 0, f))
    }
}

fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_print_and_resolve() {
        let path = Path::from_pointer("/metadata/labels/app.kubernetes.io~1name");
        assert_eq!(path.to_string(), r#"metadata.labels["app.kubernetes.io/name"]"#);
        let path = Path::from_pointer("/spec/containers/0/image");
        assert_eq!(path.to_string(), "spec.containers[0].image");
        let pod = Value::from_json(r#"{"spec":{"containers":[{"image":"a"}]}}"#).unwrap();
        assert_eq!(path.resolve(&pod), Some(&Value::from("a")));
        assert_eq!(path.child("x").resolve(&pod), None);
    }

    #[test]
    fn what_is_shown_is_read_again() {
        for pointer in ["", "/metadata/labels/app.kubernetes.io~1name", "/spec/containers/0/image", "/0/a"] {
            let path = Path::from_pointer(pointer);
            assert_eq!(Path::parse(&path.to_string()), Some(path));
        }
        for wrong in ["a..b", "a[", "a[x]", "a[0", ".a", "a[0]b", "a[\"b]"] {
            assert_eq!(Path::parse(wrong), None, "{wrong}");
        }
    }
}
