//! Runs the built command in a folder of its own, under a watchdog and a limit of memory, and asserts how it ended.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// Far above what any case takes, so that only an endless run meets it, even on a loaded machine.
const WATCHDOG: Duration = Duration::from_mins(1);

/// Address space in kilobytes. A run that needs more is out of bounds.
const MEMORY: u32 = 3_000_000;

/// A folder of its own for a test, removed at the end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("palisade-hostile-{name}-{}", std::process::id()));
        fs::remove_dir_all(&path).ok();
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn file(self, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        fs::write(self.0.join(name), bytes).unwrap();
        self
    }

    /// The command with these arguments, to be started within the limits.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(format!("ulimit -v {MEMORY}; exec \"$0\" \"$@\""))
            .arg(env!("CARGO_BIN_EXE_palisade"))
            .args(arguments)
            .current_dir(&self.0)
            .env_remove("PALISADE_CONFIG")
            .env_remove("NO_COLOR")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        watched(arguments, self.command(arguments).spawn().unwrap())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

/// Waits for a child, and kills it when the watchdog wakes first.
pub(crate) fn watched(arguments: &[&str], child: Child) -> Run {
    let id = child.id().to_string();
    let (ended, waiting) = mpsc::channel::<()>();
    let watchdog = std::thread::spawn(move || {
        if waiting.recv_timeout(WATCHDOG) == Err(mpsc::RecvTimeoutError::Timeout) {
            Command::new("kill").args(["-9", &id]).status().ok();
        }
    });
    let output = child.wait_with_output().unwrap();
    drop(ended);
    watchdog.join().unwrap();
    Run::new(arguments, &output)
}

/// How a run ended.
pub(crate) struct Run {
    arguments: String,
    exit: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    fn new(arguments: &[&str], output: &Output) -> Self {
        Self {
            arguments: arguments.join(" "),
            exit: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    pub(crate) fn exit(&self) -> Option<i32> {
        self.exit
    }

    /// Whether a test was refused because it exercises nothing.
    pub(crate) fn vacuous(&self) -> bool {
        self.stdout.contains("vacuous ")
    }

    /// Everything that was said, cut to what a person can read.
    fn shown(&self) -> String {
        let head = |text: &str| text.chars().take(3_000).collect::<String>();
        let tail = self.stderr.lines().last().unwrap_or_default().chars().take(500).collect::<String>();
        format!(
            "`{}` ended with {:?}\n{}\n{}\n{tail}",
            self.arguments,
            self.exit,
            head(&self.stdout),
            head(&self.stderr)
        )
    }

    /// Asserts the exit code, that the last line gives the reason, and that `saying` was said on the way.
    #[track_caller]
    pub(crate) fn ends(self, exit: i32, saying: &str) -> Self {
        assert_eq!(self.exit, Some(exit), "{}", self.shown());
        assert!(self.stdout.contains(saying) || self.stderr.contains(saying), "no `{saying}`: {}", self.shown());
        self.ends_somehow()
    }

    /// Asserts one of the exit codes, with the reason on the last line, and no trace of a panic.
    #[track_caller]
    pub(crate) fn ends_somehow(self) -> Self {
        let reason = self.stderr.lines().last().unwrap_or_default();
        let begins: &[&str] = match self.exit {
            Some(0) => &["passed: ", "0 documents ", "1 document "],
            Some(1) => &["failed: "],
            Some(2) => &["could not decide: "],
            Some(3) => &["nothing was evaluated", "nothing was tested"],
            _ => &[],
        };
        assert!(begins.iter().any(|begin| reason.starts_with(begin)), "{}", self.shown());
        for sign in ["panicked at", "engine failed"] {
            assert!(!self.stderr.contains(sign) && !self.stdout.contains(sign), "{}", self.shown());
        }
        assert!(self.stdout.len() + self.stderr.len() < 4 << 20, "{} bytes: {}", self.stdout.len(), self.shown());
        // Shown by `cargo test -p palisade --test hostile -- --nocapture`: the messages as a person reads them.
        println!("{}\n", self.shown());
        self
    }
}
