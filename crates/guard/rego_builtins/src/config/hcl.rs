//! HCL (Terraform's language) as JSON, in the form that Conftest hands to policies.
//!
//! Blocks are lists of objects below their labels. Expressions that are constant are values; all others are their text as
//! a template, `"${var.name}"`. Deliberately absent: evaluation, and places.

use palisade_rego_value::{Number, Value};

/// How deep blocks and values may nest.
const MAX_DEPTH: usize = 100;

/// Reads a file; the error names the line.
pub(super) fn read(text: &str) -> Result<Value, String> {
    let mut reader = Reader { text, at: 0, depth: 0 };
    reader.body(true).map_err(|message| format!("line {}: {message}", reader.line()))
}

type Read<T> = Result<T, String>;

struct Reader<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

/// A value, and whether it is known: a text that holds no template.
struct Known {
    value: Value,
    constant: bool,
}

impl From<Value> for Known {
    fn from(value: Value) -> Self {
        Self { value, constant: true }
    }
}

impl<'t> Reader<'t> {
    fn line(&self) -> usize {
        self.text.get(..self.at).unwrap_or_default().matches('\n').count() + 1
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn accept(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        self.at += if found { token.len() } else { 0 };
        found
    }

    /// Skips blanks and comments, and line ends where they mean nothing.
    fn skip(&mut self, lines: bool) {
        loop {
            let rest = self.rest();
            let blank = |c: char| c == ' ' || c == '\t' || c == '\r' || c == '\u{feff}' || (lines && c == '\n');
            let blanks = rest.len() - rest.trim_start_matches(blank).len();
            let comment = rest.get(blanks..).unwrap_or_default();
            let length = if comment.starts_with('#') || comment.starts_with("//") {
                comment.find('\n').unwrap_or(comment.len())
            } else if comment.starts_with("/*") {
                comment.find("*/").map_or(comment.len(), |end| end + 2)
            } else {
                0
            };
            self.at += blanks + length;
            if blanks + length == 0 {
                return;
            }
        }
    }

    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        if self.depth >= MAX_DEPTH {
            return Err(format!("nested more than {MAX_DEPTH} levels deep"));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn name(&mut self) -> Option<&'t str> {
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).unwrap_or(rest.len());
        let name = rest.get(..end).filter(|name| name.starts_with(|c: char| c.is_alphabetic() || c == '_'))?;
        self.at += end;
        Some(name)
    }

    /// Attributes and blocks up to the end or the closing brace.
    fn body(&mut self, whole: bool) -> Read<Value> {
        let mut members: Vec<(String, Member)> = Vec::new();
        loop {
            self.skip(true);
            match self.peek() {
                None if whole => break,
                Some('}') if !whole => break,
                None => return Err("a block is never closed".to_owned()),
                Some(_) => self.item(&mut members)?,
            }
        }
        Ok(object(members))
    }

    fn item(&mut self, members: &mut Vec<(String, Member)>) -> Read<()> {
        let name = self.name().ok_or("expected the name of an attribute or block")?.to_owned();
        self.skip(false);
        if self.rest().starts_with('=') {
            self.at += 1;
            let value = self.nested(Self::expression)?.value;
            self.skip(false);
            if !matches!(self.peek(), None | Some('\n' | '}')) {
                return Err(format!("expected the end of the line behind `{name}`"));
            }
            members.push((name, Member::Value(value)));
            return Ok(());
        }
        let mut labels = vec![name];
        while !self.accept("{") {
            let label = match self.peek() {
                Some('"') => self.quoted()?.value.as_str().map(str::to_owned),
                _ => self.name().map(str::to_owned),
            };
            labels.push(label.ok_or("expected `=`, a label or `{`")?);
            self.skip(false);
        }
        let body = self.nested(|reader| reader.body(false))?;
        self.at += 1;
        insert(members, &labels, body);
        Ok(())
    }

    /// A value: constant where it can be, else its text.
    fn expression(&mut self) -> Read<Known> {
        self.skip(false);
        let start = self.at;
        let known = match self.peek() {
            Some('"') => Some(self.quoted()?),
            Some('<') if self.rest().starts_with("<<") => Some(self.heredoc()?),
            Some('[') if !self.begins_loop() => Some(self.tuple()?),
            Some('{') if !self.begins_loop() => Some(self.members()?),
            _ => self.scalar(),
        };
        let end = self.at;
        self.skip(false);
        let heredoc = self.text.get(..end).is_some_and(|before| before.ends_with('\n'));
        let ends = heredoc || matches!(self.peek(), None | Some('\n' | ',' | '}' | ']' | ')'));
        if let (Some(known), true) = (known, ends) {
            self.at = if heredoc { end - 1 } else { self.at };
            return Ok(known);
        }
        self.at = start;
        self.raw()?;
        let text = self.text.get(start..self.at).unwrap_or_default().trim();
        if text.is_empty() {
            return Err("expected a value".to_owned());
        }
        Ok(Known { value: Value::from(format!("${{{text}}}")), constant: false })
    }

