//! The words of an action.

/// A word, and whether a space stands in front of it (`.a .b` are two operands, `.a.b` is one).
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) spaced: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// A keyword, function, `true`, `false` or `nil`.
    Word(String),
    /// `.name`
    Field(String),
    /// `.`
    Dot,
    /// `$name`; `$` has an empty name.
    Variable(String),
    Text(String),
    Int(i64),
    Float(f64),
    /// `|`, `(`, `)`, `,`, `=`
    Sign(char),
    /// `:=`
    Declare,
}

/// The words of an action's text.
pub(super) fn tokens(mut rest: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    loop {
        let trimmed = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        let spaced = trimmed.len() < rest.len();
        rest = trimmed;
        let Some(first) = rest.chars().next() else { return Ok(tokens) };
        let (kind, length) = match first {
            '|' | '(' | ')' | ',' | '=' => (Kind::Sign(first), 1),
            ':' if rest.starts_with(":=") => (Kind::Declare, 2),
            '"' | '\'' => quoted(rest, first)?,
            '`' => {
                let raw = rest.get(1..).and_then(|raw| raw.split_once('`')).ok_or("unterminated raw quoted string")?.0;
                (Kind::Text(raw.to_owned()), raw.len() + 2)
            }
            '$' => {
                let name = word(rest.get(1..).unwrap_or_default());
                (Kind::Variable(name.to_owned()), name.len() + 1)
            }
            '.' if rest.chars().nth(1).is_some_and(|c| c.is_ascii_digit()) => number(rest)?,
            '.' => match word(rest.get(1..).unwrap_or_default()) {
                "" => (Kind::Dot, 1),
                name => (Kind::Field(name.to_owned()), name.len() + 1),
            },
            '+' | '-' | '0'..='9' => number(rest)?,
            c if c.is_alphabetic() || c == '_' => {
                let name = word(rest);
                (Kind::Word(name.to_owned()), name.len())
            }
            c => return Err(format!("unexpected {c:?} in an action")),
        };
        rest = rest.get(length..).unwrap_or_default();
        tokens.push(Token { kind, spaced });
    }
}

/// Letters, digits and underscores.
fn word(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

fn number(text: &str) -> Result<(Kind, usize), String> {
    let end = text
        .char_indices()
        .find(|(at, c)| {
            let exponent = matches!(text.get(..*at).and_then(|before| before.chars().last()), Some('e' | 'E'));
            !(c.is_alphanumeric() || matches!(c, '.' | '_') || (matches!(c, '+' | '-') && (*at == 0 || exponent)))
        })
        .map_or(text.len(), |(at, _)| at);
    let digits = text.get(..end).unwrap_or_default();
    let plain = digits.replace('_', "");
    let unsigned = plain.trim_start_matches(['+', '-']);
    let radix = [("0x", 16), ("0X", 16), ("0b", 2), ("0o", 8)].iter().find(|(prefix, _)| unsigned.starts_with(prefix));
    let kind = match radix {
        Some((_, radix)) => i64::from_str_radix(unsigned.get(2..).unwrap_or_default(), *radix)
            .ok()
            .map(|value| Kind::Int(if plain.starts_with('-') { -value } else { value })),
        None => plain.parse().map(Kind::Int).or_else(|_| plain.parse().map(Kind::Float)).ok(),
    };
    kind.map(|kind| (kind, end)).ok_or_else(|| format!("bad number syntax: {digits:?}"))
}

/// A text in double quotes, or a character in single ones, which is its number.
fn quoted(text: &str, quote: char) -> Result<(Kind, usize), String> {
    let mut value = String::new();
    let mut rest = text.char_indices().skip(1);
    while let Some((at, c)) = rest.next() {
        match c {
            '\n' => break,
            '\\' => value.push(escape(&mut rest, quote)?),
            c if c == quote => {
                let kind = match (quote, value.chars().next()) {
                    ('"', _) => Kind::Text(value),
                    (_, Some(c)) if value.chars().count() == 1 => Kind::Int(i64::from(u32::from(c))),
                    _ => return Err("malformed character constant".to_owned()),
                };
                return Ok((kind, at + 1));
            }
            c => value.push(c),
        }
    }
    Err("unterminated quoted string".to_owned())
}

fn escape(rest: &mut impl Iterator<Item = (usize, char)>, quote: char) -> Result<char, String> {
    let (_, c) = rest.next().ok_or("unterminated quoted string")?;
    let digits = match c {
        'n' => return Ok('\n'),
        't' => return Ok('\t'),
        'r' => return Ok('\r'),
        'a' => return Ok('\u{7}'),
        'b' => return Ok('\u{8}'),
        'f' => return Ok('\u{c}'),
        'v' => return Ok('\u{b}'),
        '\\' => return Ok('\\'),
        c if c == quote => return Ok(c),
        'x' => 2,
        'u' => 4,
        'U' => 8,
        _ => return Err(format!("unknown escape `\\{c}`")),
    };
    let digits: String = rest.take(digits).map(|(_, c)| c).collect();
    let value = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
    value.ok_or_else(|| format!("unknown escape `\\{c}{digits}`"))
}
