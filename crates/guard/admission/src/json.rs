//! Bytes to a [`Value`], as fast as a webhook needs it: no spans, names that repeat are shared, everything is bounded.
//!
//! Strict as RFC 8259, except that half a surrogate pair reads as U+FFFD, as in Go. A member that is given twice has its
//! last value. Deliberately absent: files, whose reader keeps the place of every node (`palisade-document`).

use std::cell::Cell;

use palisade_model::{Map, Str, Value};

use crate::review::{Limits, Trouble};

/// How many names are remembered, a power of two. Reviews repeat a few hundred.
const NAMES: usize = 1 << NAME_BITS;
const NAME_BITS: u32 = 9;
/// The longest name that is remembered.
const LONGEST_NAME: usize = 32;

/// Names by their hash.
type Names = [Option<Str>; NAMES];

thread_local! {
    /// The names that this thread met in earlier reviews, which spares most of their allocations. Each thread has its
    /// own, so that threads do not contend for reference counts. Taken while a review is read.
    static KNOWN: Cell<Option<Box<Names>>> = const { Cell::new(None) };
}

/// Reads one document; `uid` receives `request.uid` as soon as it is read, whatever comes after.
pub(crate) fn read(text: &str, limits: &Limits, uid: &mut Str) -> Result<Value, Trouble> {
    let names = KNOWN.take().unwrap_or_else(|| Box::new([const { None }; NAMES]));
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
    let value = reader.whole();
    KNOWN.set(Some(reader.names));
    value.map_err(|failure| *failure)
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
    names: Box<Names>,
    /// Whether the member `request` of the whole is being read.
    in_request: bool,
    uid: &'a mut Str,
}

/// Small, so that results fit registers.
type Failure = Box<Trouble>;

impl<'a> Reader<'a> {
    fn whole(&mut self) -> Result<Value, Failure> {
        let mut value = Value::Null;
        self.skip_space();
        self.value(&mut value)?;
        self.skip_space();
        if self.pos < self.bytes.len() {
            return Err(self.expected("the end of the review"));
        }
        Ok(value)
    }

    /// Reads a value into its place, which spares moving it there.
    fn value(&mut self, into: &mut Value) -> Result<(), Failure> {
        self.left = self
            .left
            .checked_sub(1)
            .ok_or_else(|| Trouble::Limit(format!("it holds more than {} values", self.limits.values)))?;
        match self.peek() {
            b'"' => *into = Value::String(self.text()?),
            b'{' => {
                self.enter()?;
                *into = Value::object(self.object()?);
                self.depth -= 1;
            }
            b'[' => {
                self.enter()?;
                *into = Value::array(self.array()?);
                self.depth -= 1;
            }
            b'-' | b'0'..=b'9' => *into = self.number()?,
            b't' => *into = self.word("true", Value::Bool(true))?,
            b'f' => *into = self.word("false", Value::Bool(false))?,
            b'n' => *into = self.word("null", Value::Null)?,
            _ => return Err(self.expected("a value")),
        }
        Ok(())
    }

    /// Steps over an opening bracket.
    fn enter(&mut self) -> Result<(), Failure> {
        if self.depth >= self.limits.depth {
            let message = format!("objects and arrays are nested deeper than {} levels", self.limits.depth);
            return Err(self.trouble(self.pos, message));
        }
        self.depth += 1;
        self.pos += 1;
        self.skip_space();
        Ok(())
    }

    fn array(&mut self) -> Result<Vec<Value>, Failure> {
        let mut items = Vec::new();
        if self.closes(b']') {
            return Ok(items);
        }
        loop {
            let mut item = Value::Null;
            self.value(&mut item)?;
            items.push(item);
            if !self.continues(b']', "`,` or `]`")? {
                return Ok(items);
            }
        }
    }

