//! What a section is: a name and a shape, known before any file is read.
//!
//! [`section!`] declares a table of keys as the struct that it is read into, [`choice!`] a value that is one of some
//! words. Both are plain `macro_rules`: what they write is a struct or an enum with serde's derives, and a constant.

/// A section: what stands at the top of the file.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// Its name, such as `store`.
    pub name: &'static str,
    /// What it is for.
    pub doc: &'static str,
    /// What it holds.
    pub kind: Kind,
}

/// What a key or a section holds.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// `true` or `false`.
    Flag,
    /// A whole number from 0 to this one.
    Integer(u64),
    /// Any number.
    Number,
    /// A text; the word says of which sort, such as `path`.
    Text(&'static str),
    /// One of these words.
    Word(&'static [&'static str]),
    /// One of these.
    Either(&'static [Kind]),
    /// A list.
    List(&'static Kind),
    /// Values by names that the user writes; the word says what they name.
    Map(&'static str, &'static Kind),
    /// A table with these keys.
    Table(&'static Table),
}

impl Kind {
    /// Addresses, of which the password is never shown.
    pub const URL: Self = Self::Text("URL");
    /// Files and folders.
    pub const PATH: Self = Self::Text("path");
    /// Any text.
    pub const TEXT: Self = Self::Text("text");

    /// In words, such as `list of paths`.
    pub fn described(self) -> String {
        match self {
            Self::Flag => "`true` or `false`".to_owned(),
            Self::Integer(_) => "whole number".to_owned(),
            Self::Number => "number".to_owned(),
            Self::Text(sort) => sort.to_owned(),
            Self::Word(words) => {
                words.iter().map(|word| format!("`{}`", crate::quoted(word))).collect::<Vec<_>>().join(", ")
            }
            Self::Either(kinds) => kinds.iter().map(|kind| kind.described()).collect::<Vec<_>>().join(", "),
            Self::List(Self::Text(sort)) => format!("list of {sort}s"),
            Self::List(kind) => format!("list: {}", kind.described()),
            Self::Map(_, kind) => format!("table: {}", kind.described()),
            Self::Table(_) => "table".to_owned(),
        }
    }
}

/// A table with fixed keys.
#[derive(Debug)]
pub struct Table {
    /// What it is for.
    pub doc: &'static str,
    /// The keys that it may have.
    pub keys: &'static [Key],
}

/// A key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its field; [`Key::name`] is how the file writes it.
    pub field: &'static str,
    /// What it does, each line as the doc comment has it.
    pub doc: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether its table cannot be without it.
    pub required: bool,
    /// Its default as TOML; none where absence is one.
    pub default: fn() -> Option<String>,
    /// What absence amounts to, as TOML, where that can be written down.
    pub implied: Option<fn() -> String>,
    /// The variable of the environment that wins over the file.
    pub variable: Option<&'static str>,
}

impl Key {
    /// A key of which nothing is known.
    pub const PLAIN: Self =
        Self { field: "", doc: "", kind: Kind::TEXT, required: false, default: || None, implied: None, variable: None };

    /// As the file writes it.
    pub fn name(&self) -> String {
        self.field.replace('_', "-")
    }

    /// Its default as TOML, the implied one included.
    pub fn default(&self) -> Option<String> {
        self.implied.map_or_else(self.default, |implied| Some(implied()))
    }
}

/// Declares a table of the configuration: a struct with a doc comment, and per key a doc comment, a type and a default.
///
/// With a name in parentheses it is a section. A table in which every key has a default is itself a default; where one
/// has none it is required, and the others need serde's `default` too. After the type, a [`Kind`] in brackets replaces
/// that of the type; after the default, `=> variable = "NAME"` and `implied = || TOML` say more.
#[macro_export]
macro_rules! section {
    (
        $(#[doc = $doc:literal])+
        $(#[derive($($derive:ident),+)])?
        $visibility:vis struct $name:ident $(($section:literal))? {
            $(
                $(#[doc = $key_doc:literal])+
                $(#[serde($($serde:tt)*)])?
                $key_visibility:vis $key:ident: $type:ty $([$kind:expr])? = $default:expr $(=> $($extra:ident = $value:expr),+)?;
            )+
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(::serde::Deserialize $($(, $derive)+)?)]
        #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
        $visibility struct $name {
            $($(#[doc = $key_doc])+ $(#[serde($($serde)*)])? $key_visibility $key: $type,)+
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($key: $default),+ }
            }
        }

        $crate::section!(@declared $visibility $name $(($section))? [$($doc)+] $({
            $key, [$($key_doc)+], $type, [$($kind)?], false,
            || $crate::Setting::show(&{ let value: $type = $default; value }), [$($($extra = $value),+)?]
        })+);
    };
    (
        $(#[doc = $doc:literal])+
        $(#[derive($($derive:ident),+)])?
        $visibility:vis struct $name:ident $(($section:literal))? {
            $(
                $(#[doc = $key_doc:literal])+
                $(#[serde($($serde:tt)*)])?
                $key_visibility:vis $key:ident: $type:ty $([$kind:expr])? $(= $default:expr)?;
            )+
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(::serde::Deserialize $($(, $derive)+)?)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        $visibility struct $name {
            $($(#[doc = $key_doc])+ $(#[serde($($serde)*)])? $key_visibility $key: $type,)+
        }

        $crate::section!(@declared $visibility $name $(($section))? [$($doc)+] $({
            $key, [$($key_doc)+], $type, [$($kind)?], $crate::section!(@required $($default)?),
            $crate::section!(@default $type $(, $default)?), []
        })+);
    };
    (@declared $visibility:vis $name:ident $(($section:literal))? [$($doc:literal)+] $({
        $key:ident, [$($key_doc:literal)+], $type:ty, [$($kind:expr)?], $required:expr, $default:expr,
        [$($extra:ident = $value:expr),*]
    })+) => {
        impl $name {
            /// The keys, as a file may write them.
            #[allow(clippy::needless_update, reason = "a key may say everything that can be said of one")]
            $visibility const TABLE: &'static $crate::Table = &$crate::Table {
                doc: concat!($($doc),+),
                keys: &[$($crate::Key {
                    field: stringify!($key),
                    doc: concat!($($key_doc),+),
                    kind: $crate::section!(@kind $type $(, $kind)?),
                    required: $required,
                    default: $default,
                    $($extra: Some($value),)*
                    ..$crate::Key::PLAIN
                }),+],
            };
            $(
                /// The section that this is.
                $visibility const SECTION: $crate::Section =
                    $crate::Section { name: $section, doc: Self::TABLE.doc, kind: $crate::Kind::Table(Self::TABLE) };
            )?
        }

        impl $crate::Setting for $name {
            const KIND: $crate::Kind = $crate::Kind::Table(Self::TABLE);

            /// Its keys are shown, not the table.
            fn show(&self) -> Option<String> {
                None
            }
        }
    };
    (@kind $type:ty) => { <$type as $crate::Setting>::KIND };
    (@kind $type:ty, $kind:expr) => { $kind };
    (@required) => { true };
    (@required $default:expr) => { false };
    (@default $type:ty) => { || None };
    (@default $type:ty, $default:expr) => { || $crate::Setting::show(&{ let value: $type = $default; value }) };
}

/// Declares a value that is one of some words, as an enum with the word of each variant.
#[macro_export]
macro_rules! choice {
    (
        $(#[doc = $doc:literal])+
        $visibility:vis enum $name:ident {
            $($(#[doc = $variant_doc:literal])+ $variant:ident = $word:literal,)+
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, ::serde::Deserialize)]
        $visibility enum $name {
            $($(#[doc = $variant_doc])+ #[serde(rename = $word)] $variant,)+
        }

        impl $crate::Setting for $name {
            const KIND: $crate::Kind = $crate::Kind::Word(&[$($word),+]);

            fn show(&self) -> Option<String> {
                Some($crate::quoted(match self { $(Self::$variant => $word),+ }))
            }
        }
    };
}
