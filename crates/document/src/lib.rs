//! Bytes to span-carrying trees for every kind of file a team ships.
//!
//! A file is of a [`kind`], which says how it is read. It becomes a [`Source`](palisade_model::Source), a source becomes [`Document`]s (a value and the span of each of
//! its nodes), and whatever is wrong with it becomes diagnostics: user input never produces an `Err` or a panic here.
//! [`archive`] reads the files of archives, [`write`] prints values as YAML, [`edit`] changes a document in place and keeps its comments. Deliberately absent:
//! finding and opening files (`palisade-intake`), and what a document means to policies and schemas.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests read fixtures and corpora"))]

pub mod archive;
mod codes;
pub mod comment;
mod decode;
mod document;
pub mod edit;
mod fail;
mod json;
pub mod kind;
mod toml;
pub mod write;
mod yaml;

pub use codes::CODES;
pub use decode::{decode, parse};
pub use document::{Document, Limits, Parsed, doubts, expand_lists};
pub use json::parse_json;
pub use toml::parse_toml;
pub use yaml::parse_yaml;
