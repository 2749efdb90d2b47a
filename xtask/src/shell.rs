//! Running other programs.

use std::process::Command;

/// What a task returns: nothing, or why it failed.
pub(crate) type Result<T> = std::result::Result<T, String>;

/// Runs cargo and fails when it fails. `CARGO` is set by cargo itself; toolchain overrides need the proxy instead.
pub(crate) fn cargo(arguments: &[&str]) -> Result<()> {
    let override_toolchain = arguments.first().is_some_and(|first| first.starts_with('+'));
    let program = if override_toolchain { "cargo".into() } else { std::env::var("CARGO").unwrap_or("cargo".into()) };
    let mut command = Command::new(program);
    if override_toolchain {
        command.env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO").env_remove("RUSTC");
    }
    run(command.args(arguments))
}

/// Runs a command and fails when it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.status().map_err(|error| format!("starting `{program}`: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{}` failed: {status}", words(command))) }
}

/// Runs a command and returns what it printed.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("starting `{program}`: {error}"))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        return Err(format!("`{}` failed: {}", words(command), stderr.trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn words(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|argument| argument.to_string_lossy().into_owned()));
    words.join(" ")
}
