//! Reads the text format of protocol buffers into a tree of names and values, knowing no schema.
//!
//! Enough for test files: messages, scalars, lists, adjacent strings, extension and `Any` names in brackets, comments.
//! Values are not interpreted here: what is a number and what an enum is for the reader of the tree to decide.

/// The deepest nesting of messages.
const MAX_DEPTH: usize = 64;

/// A message: its fields in order, repeated ones repeatedly.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Message {
    fields: Vec<(String, Field)>,
    /// The text between its braces.
    pub(super) source: String,
}

/// The value of a field.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Field {
    /// A quoted string, as bytes.
    Text(Vec<u8>),
    /// A number, a boolean or the name of an enum value, as written.
    Word(String),
    /// A message.
    Message(Message),
}

impl Message {
    /// The values of a field.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Field> {
        self.fields.iter().filter(move |(own, _)| own == name).map(|(_, value)| value)
    }

    /// The messages of a field.
    pub(super) fn messages<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.all(name).filter_map(|field| match field {
            Field::Message(message) => Some(message),
            _ => None,
        })
    }

    /// The only message of a field.
    pub(super) fn message(&self, name: &str) -> Option<&Self> {
        self.fields.iter().filter(|(own, _)| own == name).find_map(|(_, field)| match field {
            Field::Message(message) => Some(message),
            _ => None,
        })
    }

    /// The bytes of a text field.
    pub(super) fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.fields.iter().filter(|(own, _)| own == name).find_map(|(_, field)| match field {
            Field::Text(bytes) => Some(bytes.as_slice()),
            _ => None,
        })
    }

    /// The text of a text field.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.bytes(name).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// A number, boolean or enum value as written.
    pub(super) fn word(&self, name: &str) -> Option<&str> {
        self.fields.iter().filter(|(own, _)| own == name).find_map(|(_, field)| match field {
            Field::Word(word) => Some(word.as_str()),
            _ => None,
        })
    }

    /// Whether a boolean field is set to true.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.word(name) == Some("true")
    }

    /// The fields in order.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, &Field)> {
        self.fields.iter().map(|(name, field)| (name.as_str(), field))
    }
}

