//! The hostile corpus: input that is meant to crash, hang, bloat or deceive the built command.
//!
//! Every case ends in bounded time and memory with an exit code that claims no more than was evaluated, a last line
//! that gives the reason, and a message that names the place. The cases are generated, because most are large.

#![allow(clippy::disallowed_methods, reason = "tests take the time as it is")]
#![allow(clippy::unwrap_used, reason = "a test that cannot set up its files fails")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "shown where a case fails or is skipped")]
#![allow(clippy::format_push_string, clippy::format_collect, reason = "the texts are made once")]

mod content;
mod files;
mod manifests;
mod policies;
mod rego;
mod runner;
mod suites;
mod terminal;