    fn object(&mut self) -> Result<Map, Failure> {
        let mut map = Map::new();
        // A bit for each name so far: where the bit of a name is not set, no search is needed to know that it is new.
        let mut met = 0_u64;
        if self.closes(b'}') {
            return Ok(map);
        }
        loop {
            if self.peek() != b'"' {
                return Err(self.expected("a name in double quotes"));
            }
            let (name, hash) = self.name()?;
            self.skip_space();
            if self.peek() != b':' {
                return Err(self.expected("`:`"));
            }
            self.pos += 1;
            self.skip_space();
            let of_uid = self.depth <= 2 && self.is_uid(&name);
            let bit = 1 << (hash & 63);
            let slot = if met & bit == 0 { map.append(name) } else { map.entry(&name) };
            met |= bit;
            self.value(slot)?;
            if of_uid {
                *self.uid = slot.as_shared_str().cloned().unwrap_or_default();
            }
            if !self.continues(b'}', "`,` or `}`")? {
                return Ok(map);
            }
        }
    }

    /// Whether the member that follows is `request.uid`.
    fn is_uid(&mut self, name: &str) -> bool {
        if self.depth == 1 {
            self.in_request = name == "request";
            return false;
        }
        self.in_request && name == "uid"
    }

    /// Steps over the closing bracket of something empty.
    fn closes(&mut self, bracket: u8) -> bool {
        let closes = self.peek() == bracket;
        self.pos += usize::from(closes);
        closes
    }

    /// Steps over what follows an element; whether another one comes.
    fn continues(&mut self, bracket: u8, wanted: &str) -> Result<bool, Failure> {
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

    /// The name at the cursor in its shared form, with its hash.
    fn name(&mut self) -> Result<(Str, u64), Failure> {
        let Some(text) = self.plain() else {
            let text = self.escaped()?;
            return Ok((text.as_str().into(), hash(text.as_bytes())));
        };
        let hash = hash(text.as_bytes());
        let slot =
            if text.len() > LONGEST_NAME { None } else { self.names.get_mut((hash >> (64 - NAME_BITS)) as usize) };
        let name = match slot {
            Some(Some(known)) if **known == *text => known.clone(),
            Some(slot) => slot.insert(text.into()).clone(),
            None => text.into(),
        };
        Ok((name, hash))
    }

    /// The string at the cursor.
    fn text(&mut self) -> Result<Str, Failure> {
        match self.plain() {
            Some(text) => Ok(text.into()),
            None => self.escaped().map(Str::from),
        }
    }

    /// The string at the cursor if it has no escapes.
    #[inline]
    fn plain(&mut self) -> Option<&'a str> {
        let start = self.pos + 1;
        let rest = self.bytes.get(start..)?;
        let length = plain_length(rest);
        if rest.get(length) != Some(&b'"') {
            return None;
        }
        self.pos = start + length + 1;
        self.text.get(start..start + length)
    }

    /// The string at the cursor, whatever is in it.
    fn escaped(&mut self) -> Result<String, Failure> {
        self.pos += 1;
        let mut text = self.run().to_owned();
        loop {
            match self.peek() {
                b'"' => {
                    self.pos += 1;
                    return Ok(text);
                }
                b'\\' => {
                    text.push(self.escape()?);
                    text.push_str(self.run());
                }
                _ if self.pos < self.bytes.len() => {
                    return Err(self.trouble(self.pos, "a string holds an unescaped control character"));
                }
                _ => return Err(self.expected("the end of a string")),
            }
        }
    }