    fn scalar(&mut self) -> Option<Known> {
        let words = [
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("null", Value::Null),
            ("!true", Value::Bool(false)),
            ("!false", Value::Bool(true)),
        ];
        for (word, value) in words {
            let part = |next: char| next.is_alphanumeric() || matches!(next, '_' | '-' | '.' | '(');
            if let Some(behind) = self.rest().strip_prefix(word).filter(|behind| !behind.starts_with(part)) {
                self.at = self.text.len() - behind.len();
                return Some(value.into());
            }
        }
        let rest = self.rest();
        let sign = usize::from(rest.starts_with('-'));
        let digits = rest.get(sign..)?;
        let exponent = |at: usize, c: char| {
            matches!(c, '+' | '-') && digits.get(..at).is_some_and(|before| before.ends_with(['e', 'E']))
        };
        let part = |(at, c): &(usize, char)| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E') || exponent(*at, *c);
        let length = digits.char_indices().take_while(part).count();
        let number = rest.get(..sign + length).filter(|_| digits.starts_with(|c: char| c.is_ascii_digit()))?;
        let value = match Number::parse(number)? {
            whole @ Number::Int(_) => whole,
            other => Number::from(other.as_f64()),
        };
        self.at += number.len();
        Some(Value::Number(value).into())
    }

    /// Whether the bracket at the cursor begins a `for` expression.
    fn begins_loop(&self) -> bool {
        let inside = self.rest().get(1..).unwrap_or_default().trim_start();
        inside.strip_prefix("for").is_some_and(|behind| behind.starts_with(char::is_whitespace))
    }

