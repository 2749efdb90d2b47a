//! How a broken server fails a test: by panicking with what the server said.

use std::fmt::Display;

/// Fails the running test.
#[track_caller]
#[expect(clippy::panic, reason = "a test that cannot get its server has failed")]
pub(crate) fn fail(why: &str) -> ! {
    panic!("{why}")
}

/// Unwraps a result, or fails the running test with what was being done.
pub(crate) trait OrFail<T> {
    /// `doing` reads as in "creating `x`".
    fn or_fail(self, doing: impl FnOnce() -> String) -> T;
}

impl<T, E: Display> OrFail<T> for Result<T, E> {
    #[track_caller]
    fn or_fail(self, doing: impl FnOnce() -> String) -> T {
        match self {
            Ok(value) => value,
            Err(error) => fail(&format!("{}: {error}", doing())),
        }
    }
}
