//! Bytes to a [`Value`], as fast as a webhook needs it: no spans, names that repeat are shared, everything is bounded.
//!
//! Strict as RFC 8259, except that half a surrogate pair reads as U+FFFD, as in Go. A member that is given twice has its
//! last value. Deliberately absent: files, whose reader keeps the place of every node (`palisade-document`).

use std::borrow::Cow;

use palisade_model::{Map, Str, Value};

use crate::review::{Limits, Trouble};

/// How many names are remembered, a power of two. Objects of one review repeat a few dozen.
const NAMES: usize = 64;
/// The longest name that is remembered.
const LONGEST_NAME: usize = 32;

/// Reads one document; `uid` receives `request.uid` as soon as it is read, whatever comes after.
pub(crate) fn read(text: &str, limits: &Limits, uid: &mut Str) -> Result<Value, Trouble> {
    let names = [const { None }; NAMES];
    let mut reader = Reader {
        text,
        bytes: text.as_bytes(),
        pos: 0,
        depth: 0,
        left: limits.values,
        limits,
        names,
        in_request: false,
        uid,
    };
    reader.skip_space();
    let value = reader.value()?;
    reader.skip_space();
    if reader.pos < reader.bytes.len() {
        return Err(reader.expected("the end of the review"));
    }
    Ok(value)
}

/// The trouble at byte `at` of `text`.
pub(crate) fn trouble_at(text: &[u8], at: usize, message: impl Into<String>) -> Trouble {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let line = before.split(|byte| *byte == b'\n').count();
    Trouble::Syntax { message: message.into(), line, column: before.len() - line_start + 1 }
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    pos: usize,
    depth: usize,
    /// How many more values there may be.
    left: usize,
    limits: &'a Limits,
    names: [Option<Str>; NAMES],
    /// Whether the member `request` of the whole is being read.
    in_request: bool,
    uid: &'a mut Str,
}

impl<'a> Reader<'a> {
    fn value(&mut self) -> Result<Value, Trouble> {
        self.left = self
            .left
            .checked_sub(1)
            .ok_or_else(|| Trouble::Limit(format!("it holds more than {} values", self.limits.values)))?;
        match self.peek() {
            b'{' => self.nested(Self::object),
            b'[' => self.nested(Self::array),
            b'"' => self.string().map(|text| Value::String(Str::from(&*text))),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.word("true", Value::Bool(true)),
            b'f' => self.word("false", Value::Bool(false)),
            b'n' => self.word("null", Value::Null),
            _ => Err(self.expected("a value")),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value, Trouble>) -> Result<Value, Trouble> {
        if self.depth >= self.limits.depth {
            let message = format!("objects and arrays are nested deeper than {} levels", self.limits.depth);
            return Err(trouble_at(self.bytes, self.pos, message));
        }
        self.depth += 1;
        self.pos += 1;
        self.skip_space();
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn array(&mut self) -> Result<Value, Trouble> {
        let mut items = Vec::new();
        if self.closes(b']') {
            return Ok(Value::array(items));
        }
        loop {
            items.push(self.value()?);
            if !self.continues(b']', "`,` or `]`")? {
                return Ok(Value::array(items));
            }
        }
    }

    fn object(&mut self) -> Result<Value, Trouble> {
        let mut map = Map::new();
        if self.closes(b'}') {
            return Ok(Value::object(map));
        }
        loop {
            if self.peek() != b'"' {
                return Err(self.expected("a name in double quotes"));
            }
            let name = self.string()?;
            let name = self.name(&name);
            self.skip_space();
            if self.peek() != b':' {
                return Err(self.expected("`:`"));
            }
            self.pos += 1;
            self.skip_space();
            let value = self.member(&name)?;
            map.insert(name, value);
            if !self.continues(b'}', "`,` or `}`")? {
                return Ok(Value::object(map));
            }
        }
    }

    fn member(&mut self, name: &str) -> Result<Value, Trouble> {
        if self.depth > 2 {
            return self.value();
        }
        if self.depth == 1 {
            self.in_request = name == "request";
        }
        let value = self.value()?;
        if self.depth == 2 && self.in_request && name == "uid" {
            *self.uid = value.as_shared_str().cloned().unwrap_or_default();
        }
        Ok(value)
    }

    /// Steps over the closing bracket of something empty.
    fn closes(&mut self, bracket: u8) -> bool {
        let closes = self.peek() == bracket;
        self.pos += usize::from(closes);
        closes
    }

    /// Steps over what follows an element; whether another one comes.
    fn continues(&mut self, bracket: u8, wanted: &str) -> Result<bool, Trouble> {
        self.skip_space();
        if self.closes(bracket) {
            return Ok(false);
        }
        if self.peek() != b',' {
            return Err(self.expected(wanted));
        }
        self.pos += 1;
        self.skip_space();
        Ok(true)
    }

    /// The shared form of a name.
    fn name(&mut self, text: &str) -> Str {
        let bytes = text.as_bytes();
        let (Some(first), Some(last), true) = (bytes.first(), bytes.last(), bytes.len() <= LONGEST_NAME) else {
            return text.into();
        };
        let middle = bytes.get(bytes.len() / 2).copied().unwrap_or_default();
        let hash = bytes.len() ^ (usize::from(*first) << 1) ^ (usize::from(*last) << 2) ^ (usize::from(middle) << 3);
        let Some(slot) = self.names.get_mut(hash % NAMES) else { return text.into() };
        match slot {
            Some(known) if **known == *text => known.clone(),
            _ => slot.insert(text.into()).clone(),
        }
    }

    /// The string at the cursor; borrowed where it has no escapes.
    fn string(&mut self) -> Result<Cow<'a, str>, Trouble> {
        self.pos += 1;
        let mut text = Cow::Borrowed(self.run());
        loop {
            match self.peek() {
                b'"' => {
                    self.pos += 1;
                    return Ok(text);
                }
                b'\\' => {
                    let escaped = self.escape()?;
                    let text = text.to_mut();
                    text.push(escaped);
                    text.push_str(self.run());
                }
                _ if self.pos < self.bytes.len() => {
                    return Err(trouble_at(self.bytes, self.pos, "a string holds an unescaped control character"));
                }
                _ => return Err(self.expected("the end of a string")),
            }
        }
    }

    /// What comes before the next quote, backslash or control character.
    fn run(&mut self) -> &'a str {
        let start = self.pos;
        let rest = self.bytes.get(start..).unwrap_or_default();
        let length = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(rest.len());
        self.pos += length;
        self.text.get(start..self.pos).unwrap_or_default()
    }

