//! Anchors: the marks around a key that say when the key's pattern applies.

/// What an anchored key means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AnchorKind {
    /// `(key)`: the rest applies only where this matches.
    Condition,
    /// `<(key)`: the whole rule applies only where this matches.
    Global,
    /// `X(key)`: the key must be absent.
    Negation,
    /// `+(key)`: mutation adds the key where it is absent.
    AddIfAbsent,
    /// `=(key)`: where the key exists, it must match.
    Equality,
    /// `^(key)`: each pattern must match at least one element of the list.
    Existence,
}

/// A key with its anchor taken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor<'a> {
    /// The mark.
    pub kind: AnchorKind,
    /// The key inside the parentheses.
    pub key: &'a str,
}

impl<'a> Anchor<'a> {
    /// Reads an anchored key; `None` for a plain one.
    pub fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let (kind, rest) = match text.chars().next()? {
            '<' => (AnchorKind::Global, text.get(1..)?),
            'X' => (AnchorKind::Negation, text.get(1..)?),
            '+' => (AnchorKind::AddIfAbsent, text.get(1..)?),
            '=' => (AnchorKind::Equality, text.get(1..)?),
            '^' => (AnchorKind::Existence, text.get(1..)?),
            _ => (AnchorKind::Condition, text),
        };
        let key = rest.strip_prefix('(')?.strip_suffix(')')?;
        (!key.is_empty() && !key.contains('\n')).then_some(Self { kind, key })
    }

    /// The same anchor around another key, as text.
    pub fn around(self, key: &str) -> String {
        let mark = match self.kind {
            AnchorKind::Condition => "",
            AnchorKind::Global => "<",
            AnchorKind::Negation => "X",
            AnchorKind::AddIfAbsent => "+",
            AnchorKind::Equality => "=",
            AnchorKind::Existence => "^",
        };
        format!("{mark}({key})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_are_read_and_written() {
        for (text, kind, key) in [
            ("(name)", AnchorKind::Condition, "name"),
            (" <(image) ", AnchorKind::Global, "image"),
            ("X(hostPath)", AnchorKind::Negation, "hostPath"),
            ("+(a)", AnchorKind::AddIfAbsent, "a"),
            ("=(a(b))", AnchorKind::Equality, "a(b)"),
            ("^(containers)", AnchorKind::Existence, "containers"),
        ] {
            let anchor = Anchor::parse(text).unwrap();
            assert_eq!((anchor.kind, anchor.key), (kind, key));
            assert_eq!(anchor.around(key), text.trim());
        }
        for text in ["", "name", "()", "(a", "$(a)", "x(a)", "=a", "(a)b"] {
            assert_eq!(Anchor::parse(text), None, "{text}");
        }
    }
}
