//! The words and signs of the language.

use palisade_model::Span;

/// A token and what lies before it: whether a call's parenthesis or a reference's bracket touches the name before it,
/// and whether a line ends there, decides how the text is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    /// What it is.
    pub kind: Kind,
    /// Whether white space or a comment lies before it.
    pub spaced: bool,
    /// Whether a line ends before it.
    pub newline: bool,
    /// Where it is written.
    pub span: Span,
}

/// The kinds of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    End,
    /// What the lexer has reported already.
    Illegal,
    Name,
    Number,
    Text,
    RawText,
    /// `$"` or `` $` ``.
    Template,
    /// Text within a template.
    TemplateText,
    /// The brace that opens an expression within a template.
    TemplateOpen,
    /// The brace that closes it.
    TemplateClose,
    TemplateEnd,
    Package,
    Import,
    As,
    Default,
    Else,
    Not,
    With,
    Some,
    Null,
    True,
    False,
    If,
    Contains,
    In,
    Every,
    BraceOpen,
    BraceClose,
    BracketOpen,
    BracketClose,
    ParenOpen,
    ParenClose,
    Dot,
    Comma,
    Colon,
    Semicolon,
    Assign,
    Unify,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Plus,
    Minus,
    Times,
    Divide,
    Remainder,
    And,
    Or,
    /// The words, where they are keywords; the two before are `&` and `|`.
    LogicalAnd,
    LogicalOr,
}

impl Kind {
    /// The kind of a word.
    pub(super) fn of_word(word: &str) -> Self {
        match word {
            "package" => Self::Package,
            "import" => Self::Import,
            "as" => Self::As,
            "default" => Self::Default,
            "else" => Self::Else,
            "not" => Self::Not,
            "with" => Self::With,
            "some" => Self::Some,
            "null" => Self::Null,
            "true" => Self::True,
            "false" => Self::False,
            "if" => Self::If,
            "contains" => Self::Contains,
            "in" => Self::In,
            "every" => Self::Every,
            "and" => Self::LogicalAnd,
            "or" => Self::LogicalOr,
            _ => Self::Name,
        }
    }

    /// Whether it is a word with a meaning of its own.
    pub(super) fn is_keyword(self) -> bool {
        matches!(
            self,
            Self::Package
                | Self::Import
                | Self::As
                | Self::Default
                | Self::Else
                | Self::Not
                | Self::With
                | Self::Some
                | Self::Null
                | Self::True
                | Self::False
                | Self::If
                | Self::Contains
                | Self::In
                | Self::Every
                | Self::LogicalAnd
                | Self::LogicalOr
        )
    }

    /// As messages name it, in the words that OPA's users know.
    pub(super) fn describe(self, text: &str) -> String {
        let sign = match self {
            _ if self.is_keyword() => return format!("{text} keyword"),
            Self::End => "eof",
            Self::Illegal => "illegal",
            Self::Name => "identifier",
            Self::Number => "number",
            Self::Text | Self::RawText => "string",
            Self::Template | Self::TemplateText | Self::TemplateEnd => "template-string",
            Self::Assign => "assign",
            Self::Unify => "eq",
            Self::Equal => "equal",
            Self::NotEqual => "neq",
            Self::Less => "lt",
            Self::LessOrEqual => "lte",
            Self::Greater => "gt",
            Self::GreaterOrEqual => "gte",
            Self::Plus => "plus",
            Self::Minus => "minus",
            Self::Times => "mul",
            Self::Divide => "div",
            Self::Remainder => "rem",
            Self::And => "and",
            Self::Or => "or",
            _ => text,
        };
        format!("{sign} token")
    }
}