    /// What comes before the next quote, backslash or control character.
    fn run(&mut self) -> &'a str {
        let start = self.pos;
        self.pos += plain_length(self.bytes.get(start..).unwrap_or_default());
        self.text.get(start..self.pos).unwrap_or_default()
    }

    fn escape(&mut self) -> Result<char, Failure> {
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
            _ => return Err(self.trouble(self.pos - 2, "a string holds an unknown escape")),
        })
    }

    fn unicode(&mut self) -> Result<char, Failure> {
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

    fn four_digits(&mut self) -> Result<u32, Failure> {
        let digits =
            self.text.get(self.pos..self.pos + 4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let value = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let value = value.ok_or_else(|| self.expected("four hexadecimal digits"))?;
        self.pos += 4;
        Ok(value)
    }

    /// A number: 64-bit integers where they fit, doubles elsewhere.
    fn number(&mut self) -> Result<Value, Failure> {
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
        number.ok_or_else(|| self.trouble(start, "a number is out of range"))
    }

    fn some_digits(&mut self) -> Result<(), Failure> {
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

    fn word(&mut self, word: &str, value: Value) -> Result<Value, Failure> {
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

    #[expect(clippy::unnecessary_box_returns, reason = "what is boxed here fits the results of every caller")]
    fn trouble(&self, at: usize, message: impl Into<String>) -> Failure {
        trouble_at(self.bytes, at, message).into()
    }

    #[cold]
    #[expect(clippy::unnecessary_box_returns, reason = "what is boxed here fits the results of every caller")]
    fn expected(&self, what: &str) -> Failure {
        let found = match self.text.get(self.pos..).and_then(|rest| rest.chars().next()) {
            Some(character) => format!("found {character:?}"),
            None => "the review ends".to_owned(),
        };
        self.trouble(self.pos, format!("expected {what}, {found}"))
    }
}

/// A number of 64 bits for a name, the higher ones the better mixed.
fn hash(name: &[u8]) -> u64 {
    let (first, last) = match (name.first_chunk(), name.last_chunk()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => match (name.first_chunk(), name.last_chunk()) {
            (Some(first), Some(last)) => (u64::from(u32::from_le_bytes(*first)), u64::from(u32::from_le_bytes(*last))),
            _ => name.iter().fold((0, 0), |(before, _), byte| (before << 8 | u64::from(*byte), 0)),
        },
    };
    let mixed = (first ^ last.rotate_left(29) ^ name.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 32)
}

/// How many bytes come before the first quote, backslash or control character. Looks at eight at a time, in the way of
/// `(x - 1) & !x & 0x80`, which is not zero where a byte of `x` is.
fn plain_length(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    const QUOTES: u64 = u64::from_le_bytes([b'"'; 8]);
    const BACKSLASHES: u64 = u64::from_le_bytes([b'\\'; 8]);
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let (quote, backslash) = (word ^ QUOTES, word ^ BACKSLASHES);
        let found = (word.wrapping_sub(ONES * 0x20) & !word)
            | (quote.wrapping_sub(ONES) & !quote)
            | (backslash.wrapping_sub(ONES) & !backslash);
        // Borrows can only mark bytes behind one that is rightly marked.
        if found & HIGH != 0 {
            return at * 8 + ((found & HIGH).trailing_zeros() / 8) as usize;
        }
    }
    let within = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(rest.len());
    words.len() * 8 + within
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
    fn many_names_and_the_ends_of_strings_are_read_as_serde_reads_them() {
        // Twice, because names are remembered; with names that occur again late, where most bits are taken.
        let members: Vec<_> = (0..300).map(|n| format!("\"n{}\":{n}", n % 250)).collect();
        let large = format!("{{{}}}", members.join(","));
        for _ in 0..2 {
            assert_eq!(value(&large), Ok(Value::from_json(&large).unwrap()));
        }
        for before in 0..20 {
            for (what, valid) in [("", true), ("\\n", true), ("\u{7f}é", true), ("\u{1f}", false), ("\u{0}", false)] {
                let text = format!("[\"{}{what}{}\",\"!#[]\"]", "x".repeat(before), "y".repeat(9));
                assert_eq!(value(&text).ok(), Value::from_json(&text).ok(), "{text:?}");
                assert_eq!(value(&text).is_ok(), valid, "{text:?}");
            }
        }
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
