//! `palisade.toml`, declared once.
//!
//! A section of the configuration is written with [`section!`]: its keys with type, default and one line each. From that
//! come the struct that serde reads, the check of a file against all sections ([`Document`]), what is in force and where
//! it comes from ([`Document::in_force`]), and the reference page and JSON schema ([`reference`], [`schema`]).
//!
//! It is a crate so that every owner of a section can declare its own without knowing the others. Deliberately absent:
//! the table of all sections (the command line has it), finding the file, and reading the environment.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests take the time as it is"))]

mod codes;
mod document;
mod in_force;
pub mod reference;
pub mod schema;
mod section;
mod setting;

pub use codes::CODES;
pub use document::{Document, Spanned};
pub use in_force::{InForce, Origin};
pub use section::{Key, Kind, Section, Table};
pub use setting::{Setting, duration, quoted};
