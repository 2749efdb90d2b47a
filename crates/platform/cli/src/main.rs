//! The `palisade` command. Everything it does is in the library; see `palisade::run`.

use std::process::ExitCode;

fn main() -> ExitCode {
    palisade::run(std::env::args_os()).into()
}
