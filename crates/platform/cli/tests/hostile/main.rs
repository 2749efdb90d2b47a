//! The hostile corpus: input that is meant to crash, hang, bloat or deceive the built command.
//!
//! Every case ends in bounded time and memory with an exit code that claims no more than was evaluated, a last line
//! that gives the reason, and a message that names the place. The cases are generated, because most are large.

mod content;
mod files;
mod manifests;
mod policies;
mod runner;
mod suites;
mod terminal;