    fn tuple(&mut self) -> Read<Known> {
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.skip(true);
            if self.accept("]") {
                return Ok(Value::array(items).into());
            }
            items.push(self.nested(Self::expression)?.value);
            self.skip(true);
            if !self.accept(",") && self.peek() != Some(']') {
                return Err("expected `,` or `]`".to_owned());
            }
        }
    }

    /// `{ name = value, "key" : value }`
    fn members(&mut self) -> Read<Known> {
        self.at += 1;
        let mut members = Vec::new();
        loop {
            self.skip(true);
            if self.accept("}") {
                return Ok(Value::object(members).into());
            }
            let key = self.key()?;
            self.skip(false);
            if !self.accept("=") && !self.accept(":") {
                return Err("expected `=` or `:` behind a key".to_owned());
            }
            let value = self.nested(Self::expression)?.value;
            members.retain(|(known, _)| *known != key);
            members.push((key, value));
            self.skip(false);
            if !self.accept(",") && !matches!(self.peek(), Some('\n' | '}')) {
                return Err("expected `,`, `}` or the end of the line".to_owned());
            }
        }
    }

    fn key(&mut self) -> Read<Value> {
        let start = self.at;
        match self.peek() {
            Some('"') => return Ok(self.quoted()?.value),
            Some('(') => self.bracket()?,
            _ => {
                if let Some(name) = self.name()
                    && !self.rest().starts_with(['.', '[', '('])
                {
                    return Ok(Value::from(name));
                }
                self.at = start;
                while let Some(next) = self.peek().filter(|next| !matches!(next, '=' | ':' | '\n' | '}')) {
                    self.at += next.len_utf8();
                }
            }
        }
        let text = self.text.get(start..self.at).unwrap_or_default().trim();
        if text.is_empty() { Err("expected a key".to_owned()) } else { Ok(Value::from(format!("${{{text}}}"))) }
    }

    /// Goes over an expression whose value is not known here.
    fn raw(&mut self) -> Read<()> {
        while let Some(next) = self.peek() {
            match next {
                '\n' | ',' | '}' | ']' | ')' | '#' => return Ok(()),
                '/' if self.rest().starts_with("//") => return Ok(()),
                '"' => _ = self.quoted()?,
                '(' | '[' | '{' => self.nested(Self::bracket)?,
                '<' if self.rest().starts_with("<<") => _ = self.heredoc()?,
                other => self.at += other.len_utf8(),
            }
        }
        Ok(())
    }

    /// Goes over a bracket with all that is in it.
    fn bracket(&mut self) -> Read<()> {
        let close = match self.peek() {
            Some('(') => ')',
            Some('[') => ']',
            _ => '}',
        };
        self.at += 1;
        loop {
            self.skip(true);
            match self.peek() {
                None => return Err(format!("expected `{close}`")),
                Some(next) if next == close => {
                    self.at += 1;
                    return Ok(());
                }
                Some(',' | ')' | ']' | '}') => self.at += 1,
                Some(_) => {
                    let before = self.at;
                    self.raw()?;
                    self.at += usize::from(self.at == before);
                }
            }
        }
    }

    /// A text in quotes, templates kept as they are written.
    fn quoted(&mut self) -> Read<Known> {
        self.at += 1;
        let (mut text, mut constant) = (String::new(), true);
        loop {
            if self.template(&mut text, &mut constant)? {
                continue;
            }
            let Some(next) = self.peek() else { return Err("a text is never closed".to_owned()) };
            self.at += next.len_utf8();
            match next {
                '"' => return Ok(Known { value: Value::from(text), constant }),
                '\n' => return Err("a text ends on the line on which it begins".to_owned()),
                '\\' => text.push(self.escape()?),
                other => text.push(other),
            }
        }
    }

    fn escape(&mut self) -> Read<char> {
        let escape = self.peek().unwrap_or_default();
        self.at += escape.len_utf8();
        let digits = match escape {
            'n' => return Ok('\n'),
            't' => return Ok('\t'),
            'r' => return Ok('\r'),
            '"' | '\\' => return Ok(escape),
            'u' => 4,
            'U' => 8,
            other => return Err(format!("unknown escape `\\{other}`")),
        };
        let code = self.rest().get(..digits).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        self.at += digits;
        code.and_then(char::from_u32).ok_or_else(|| "an escape names no character".to_owned())
    }

    /// A part in `${..}` or `%{..}` where one begins; what is constant in it is put in its place.
    fn template(&mut self, text: &mut String, constant: &mut bool) -> Read<bool> {
        if let Some(escaped) = ["$${", "%%{"].into_iter().find(|escaped| self.rest().starts_with(escaped)) {
            self.at += escaped.len();
            text.push_str(escaped);
            *constant = false;
            return Ok(true);
        }
        let Some(sign) = ["${", "%{"].into_iter().find(|sign| self.rest().starts_with(sign)) else { return Ok(false) };
        let start = self.at + sign.len();
        self.at += 1;
        self.nested(Self::bracket)?;
        let inside = self.text.get(start..self.at - 1).unwrap_or_default();
        if sign == "${" {
            let mut inner = Reader { text: inside, at: 0, depth: self.depth + 1 };
            if let Ok(Known { value, constant: true }) = inner.nested(Self::expression)
                && inner.rest().trim().is_empty()
                && matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_))
            {
                text.push_str(value.as_str().map_or_else(|| value.to_json(), str::to_owned).as_str());
                return Ok(true);
            }
        }
        *constant = false;
        text.push_str(sign);
        text.push_str(inside.trim());
        text.push('}');
        Ok(true)
    }

    /// `<<EOT` up to a line with nothing but `EOT`; `<<-` takes the common indentation away.
    fn heredoc(&mut self) -> Read<Known> {
        self.at += 2;
        let indented = self.accept("-");
        let tag = self.name().ok_or("expected the name that ends the text")?;
        let lines = self.rest().split_once('\n').map(|(_, lines)| lines).ok_or("a text is never closed")?;
        let start = self.text.len() - lines.len();
        let mut end = start;
        for line in lines.split_inclusive('\n') {
            if line.trim() == tag {
                let body = self.text.get(start..end).unwrap_or_default();
                let body = if indented { without_indentation(body) } else { body.to_owned() };
                self.at = end + line.len();
                let (mut text, mut constant) = (String::new(), true);
                let mut inner = Reader { text: &body, at: 0, depth: self.depth + 1 };
                while let Some(next) = inner.peek() {
                    if !inner.template(&mut text, &mut constant)? {
                        inner.at += next.len_utf8();
                        text.push(next);
                    }
                }
                return Ok(Known { value: Value::from(text), constant });
            }
            end += line.len();
        }
        Err(format!("a text is never closed by `{tag}`"))
    }
}

fn without_indentation(body: &str) -> String {
    let indentation = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let written = body.lines().filter(|line| !line.trim().is_empty());
    let common = written.map(indentation).min().unwrap_or(0);
    body.split_inclusive('\n').map(|line| line.get(common.min(indentation(line))..).unwrap_or(line)).collect()
}

/// What is below a name of a body.
enum Member {
    Value(Value),
    /// The blocks with no further label.
    Blocks(Vec<Value>),
    Labels(Vec<(String, Member)>),
}

