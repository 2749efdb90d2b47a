//! `Sprintf`, with the format language of Go's `fmt` package.
//!
//! What does not fit is written into the text as Go writes it (`%!d(string=hi)`), and is no error. Deliberately absent:
//! arguments with structure, which callers write as text first.

mod verbs;

use num_bigint::BigInt;
use palisade_model::{Budget, Spent};
use verbs::Flags;
pub use verbs::quoted;

/// Go's limit on widths and precisions.
const MAX_WIDTH: usize = 1_000_000;

/// An argument as Go sees it.
#[derive(Debug)]
pub enum Argument {
    /// `int64`
    Int(i64),
    /// `*big.Int`
    Big(BigInt),
    /// `float64`
    Float(f64),
    /// `string`
    Text(String),
    /// `bool`, which only templates have.
    Bool(bool),
    /// An `int`, which only templates have.
    Literal(i64),
    /// A value of another type with its text, which only templates have.
    Other(&'static str, String),
}

impl Argument {
    /// As `%v` prints it.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        write(&mut text, self, 'v', Flags::default());
        text
    }

    /// The name of its type in Go.
    fn type_name(&self) -> &'static str {
        match self {
            Self::Int(_) => "int64",
            Self::Literal(_) => "int",
            Self::Big(_) => "*big.Int",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::Bool(_) => "bool",
            Self::Other(name, _) => name,
        }
    }
}

/// The text of a format with its arguments.
pub fn sprintf(budget: &mut Budget, format: &str, arguments: &[Argument]) -> Result<String, Spent> {
    let mut printer = Printer { arguments, next: 0, reordered: false, good: true, rest: format, text: String::new() };
    let mut paid = 0;
    while printer.step() {
        budget.grow(printer.text.len() - paid)?;
        paid = printer.text.len();
    }
    printer.extra();
    budget.grow(printer.text.len() - paid)?;
    Ok(printer.text)
}

struct Printer<'a> {
    arguments: &'a [Argument],
    next: usize,
    /// Whether any verb has named its argument: then none is too many.
    reordered: bool,
    /// Whether the argument that the current verb names is there.
    good: bool,
    rest: &'a str,
    text: String,
}

