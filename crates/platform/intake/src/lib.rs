//! Brings what people name (folders, files, the standard input) to documents, on as many threads as asked for.
//!
//! Reading is here so that `palisade-document` can be pure. [`folders`] finds files, [`Input`] is one of them, [`inputs`]
//! and [`documents`] read what a command names, [`claimed`] offers all of it to the kinds of `palisade-document`. Sizes are bounded, and what cannot be read is a diagnostic, never
//! nothing. Deliberately absent: what is done with the documents.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests take the time as it is"))]

mod codes;
pub mod folders;
mod input;
pub mod kustomize;
mod parallel;
mod tally;

pub use codes::CODES;
pub use input::{
    Claimed, Contents, Input, claimed, documents, has_errors, inputs, read, read_bytes, read_text, unreadable,
};
pub use parallel::{in_parallel, threads};
pub use tally::{Tally, total};
