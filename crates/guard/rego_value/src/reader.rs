//! Reads JSON text into values, numbers with all their digits.
//!
//! Beside `palisade-document`, whose numbers are 64 bits wide, because policies compare what they unmarshal with
//! numbers that keep their digits. Messages follow Go's decoder where it has few words.

use crate::{MAX_DEPTH, Number, Value};

/// The value of a text that holds one, and nothing else.
pub(super) fn read(text: &str) -> Result<Value, String> {
    let mut reader = Reader { rest: text };
    reader.skip_spaces();
    if reader.rest.is_empty() {
        return Err("EOF".to_owned());
    }
    let value = reader.value(0)?;
    reader.skip_spaces();
    match reader.rest.chars().next() {
        None => Ok(value),
        Some(c) => Err(format!("error: invalid character '{c}' after top-level value")),
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    /// What stands here instead of what should.
    fn trouble<T>(&self, expected: &str) -> Result<T, String> {
        match self.rest.chars().next() {
            Some(c) => Err(format!("invalid character {} {expected}", shown(c))),
            None => Err("unexpected EOF".to_owned()),
        }
    }

    fn take(&mut self, c: char) -> bool {
        let rest = self.rest.strip_prefix(c);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn value(&mut self, depth: u32) -> Result<Value, String> {
        if depth > MAX_DEPTH {
            return Err(format!("exceeded max depth of {MAX_DEPTH}"));
        }
        match self.rest.as_bytes().first() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Value::from),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => self.trouble("looking for beginning of value"),
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, String> {
        for c in word.chars() {
            if !self.take(c) {
                return self.trouble(&format!("in literal {word} (expecting '{c}')"));
            }
        }
        Ok(value)
    }

    fn array(&mut self, depth: u32) -> Result<Value, String> {
        let mut items = Vec::new();
        self.take('[');
        self.skip_spaces();
        if self.take(']') {
            return Ok(Value::array(items));
        }
        loop {
            self.skip_spaces();
            items.push(self.value(depth + 1)?);
            self.skip_spaces();
            if self.take(']') {
                return Ok(Value::array(items));
            }
            if !self.take(',') {
                return self.trouble("after array element");
            }
        }
    }

    fn object(&mut self, depth: u32) -> Result<Value, String> {
        let mut pairs = Vec::new();
        self.take('{');
        self.skip_spaces();
        if self.take('}') {
            return Ok(Value::object(pairs));
        }
        loop {
            self.skip_spaces();
            if !self.rest.starts_with('"') {
                return self.trouble("looking for beginning of object key string");
            }
            let key = self.string()?;
            self.skip_spaces();
            if !self.take(':') {
                return self.trouble("after object key");
            }
            self.skip_spaces();
            pairs.push((Value::from(key), self.value(depth + 1)?));
            self.skip_spaces();
            if self.take('}') {
                return Ok(Value::object(pairs));
            }
            if !self.take(',') {
                return self.trouble("after object key:value pair");
            }
        }
    }

    fn number(&mut self) -> Result<Value, String> {
        let end =
            self.rest.find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E')).unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at_checked(end).unwrap_or_default();
        let number = Number::parse(text).ok_or_else(|| format!("invalid character in numeric literal {text}"))?;
        self.rest = rest;
        Ok(Value::from(number))
    }

    fn string(&mut self) -> Result<String, String> {
        self.take('"');
        let mut text = String::new();
        loop {
            let end = self.rest.find(|c| matches!(c, '"' | '\\' | '\0'..='\u{1f}')).unwrap_or(self.rest.len());
            let (plain, rest) = self.rest.split_at_checked(end).unwrap_or_default();
            text.push_str(plain);
            self.rest = rest;
            if self.take('"') {
                return Ok(text);
            }
            if !self.take('\\') {
                return self.trouble("in string literal");
            }
            text.push(self.escape()?);
        }
    }

    /// The character of an escape, of which the backslash is read. Halves of a pair alone are `U+FFFD`.
    fn escape(&mut self) -> Result<char, String> {
        for (escape, c) in [
            ('"', '"'),
            ('\\', '\\'),
            ('/', '/'),
            ('b', '\u{8}'),
            ('f', '\u{c}'),
            ('n', '\n'),
            ('r', '\r'),
            ('t', '\t'),
        ] {
            if self.take(escape) {
                return Ok(c);
            }
        }
        if !self.take('u') {
            return self.trouble("in string escape code");
        }
        let first = self.unit()?;
        if !(0xd800..0xdc00).contains(&first) {
            return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let before = self.rest;
        if let Some(after) = self.rest.strip_prefix("\\u") {
            self.rest = after;
            let second = self.unit()?;
            if (0xdc00..0xe000).contains(&second) {
                let c = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(c).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.rest = before;
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn unit(&mut self) -> Result<u32, String> {
        let mut unit = 0;
        for _ in 0..4 {
            let Some(digit) = self.rest.chars().next().and_then(|c| c.to_digit(16)) else {
                return self.trouble("in \\u hexadecimal character escape");
            };
            self.rest = self.rest.get(1..).unwrap_or_default();
            unit = unit << 4 | digit;
        }
        Ok(unit)
    }
}

/// A character as Go quotes it.
fn shown(c: char) -> String {
    match c {
        '\'' => r"'\''".to_owned(),
        '"' => "'\"'".to_owned(),
        c => format!("{c:?}"),
    }
}
