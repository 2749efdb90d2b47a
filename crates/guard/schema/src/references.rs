//! References within a schema: to places in it (`#/definitions/a`), and to the names that parts of it have (`$id`).

use std::collections::HashMap;

use palisade_rego_value::Value;

/// Parts of a document that references may begin at.
pub(super) struct Documents<'a> {
    named: HashMap<String, &'a Value>,
}

impl<'a> Documents<'a> {
    pub(super) fn new(root: &'a Value) -> Self {
        let mut named = HashMap::from([(String::new(), root)]);
        let mut left = vec![(root, String::new())];
        while let Some((value, base)) = left.pop() {
            match value {
                Value::Object(members) => {
                    let id = members.get_str("id").or_else(|| members.get_str("$id")).and_then(Value::as_str);
                    let base = id.map_or(base.clone(), |id| resolve(&base, id));
                    if id.is_some() {
                        named.entry(base.clone()).or_insert(value);
                    }
                    let literal = |name: &Value| matches!(name.as_str(), Some("const" | "enum"));
                    left.extend(
                        members.iter().filter(|(name, _)| !literal(name)).map(|(_, part)| (part, base.clone())),
                    );
                }
                Value::Array(items) => left.extend(items.iter().map(|item| (item, base.clone()))),
                _ => {}
            }
        }
        Self { named }
    }

    /// What an absolute reference names, and what references there are relative to.
    pub(super) fn find(&self, target: &str) -> Result<(&'a Value, String), String> {
        if let Some(document) = self.named.get(target) {
            return Ok((document, target.to_owned()));
        }
        let (base, pointer) = target.split_once('#').unwrap_or((target, ""));
        if let Some(document) = self.named.get(base) {
            return follow(document, pointer).map(|found| (found, base.to_owned()));
        }
        if base.contains(':') {
            return Err(format!("{base} is another document: references to it are not followed, copy what it says"));
        }
        Err(format!("Reference {target} must be canonical"))
    }
}

/// Follows a JSON pointer.
fn follow<'a>(document: &'a Value, pointer: &str) -> Result<&'a Value, String> {
    let Some(path) = pointer.strip_prefix('/') else {
        let whole = pointer.is_empty();
        return if whole { Ok(document) } else { Err(r#"JSON pointer must be empty or start with a "/""#.into()) };
    };
    path.split('/').try_fold(document, |value, token| {
        let token = unescape(token).replace("~1", "/").replace("~0", "~");
        match value {
            Value::Object(members) => members.get_str(&token).ok_or_else(|| format!("Object has no key '{token}'")),
            Value::Array(items) => {
                let index = token.parse::<usize>().map_err(|_| format!("Invalid array index '{token}'"))?;
                let last = items.len().saturating_sub(1);
                items.get(index).ok_or_else(|| format!("Out of bound array[0,{last}] index '{index}'"))
            }
            other => Err(format!("Invalid token reference '{token}' in {}", other.type_name())),
        }
    })
}

/// A fragment without its percent signs.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let digit = |byte: &u8| char::from(*byte).to_digit(16).map(|digit| digit as u8);
        match tail {
            [high, low, tail @ ..] if *first == b'%' && digit(high).is_some() && digit(low).is_some() => {
                bytes.push(digit(high).unwrap_or(0) << 4 | digit(low).unwrap_or(0));
                rest = tail;
            }
            tail => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A reference seen from `base`, without an empty fragment.
pub(super) fn resolve(base: &str, reference: &str) -> String {
    let (base, _) = base.split_once('#').unwrap_or((base, ""));
    let joined = if reference.is_empty() || reference.starts_with('#') {
        format!("{base}{reference}")
    } else if reference.split(['/', '?', '#']).next().is_some_and(|first| first.contains(':')) {
        reference.to_owned()
    } else {
        let authority = base.find("://").map_or(0, |at| at + 3);
        let path = base.get(authority..).and_then(|rest| rest.find('/')).map_or(base.len(), |at| authority + at);
        let end =
            if reference.starts_with('/') { path } else { base.rfind('/').filter(|at| *at >= path).unwrap_or(path) };
        let slash = if reference.starts_with('/') { "" } else { "/" };
        format!("{}{slash}{reference}", base.get(..end).unwrap_or_default())
    };
    joined.strip_suffix('#').unwrap_or(&joined).to_owned()
}
