//! Finding variables in texts, and the place in the resource that a place in a policy describes.

/// A variable as it stands in a text, without variables inside.
#[derive(Clone, Copy, Debug)]
pub struct Variable<'t> {
    prefix: &'t str,
    braces: &'t str,
    both: &'t str,
}

impl<'t> Variable<'t> {
    /// `{{ expression }}`, braces included.
    pub fn braces(&self) -> &'t str {
        self.braces
    }

    /// The character before it; empty at the start of the text.
    pub fn prefix(&self) -> &'t str {
        self.prefix
    }

    /// The variable with the character before it.
    pub fn with_prefix(&self) -> &'t str {
        self.both
    }

    /// The expression, without braces, surrounding space and the `-` of shallow substitution.
    pub fn expression(&self) -> String {
        let text = self.braces.replace("{{", "").replace("}}", "");
        let text = text.trim();
        text.strip_prefix('-').map_or(text, str::trim).to_owned()
    }

    /// Whether variables in the value are left alone: `{{- expression }}`.
    pub fn is_shallow(&self) -> bool {
        self.braces.replace("{{", "").trim_start().starts_with('-')
    }
}

/// The innermost variables of a text, from left to right. Between two of them is at least one character, as in
/// Kyverno, where adjacent ones are replaced one after the other.
pub fn variables_of(text: &str) -> Vec<Variable<'_>> {
    let mut variables = Vec::new();
    let mut from = 0;
    let mut at_start = true;
    while let Some(variable) = next_variable(text, from, at_start) {
        let end = variable.1;
        variables.push(variable.0);
        from = end;
        at_start = false;
    }
    variables
}

fn next_variable(text: &str, from: usize, at_start: bool) -> Option<(Variable<'_>, usize)> {
    if at_start && let Some(end) = closing(text, 0) {
        let braces = text.get(..end)?;
        return Some((Variable { prefix: "", braces, both: braces }, end));
    }
    let rest = text.get(from..)?;
    for (offset, character) in rest.char_indices() {
        if character == '\\' {
            continue;
        }
        let start = from + offset;
        let open = start + character.len_utf8();
        if let Some(end) = closing(text, open) {
            let variable =
                Variable { prefix: text.get(start..open)?, braces: text.get(open..end)?, both: text.get(start..end)? };
            return Some((variable, end));
        }
    }
    None
}

/// The end of a variable that opens at `start`: `{{`, then characters other than braces and flat `{...}` groups,
/// then `}}`.
fn closing(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    if bytes.get(start..start + 2)? != b"{{" {
        return None;
    }
    let mut at = start + 2;
    loop {
        match bytes.get(at)? {
            b'{' => {
                let group = bytes.get(at + 1..)?;
                let end = group.iter().position(|byte| matches!(byte, b'{' | b'}'))?;
                if group.get(end) != Some(&b'}') {
                    return None;
                }
                at += end + 2;
            }
            b'}' => return (bytes.get(at + 1) == Some(&b'}')).then_some(at + 2),
            _ => at += 1,
        }
    }
}

/// The JMESPath expression of the resource's field that the policy path describes: the part behind `foreach`, less
/// the two steps that name the rule's body, below `root`.
pub(super) fn place_in_resource(path: &str, root: &[&str]) -> String {
    let mut components = split_path(path);
    if let Some(at) = components.iter().position(|component| component == "foreach") {
        components.drain(..=at);
    }
    // Kyverno keeps nothing where there are no more than two steps.
    let rest = if components.len() > 2 { components.split_off(2) } else { Vec::new() };
    let mut expression = String::new();
    for component in root.iter().map(|root| (*root).to_owned()).chain(rest) {
        if component.parse::<u64>().is_ok() {
            expression.push('[');
            expression.push_str(&component);
            expression.push(']');
            continue;
        }
        if !expression.is_empty() {
            expression.push('.');
        }
        if is_identifier(&component) {
            expression.push_str(&component);
        } else {
            expression.push_str(&palisade_model::Value::from(component).to_json());
        }
    }
    expression
}

fn split_path(path: &str) -> Vec<String> {
    let mut components = Vec::new();
    let mut component = String::new();
    let mut characters = path.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => component.extend(characters.next()),
            '/' => components.push(std::mem::take(&mut component)),
            other => component.push(other),
        }
    }
    components.push(component);
    components.retain(|component| !component.is_empty());
    components
}

/// Anchors are let through: `(name)` is read as it stands, as Kyverno does.
fn is_identifier(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|first| first == '(' || first == '_' || first.is_ascii_alphabetic())
        && characters.all(|other| other == ')' || other == '_' || other.is_ascii_alphanumeric())
}
