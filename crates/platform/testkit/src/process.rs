//! A server's process: started with its output in a log file, ended with the value that owns it.
//!
//! The program is started through a short shell script that leaves a watcher behind. The watcher holds the other end of
//! a pipe that only this process can write to: when the pipe closes, because the value was dropped or because this
//! process died in whatever way, the watcher signals the program. The shell replaces itself with the program, so the
//! child's id is the program's; the watcher stays in the program's group, so the id is not given to another process
//! while it watches.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use crate::failure::{OrFail, fail};
use crate::wait::poll;

const WATCH: &str = r#"exec 3<&0
{ cat <&3 >/dev/null; kill -s "$0" $$; } 2>/dev/null &
exec "$@" 3<&- </dev/null"#;

/// How long a signalled program may take to end before it is killed.
const PATIENCE: Duration = Duration::from_secs(10);

/// How much of a log is shown when a start fails, in bytes.
const TAIL: usize = 4_000;

/// How a program is run: what it is, how it is asked to end, as whom it runs.
pub(crate) struct Launch<'a> {
    /// The program.
    pub program: &'a Path,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Where its output goes; appended to.
    pub log: PathBuf,
    /// The signal that ends it.
    pub signal: &'static str,
    /// The user and group to run as, if not our own.
    pub user: Option<(u32, u32)>,
}

/// A running server.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    lifeline: Option<ChildStdin>,
    log: PathBuf,
}

impl Process {
    /// Starts the program; it may not be ready yet.
    pub(crate) fn start(launch: Launch<'_>) -> Self {
        let log = File::options()
            .create(true)
            .append(true)
            .open(&launch.log)
            .or_fail(|| format!("opening `{}`", launch.log.display()));
        let errors = log.try_clone().or_fail(|| format!("opening `{}`", launch.log.display()));
        let mut command = Command::new("sh");
        command.args(["-c", WATCH, launch.signal]).arg(launch.program).args(launch.arguments);
        command.process_group(0);
        command.stdin(Stdio::piped()).stdout(log).stderr(errors);
        if let Some((user, group)) = launch.user {
            command.uid(user).gid(group).current_dir("/");
        }
        let mut child = command.spawn().or_fail(|| format!("starting `{}`", launch.program.display()));
        let lifeline = child.stdin.take();
        Self { child, lifeline, log: launch.log }
    }

    /// Calls `probe` until it says that the server is ready.
    ///
    /// # Errors
    /// Why not, with the end of the log, when the program ended or `limit` passed first.
    pub(crate) fn ready(&mut self, limit: Duration, mut probe: impl FnMut() -> bool) -> Result<(), String> {
        let outcome = poll(limit, || match self.child.try_wait() {
            Ok(Some(status)) => Some(Err(format!("it ended: {status}"))),
            _ => probe().then_some(Ok(())),
        });
        outcome
            .unwrap_or_else(|| Err(format!("it was not ready within {limit:?}")))
            .map_err(|why| format!("{why}; the end of `{}`:\n{}", self.log.display(), self.tail()))
    }

    /// The program's process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends the program without a warning, as a crash would.
    pub(crate) fn kill(mut self) {
        let _ = self.child.kill();
    }

    /// The end of the program's log.
    fn tail(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let start = text.len().saturating_sub(TAIL);
        String::from_utf8_lossy(text.get(start..).unwrap_or_default()).into_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.lifeline = None;
        if poll(PATIENCE, || self.child.try_wait().ok().flatten()).is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// A loopback port that is free now. Another program may take it before it is used.
///
/// # Panics
/// When the system has none.
#[track_caller]
pub fn free_port() -> u16 {
    let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    address.or_fail(|| "looking for a free port".into()).port()
}

/// Starts a server anew while it fails to start, a few times: another program may have taken the port, or what a killed
/// server left behind may need a moment to go.
pub(crate) fn attempt<T>(what: &str, mut start: impl FnMut() -> Result<T, String>) -> T {
    const ATTEMPTS: u32 = 4;
    let mut whys = Vec::new();
    for number in 1..=ATTEMPTS {
        match start() {
            Ok(started) => return started,
            Err(why) => whys.push(why),
        }
        std::thread::sleep(Duration::from_millis(250) * number);
    }
    fail(&format!("{what} did not start: {}", whys.join("\n")))
}
