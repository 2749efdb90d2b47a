//! Reviews as an API server sends them, before policies of every language.

#![allow(clippy::disallowed_methods, reason = "tests read files and watch the time")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]
#![allow(clippy::string_slice, reason = "the texts are ASCII")]
#![allow(clippy::print_stdout, reason = "totals, and why a test is skipped")]

mod corpora;
mod denial;
mod material;
mod parity;
mod reach;
mod requests;
mod sharing;
