//! The path language of mutators: `spec.containers[name: main].image`, `[name: *]` for every element.
//!
//! Names that are not plain words are quoted: `metadata.labels."example.com/team"`. Deliberately absent: indices, which
//! Gatekeeper leaves out because lists of an API have keys.

use std::fmt;

use palisade_model::{Str, Value};

/// The most steps of a location.
const MAX_STEPS: usize = 64;

/// One step of a location.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// A member of an object.
    Field(Str),
    /// The element of a list whose member `key` has this value; every element where there is none.
    Element { key: Str, value: Option<Value> },
}

/// Where a mutator changes an object; at least one step, and never two of a list behind one another.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Location(pub(crate) Vec<Step>);

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Quoted(String),
    Symbol(char),
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(text) => write!(f, "`{text}`"),
            Self::Quoted(text) => write!(f, "`\"{text}\"`"),
            Self::Symbol(symbol) => write!(f, "`{symbol}`"),
        }
    }
}

impl Location {
    /// Reads a location; the error says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut tokens = tokens(text)?.into_iter().peekable();
        let mut steps = Vec::new();
        loop {
            let name = name(tokens.next(), "a field name")?;
            steps.push(Step::Field(name));
            if tokens.next_if_eq(&Token::Symbol('[')).is_some() {
                steps.push(element(&mut tokens)?);
            }
            if steps.len() > MAX_STEPS {
                return Err(format!("a location may have at most {MAX_STEPS} steps"));
            }
            match tokens.next() {
                None => return Ok(Self(steps)),
                Some(Token::Symbol('.')) => {}
                Some(token) => return Err(format!("expected `.` or the end, found {token}")),
            }
        }
    }

    /// Whether this is where `other` begins.
    pub(crate) fn begins(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }

    /// Whether it leads into `metadata`.
    pub(crate) fn is_metadata(&self) -> bool {
        matches!(self.0.first(), Some(Step::Field(name)) if &**name == "metadata")
    }

    /// The last step.
    pub(crate) fn last(&self) -> Option<&Step> {
        self.0.last()
    }
}

fn name(token: Option<Token>, wanted: &str) -> Result<Str, String> {
    match token {
        Some(Token::Word(text) | Token::Quoted(text)) => Ok(text.into()),
        Some(other) => Err(format!("expected {wanted}, found {other}")),
        None => Err(format!("expected {wanted}, found the end")),
    }
}

/// `key: value]`, behind the bracket.
fn element(tokens: &mut impl Iterator<Item = Token>) -> Result<Step, String> {
    let key = name(tokens.next(), "the key of a list's elements")?;
    symbol(tokens.next(), ':')?;
    let value = match tokens.next() {
        Some(Token::Symbol('*')) => None,
        // A number that is not quoted is one.
        Some(Token::Word(text)) => Some(text.parse().map_or_else(|_| Value::from(text.as_str()), Value::Int)),
        token => Some(Value::from(name(token, "a value or `*`")?)),
    };
    symbol(tokens.next(), ']')?;
    Ok(Step::Element { key, value })
}

fn symbol(token: Option<Token>, wanted: char) -> Result<(), String> {
    match token {
        Some(Token::Symbol(found)) if found == wanted => Ok(()),
        Some(other) => Err(format!("expected `{wanted}`, found {other}")),
        None => Err(format!("expected `{wanted}`, found the end")),
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            ' ' | '\t' | '\r' | '\n' => {}
            '.' | '[' | ']' | '*' | ':' => tokens.push(Token::Symbol(character)),
            '"' | '\'' => tokens.push(Token::Quoted(quoted(&mut characters, character)?)),
            _ if is_word(character) => {
                let mut word = String::from(character);
                while let Some(next) = characters.next_if(|next| is_word(*next)) {
                    word.push(next);
                }
                tokens.push(Token::Word(word));
            }
            _ => return Err(format!("`{character}` must be within quotes")),
        }
    }
    Ok(tokens)
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-')
}

/// The text up to `quote`; a backslash takes the character behind it as it is.
fn quoted(characters: &mut impl Iterator<Item = char>, quote: char) -> Result<String, String> {
    let mut text = String::new();
    loop {
        match characters.next() {
            Some(end) if end == quote => return Ok(text),
            Some('\\') => text.extend(characters.next()),
            Some(other) => text.push(other),
            None => return Err(format!("a text that begins with {quote} does not end")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str) -> Step {
        Step::Field(name.into())
    }

    #[test]
    fn locations_are_read() {
        let parsed = Location::parse("spec.containers[name: *].image").unwrap();
        let every = Step::Element { key: "name".into(), value: None };
        assert_eq!(parsed.0, [field("spec"), field("containers"), every, field("image")]);
        let parsed = Location::parse(r#"metadata.labels."example.com/team""#).unwrap();
        assert_eq!(parsed.last(), Some(&field("example.com/team")));
        let parsed = Location::parse("spec.ports[containerPort: 80]").unwrap();
        assert_eq!(parsed.last(), Some(&Step::Element { key: "containerPort".into(), value: Some(Value::Int(80)) }));
        let parsed = Location::parse("spec.ports['a b': \"80\"]").unwrap();
        assert_eq!(parsed.last(), Some(&Step::Element { key: "a b".into(), value: Some("80".into()) }));
    }

    #[test]
    fn broken_locations_are_refused() {
        for broken in [
            "",
            ".",
            "spec.",
            "spec..a",
            "spec[name: a][name: b]",
            "spec[name]",
            "spec[*]",
            "a b",
            "spec/a",
            "'a",
            "[name: a]",
        ] {
            assert!(Location::parse(broken).is_err(), "{broken}");
        }
        assert!(Location::parse(&"a.".repeat(10_000)).is_err());
    }
}
