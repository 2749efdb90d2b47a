//! The `palisade` command. Everything it does is in the library; see `palisade::run`.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Judging is parsing and building small values on every thread; the system's allocator takes a fifth of the time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    palisade::run(std::env::args_os()).into()
}