/// Reads a file.
pub(super) fn parse(text: &str) -> Result<Message, String> {
    let mut reader = Reader { text, at: 0 };
    let message = reader.message(None, 0)?;
    reader.skip_blank();
    if reader.rest().is_empty() { Ok(message) } else { Err(reader.error("expected the end of the file")) }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn error(&self, expected: &str) -> String {
        let line = self.text.get(..self.at).unwrap_or_default().lines().count();
        format!("line {line}: {expected}")
    }

    fn skip_blank(&mut self) {
        loop {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start().len();
            if !self.rest().starts_with('#') {
                return;
            }
            self.at += self.rest().find('\n').unwrap_or(self.rest().len());
        }
    }

    fn accept(&mut self, symbol: char) -> bool {
        self.skip_blank();
        let found = self.rest().starts_with(symbol);
        self.at += if found { symbol.len_utf8() } else { 0 };
        found
    }

    fn message(&mut self, close: Option<char>, depth: usize) -> Result<Message, String> {
        if depth > MAX_DEPTH {
            return Err(self.error("messages are nested too deeply"));
        }
        let start = self.at;
        let mut fields = Vec::new();
        loop {
            self.skip_blank();
            let end = self.at;
            let ended = match close {
                Some(close) => self.accept(close),
                None => self.rest().is_empty(),
            };
            if ended {
                return Ok(Message { fields, source: self.text.get(start..end).unwrap_or_default().to_owned() });
            }
            self.field(&mut fields, depth)?;
            let _separator = self.accept(',') || self.accept(';');
        }
    }

    fn field(&mut self, fields: &mut Vec<(String, Field)>, depth: usize) -> Result<(), String> {
        let name = self.name()?;
        self.accept(':');
        if !self.accept('[') {
            let value = self.value(depth)?;
            fields.push((name, value));
            return Ok(());
        }
        while !self.accept(']') {
            let value = self.value(depth)?;
            fields.push((name.clone(), value));
            if !self.accept(',') {
                return if self.accept(']') { Ok(()) } else { Err(self.error("expected `,` or `]`")) };
            }
        }
        Ok(())
    }

    /// A field's name, or the name of an extension or `Any` type in brackets.
    fn name(&mut self) -> Result<String, String> {
        if self.accept('[') {
            let (name, _) = self.rest().split_once(']').ok_or_else(|| self.error("expected `]`"))?;
            self.at += name.len() + 1;
            return Ok(name.trim().to_owned());
        }
        self.word()
    }

    fn word(&mut self) -> Result<String, String> {
        self.skip_blank();
        let rest = self.rest();
        let length = rest.find(|c: char| !c.is_alphanumeric() && !"_.+-".contains(c)).unwrap_or(rest.len());
        let word = rest
            .get(..length)
            .filter(|word| !word.is_empty())
            .ok_or_else(|| self.error("expected a name or a value"))?;
        self.at += length;
        Ok(word.to_owned())
    }

    fn value(&mut self, depth: usize) -> Result<Field, String> {
        if self.accept('{') {
            return self.message(Some('}'), depth + 1).map(Field::Message);
        }
        if self.accept('<') {
            return self.message(Some('>'), depth + 1).map(Field::Message);
        }
        if !self.rest().starts_with(['"', '\'']) {
            return self.word().map(Field::Word);
        }
        let mut bytes = Vec::new();
        while self.rest().starts_with(['"', '\'']) {
            self.string(&mut bytes)?;
            self.skip_blank();
        }
        Ok(Field::Text(bytes))
    }

    fn string(&mut self, bytes: &mut Vec<u8>) -> Result<(), String> {
        let mut chars = self.rest().chars();
        let quote = chars.next();
        loop {
            match chars.next() {
                None | Some('\n') => return Err(self.error("a string is not closed")),
                Some('\\') => escape(&mut chars, bytes).ok_or_else(|| self.error("invalid escape sequence"))?,
                c if c == quote => break,
                Some(c) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        self.at = self.text.len() - chars.as_str().len();
        Ok(())
    }
}

fn escape(chars: &mut std::str::Chars<'_>, bytes: &mut Vec<u8>) -> Option<()> {
    let c = chars.next()?;
    let mut digits = |count: usize, radix: u32, first: u32| {
        let mut number = first;
        for _ in 0..count {
            let Some(digit) = chars.as_str().chars().next().and_then(|c| c.to_digit(radix)) else { break };
            chars.next();
            number = number.checked_mul(radix)?.checked_add(digit)?;
        }
        Some(number)
    };
    let byte = match c {
        'a' => 7,
        'b' => 8,
        'f' => 12,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 11,
        '\\' | '\'' | '"' | '?' | '`' => c as u8,
        'x' | 'X' => u8::try_from(digits(2, 16, 0)?).ok()?,
        'u' | 'U' => {
            let code = char::from_u32(digits(if c == 'u' { 4 } else { 8 }, 16, 0)?)?;
            bytes.extend_from_slice(code.encode_utf8(&mut [0; 4]).as_bytes());
            return Some(());
        }
        '0'..='7' => u8::try_from(digits(2, 8, c.to_digit(8)?)?).ok()?,
        _ => return None,
    };
    bytes.push(byte);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_strings_and_lists_are_read() {
        let message =
            parse("# file\nname: 'a' \"\\x62\\143\"\nn: -1.5 items: [1, 2] m < k: true, [x.y/z] { v: FOO } >").unwrap();
        assert_eq!(message.text("name").as_deref(), Some("abc"));
        assert_eq!(message.word("n"), Some("-1.5"));
        assert_eq!(message.all("items").count(), 2);
        let inner = message.message("m").unwrap();
        assert!(inner.flag("k"));
        assert_eq!(inner.message("x.y/z").unwrap().word("v"), Some("FOO"));
        assert_eq!(parse("a: {").unwrap_err(), "line 1: expected a name or a value");
        assert!(parse(&"a {".repeat(1000)).is_err());
    }
}
