//! What is wrong with the user's input, as data: a stable code, a message, labelled places, help.

use std::fmt;

use crate::Location;

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// For information.
    Note,
    /// Works, but probably not as meant.
    Warning,
    /// Could not be used; whatever depended on it is an error verdict.
    Error,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// A labelled place. The first label of a diagnostic is the primary one.
#[derive(Clone, Debug)]
pub struct Label {
    /// The place.
    pub location: Location,
    /// What is to be seen there; may be empty.
    pub text: String,
}

/// One thing that is wrong with the input. Messages are lower case, without a final period, values in backticks.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// A stable code from a crate's table, such as `PAL-D0003`; `palisade explain` knows it.
    pub code: &'static str,
    /// How bad it is.
    pub level: Level,
    /// What happened.
    pub message: String,
    /// Where.
    pub labels: Vec<Label>,
    /// What to do next, a sentence each.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// A diagnostic of `level`.
    pub fn new(code: &'static str, level: Level, message: impl Into<String>) -> Self {
        Self { code, level, message: message.into(), labels: Vec::new(), help: Vec::new() }
    }

    /// An error.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, Level::Error, message)
    }

    /// A warning.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, Level::Warning, message)
    }

    /// Adds a place.
    #[must_use]
    pub fn at(mut self, location: Location, text: impl Into<String>) -> Self {
        self.labels.push(Label { location, text: text.into() });
        self
    }

    /// Adds what to do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    /// One line: `file:line:column: error[CODE]: message`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(label) = self.labels.first() {
            write!(f, "{}: ", label.location)?;
        }
        write!(f, "{}[{}]: {}", self.level, self.code, self.message)
    }
}

/// An entry of a crate's table of diagnostic codes, printed by `palisade explain CODE`.
#[derive(Clone, Copy, Debug)]
pub struct CodeEntry {
    /// The code.
    pub code: &'static str,
    /// What it means, in one line.
    pub title: &'static str,
    /// Why it is reported and how to mend it, in a paragraph or two with an example.
    pub explanation: &'static str,
}

/// Writes a table of diagnostic codes: a constant for each code (`NAME "PAL-.." "title" "explanation"`), and `CODES`.
#[macro_export]
macro_rules! codes {
    ($($name:ident $code:literal $title:literal $explanation:literal)+) => {
        $(pub(crate) const $name: &str = $code;)+

        /// What `palisade explain` knows of these codes, in order.
        pub const CODES: &[$crate::CodeEntry] =
            &[$($crate::CodeEntry { code: $code, title: $title, explanation: $explanation }),+];
    };
}