    fn escape(&mut self) -> Result<char, Trouble> {
        self.pos += 2;
        let escaped = self.bytes.get(self.pos - 1).copied().unwrap_or_default();
        Ok(match escaped {
            b'"' | b'\\' | b'/' => char::from(escaped),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            _ => return Err(trouble_at(self.bytes, self.pos - 2, "a string holds an unknown escape")),
        })
    }

    fn unicode(&mut self) -> Result<char, Trouble> {
        let first = self.four_digits()?;
        if let Some(character) = char::from_u32(first) {
            return Ok(character);
        }
        let low_follows = first < 0xdc00 && self.bytes.get(self.pos..self.pos + 2) == Some(b"\\u");
        if !low_follows {
            return Ok(char::REPLACEMENT_CHARACTER);
        }
        let rewind = self.pos;
        self.pos += 2;
        let second = self.four_digits()?;
        if !(0xdc00..0xe000).contains(&second) {
            self.pos = rewind;
            return Ok(char::REPLACEMENT_CHARACTER);
        }
        let joined = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        Ok(char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn four_digits(&mut self) -> Result<u32, Trouble> {
        let digits =
            self.text.get(self.pos..self.pos + 4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let value = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let value = value.ok_or_else(|| self.expected("four hexadecimal digits"))?;
        self.pos += 4;
        Ok(value)
    }

    /// A number: 64-bit integers where they fit, doubles elsewhere.
    fn number(&mut self) -> Result<Value, Trouble> {
        let start = self.pos;
        self.pos += usize::from(self.peek() == b'-');
        match self.peek() {
            b'0' => self.pos += 1,
            b'1'..=b'9' => self.digits(),
            _ => return Err(self.expected("a digit")),
        }
        let mut whole = true;
        if self.peek() == b'.' {
            whole = false;
            self.pos += 1;
            self.some_digits()?;
        }
        if matches!(self.peek(), b'e' | b'E') {
            whole = false;
            self.pos += 1;
            self.pos += usize::from(matches!(self.peek(), b'+' | b'-'));
            self.some_digits()?;
        }
        let text = self.text.get(start..self.pos).unwrap_or_default();
        let integer = if whole { text.parse().ok().map(Value::Int) } else { None };
        let number = integer.or_else(|| text.parse().ok().filter(|value: &f64| value.is_finite()).map(Value::Float));
        number.ok_or_else(|| trouble_at(self.bytes, start, "a number is out of range"))
    }

    fn some_digits(&mut self) -> Result<(), Trouble> {
        if !self.peek().is_ascii_digit() {
            return Err(self.expected("a digit"));
        }
        self.digits();
        Ok(())
    }

    fn digits(&mut self) {
        while self.peek().is_ascii_digit() {
            self.pos += 1;
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, Trouble> {
        let rest = self.bytes.get(self.pos..).unwrap_or_default();
        if !rest.starts_with(word.as_bytes()) {
            return Err(self.expected("a value"));
        }
        self.pos += word.len();
        Ok(value)
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\n' | b'\r') {
            self.pos += 1;
        }
    }

    /// The byte at the cursor; 0 at the end, which no rule accepts.
    fn peek(&self) -> u8 {
        self.bytes.get(self.pos).copied().unwrap_or_default()
    }

    fn expected(&self, what: &str) -> Trouble {
        let found = match self.text.get(self.pos..).and_then(|rest| rest.chars().next()) {
            Some(character) => format!("found {character:?}"),
            None => "the review ends".to_owned(),
        };
        trouble_at(self.bytes, self.pos, format!("expected {what}, {found}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Result<Value, String> {
        read(text, &Limits::default(), &mut Str::default()).map_err(|trouble| trouble.to_string())
    }

    #[test]
    fn what_serde_reads_is_read_alike() {
        for text in [
            r#"{"a":[1,-2,3.5,1e3,-0,9223372036854775807,9223372036854775808,1.5E-2],"b":{"c":null,"":true}}"#,
            r#" [ "x\n\t\"\\\/\u00e9\ud83d\ude00", {} , [] ,false ] "#,
            r#""plain""#,
            r#"{"a":1,"a":2}"#,
            "-0.0",
        ] {
            let expected = Value::from_json(text).unwrap();
            assert_eq!(value(text).as_ref(), Ok(&expected), "{text}");
            assert_eq!(value(text).map(|value| value.to_json()), Ok(expected.to_json()));
        }
        assert_eq!(value(r#""\ud83d x""#), Ok(Value::from("\u{fffd} x")));
        assert_eq!(value(r#""\ud83d\u0041""#), Ok(Value::from("\u{fffd}A")));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        for (text, message) in [
            ("", "expected a value, the review ends at line 1, column 1"),
            ("{\n \"a\" 1}", "expected `:`, found '1' at line 2, column 6"),
            ("{\"a\":1,}", "expected a name in double quotes, found '}' at line 1, column 8"),
            ("[1 2]", "expected `,` or `]`, found '2' at line 1, column 4"),
            ("[1", "expected `,` or `]`, the review ends at line 1, column 3"),
            ("\"a", "expected the end of a string, the review ends at line 1, column 3"),
            ("\"a\u{1}\"", "a string holds an unescaped control character at line 1, column 3"),
            ("\"\\x\"", "a string holds an unknown escape at line 1, column 2"),
            ("\"\\u12", "expected four hexadecimal digits, found '1' at line 1, column 4"),
            ("01", "expected the end of the review, found '1' at line 1, column 2"),
            ("1.", "expected a digit, the review ends at line 1, column 3"),
            ("1e999", "a number is out of range at line 1, column 1"),
            ("tru", "expected a value, found 't' at line 1, column 1"),
            ("{} {}", "expected the end of the review, found '{' at line 1, column 4"),
        ] {
            assert_eq!(value(text), Err(message.to_owned()), "{text}");
        }
        let deep = "[".repeat(1_000_000);
        assert!(value(&deep).unwrap_err().starts_with("objects and arrays are nested deeper than"));
        let many = Limits { values: 3, ..Limits::default() };
        assert!(read("[1,2,3]", &many, &mut Str::default()).is_err());
    }
}
