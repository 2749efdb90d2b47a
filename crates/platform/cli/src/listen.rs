//! What policies print, and how they decide, on stderr.

use std::io::Write as _;

use palisade_policy::Listener;

use crate::render::visible;

/// Writes to stderr, a line at a time, so that threads do not mix their words.
#[derive(Debug)]
pub(crate) struct Console {
    /// Whether every step of a decision is wanted.
    pub(crate) trace: bool,
}

impl Listener for Console {
    fn print(&self, line: &str) {
        say(line);
    }

    fn wants_trace(&self) -> bool {
        self.trace
    }

    fn trace(&self, text: &str) {
        say(text);
    }
}

/// Where nobody reads, the verdict still counts.
fn say(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{}", visible(text));
}