/// Adds a block below its labels.
fn insert(members: &mut Vec<(String, Member)>, labels: &[String], body: Value) {
    let [label, labels @ ..] = labels else { return };
    let at = members.iter().position(|(name, _)| name == label).unwrap_or_else(|| {
        let member = if labels.is_empty() { Member::Blocks(Vec::new()) } else { Member::Labels(Vec::new()) };
        members.push((label.clone(), member));
        members.len() - 1
    });
    match members.get_mut(at).map(|(_, member)| member) {
        Some(Member::Labels(inner)) => insert(inner, labels, body),
        Some(Member::Blocks(blocks)) => blocks.push(body),
        // An attribute of the same name is a mistake that Terraform reports.
        Some(Member::Value(_)) | None => {}
    }
}

fn object(members: Vec<(String, Member)>) -> Value {
    let value = |member| match member {
        Member::Value(value) => value,
        Member::Blocks(blocks) => Value::array(blocks),
        Member::Labels(inner) => object(inner),
    };
    Value::object(members.into_iter().map(|(name, member)| (Value::from(name), value(member))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> String {
        read(text).map_or_else(|error| error, |value| value.to_json())
    }

    #[test]
    fn blocks_are_lists_below_their_labels() {
        let text = "# a\nresource \"bucket\" \"a\" {\n  acl = \"private\" // b\n  rule { n = 1 }\n  rule { n = 2 }\n}\n\
                    resource bucket b {}\nlocals { x = 1 }\nlocals { y = 2 }\ntop = true\n";
        let expected = r#"{"locals":[{"x":1},{"y":2}],"resource":{"bucket":{"a":[{"acl":"private","rule":[{"n":1},{"n":2}]}],"b":[{}]}},"top":true}"#;
        assert_eq!(json(text), expected);
    }

    #[test]
    fn what_is_constant_is_a_value_and_the_rest_its_text() {
        for (expression, expected) in [
            ("1.50", "1.5"),
            ("-4", "-4"),
            ("null", "null"),
            ("!true", "false"),
            ("\"a\\n\\\"b\\\" \\u00e9\"", "\"a\\n\\\"b\\\" \u{e9}\""),
            ("\"my-${var.name}-b\"", "\"my-${var.name}-b\""),
            ("\"${ var.only }\"", "\"${var.only}\""),
            ("\"${\"x\"}${1}\"", "\"x1\""),
            ("\"$${lit} %{ if true }x%{ endif }\"", "\"$${lit} %{if true}x%{endif}\""),
            ("var.acl", "\"${var.acl}\""),
            ("var.a ? \"b\" : \"c}\"", "\"${var.a ? \\\"b\\\" : \\\"c}\\\"}\""),
            ("1 + 2", "\"${1 + 2}\""),
            ("merge(local.a, {\n b = 1 })", "\"${merge(local.a, {\\n b = 1 })}\""),
            ("[for s in var.list : upper(s)]", "\"${[for s in var.list : upper(s)]}\""),
            ("[\"a\", 1, var.x, { k = \"v\" },]", "[\"a\",1,\"${var.x}\",{\"k\":\"v\"}]"),
            ("[1, 2][0]", "\"${[1, 2][0]}\""),
            (
                "{ Name = \"x\", \"quoted key\" = 2\n other : true\n (var.k) = 3 }",
                "{\"${(var.k)}\":3,\"Name\":\"x\",\"other\":true,\"quoted key\":2}",
            ),
            ("trueish", "\"${trueish}\""),
            ("<<EOT\none ${var.q}\n  two\nEOT", "\"one ${var.q}\\n  two\\n\""),
            ("<<-EOT\n    a\n      b\n    EOT", "\"a\\n  b\\n\""),
        ] {
            let read = json(&format!("x = {expression}\ny = 1\n"));
            assert_eq!(read, format!("{{\"x\":{expected},\"y\":1}}"), "{expression}");
        }
    }

    #[test]
    fn mistakes_and_hostile_texts_are_told() {
        assert_eq!(json("a = 1\nb {"), "line 2: a block is never closed");
        assert!(json("a = \"x").starts_with("line 1: a text is never closed"));
        assert!(json("a = [1] ]").starts_with("line 1: expected the end of the line"));
        assert!(json("a = <<X\nb").contains("never closed by `X`"));
        assert!(json(&format!("a = {}", "[".repeat(5_000))).contains("nested more than"));
        assert!(json(&format!("a = f{}", "(".repeat(5_000))).contains("nested more than"));
        assert!(json(&"a {\n".repeat(5_000)).contains("nested more than"));
        assert!(json(&format!("a = \"{}", "${\"".repeat(5_000))).contains("nested more than"));
    }
}
