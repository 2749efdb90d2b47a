//! Types of builtins' arguments and results, for messages and for the compiler's checks.

/// A type as builtins declare it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Any value.
    Any,
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean,
    /// A number.
    Number,
    /// Text.
    String,
    /// An array whose elements have the type.
    Array(&'static Type),
    /// A set whose elements have the type.
    Set(&'static Type),
    /// An object with keys and values of the types.
    Object(&'static Type, &'static Type),
    /// One of several.
    OneOf(&'static [Type]),
}