impl Printer<'_> {
    /// Prints up to and with the next verb; whether there is more.
    fn step(&mut self) -> bool {
        let Some((before, after)) = self.rest.split_once('%') else {
            self.text.push_str(self.rest);
            return false;
        };
        self.text.push_str(before);
        self.rest = after;
        self.good = true;
        let flags = self.flags();
        let Some(verb) = self.rest.chars().next() else {
            self.text.push_str("%!(NOVERB)");
            return false;
        };
        self.rest = self.rest.get(verb.len_utf8()..).unwrap_or_default();
        self.verb(verb, flags);
        true
    }

    fn take(&mut self, c: char) -> bool {
        let rest = self.rest.strip_prefix(c);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Flags, the index of the argument, width and precision.
    fn flags(&mut self) -> Flags {
        let mut flags = Flags::default();
        loop {
            match self.rest.chars().next() {
                Some('#') => flags.sharp = true,
                Some('0') => flags.zero = true,
                Some('+') => flags.plus = true,
                Some('-') => flags.minus = true,
                Some(' ') => flags.space = true,
                _ => break,
            }
            self.rest = self.rest.get(1..).unwrap_or_default();
        }
        let mut after_index = self.index();
        if self.take('*') {
            match self.width_argument() {
                Some(width) => {
                    flags.minus |= width < 0;
                    flags.width = Some(width.unsigned_abs() as usize);
                }
                None => self.text.push_str("%!(BADWIDTH)"),
            }
            after_index = false;
        } else {
            flags.width = self.number();
            // `%[3]2d`: an index stands behind the width.
            self.good &= !(after_index && flags.width.is_some());
        }
        if self.take('.') {
            self.good &= !after_index;
            after_index = self.index();
            if self.take('*') {
                match self.width_argument() {
                    Some(precision) => flags.precision = usize::try_from(precision).ok(),
                    None => self.text.push_str("%!(BADPREC)"),
                }
                after_index = false;
            } else {
                flags.precision = Some(self.number().unwrap_or(0));
            }
        }
        if !after_index {
            self.index();
        }
        flags.zero &= !flags.minus;
        flags
    }

    /// Digits. A number that is too large ends the format.
    fn number(&mut self) -> Option<usize> {
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at_checked(end)?;
        if digits.is_empty() {
            return None;
        }
        self.rest = rest;
        let number = digits.parse().ok().filter(|number| *number <= MAX_WIDTH);
        if number.is_none() {
            self.rest = "";
        }
        number
    }

    /// `[n]`, which names the argument to come; whether there is one.
    fn index(&mut self) -> bool {
        let Some(after) = self.rest.strip_prefix('[') else { return false };
        self.reordered = true;
        let Some((digits, rest)) = after.split_once(']') else {
            self.good = false;
            self.rest = after;
            return false;
        };
        self.rest = rest;
        match digits.parse::<usize>().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit())) {
            Some(index) if (1..=self.arguments.len()).contains(&index) => {
                self.next = index - 1;
                true
            }
            other => {
                self.good = false;
                other.is_some()
            }
        }
    }

    /// The width or precision that an argument gives.
    fn width_argument(&mut self) -> Option<i64> {
        let argument = self.arguments.get(self.next)?;
        self.next += 1;
        match argument {
            Argument::Int(value) | Argument::Literal(value) if value.unsigned_abs() <= MAX_WIDTH as u64 => Some(*value),
            _ => None,
        }
    }

    fn verb(&mut self, verb: char, flags: Flags) {
        if verb == '%' {
            self.text.push('%');
            return;
        }
        if !self.good {
            self.text.extend(["%!", verb.encode_utf8(&mut [0; 4]), "(BADINDEX)"]);
            return;
        }
        match self.arguments.get(self.next) {
            Some(argument) => {
                self.next += 1;
                write(&mut self.text, argument, verb, flags);
            }
            None => self.text.extend(["%!", verb.encode_utf8(&mut [0; 4]), "(MISSING)"]),
        }
    }

    /// What no verb has asked for.
    fn extra(&mut self) {
        let unused = self.arguments.get(self.next..).unwrap_or_default();
        if self.reordered || unused.is_empty() {
            return;
        }
        self.text.push_str("%!(EXTRA ");
        for (position, argument) in unused.iter().enumerate() {
            self.text.push_str(if position == 0 { "" } else { ", " });
            self.text.extend([argument.type_name(), "="]);
            write(&mut self.text, argument, 'v', Flags::default());
        }
        self.text.push(')');
    }
}

fn write(text: &mut String, argument: &Argument, verb: char, flags: Flags) {
    // With `v`, a plus asks for the names of fields.
    let flags = Flags { plus: flags.plus && verb != 'v', ..flags };
    if verb == 'T' {
        flags.pad(text, argument.type_name());
        return;
    }
    if let Argument::Other("<nil>", _) = argument
        && verb != 'v'
    {
        text.extend(["%!", verb.encode_utf8(&mut [0; 4]), "(<nil>)"]);
        return;
    }
    let fits = match argument {
        Argument::Int(value) | Argument::Literal(value) => verbs::integer(text, &BigInt::from(*value), verb, flags),
        Argument::Big(value) => verbs::big_integer(text, value, verb, flags),
        Argument::Float(value) => verbs::float(text, *value, verb, flags),
        Argument::Text(value) => verbs::string(text, value, verb, flags),
        Argument::Bool(value) => verbs::boolean(text, *value, verb, flags),
        Argument::Other(_, value) => matches!(verb, 'v' | 's') && verbs::string(text, value, 's', flags),
    };
    if !fits {
        // A big integer formats itself, without the star of its type.
        let name = argument.type_name().trim_start_matches('*');
        text.extend(["%!", verb.encode_utf8(&mut [0; 4]), "(", name, "="]);
        write(text, argument, 'v', Flags { sharp: false, ..flags });
        text.push(')');
    }
}
