//! PostgreSQL on loopback with its data in a temporary folder, durable as in production, so that tests of crashes mean
//! something. It refuses to run as root, so root runs it as `nobody`.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::failure::{OrFail, fail};
use crate::folder::Folder;
use crate::process::{Launch, Process, attempt, free_port};
use crate::skip::Skip;

const PASSWORD: &str = "database-password";
const START_LIMIT: Duration = Duration::from_mins(1);

/// A running PostgreSQL with one superuser, `palisade`, who has a password; ends on drop.
#[derive(Debug)]
pub struct Postgres {
    process: Mutex<Option<Process>>,
    binaries: PathBuf,
    user: Option<(u32, u32)>,
    port: u16,
    folder: Folder,
}

impl Postgres {
    /// Makes a database cluster, starts a server on it and waits until it takes connections.
    ///
    /// # Errors
    /// PostgreSQL is not installed on this machine.
    ///
    /// # Panics
    /// When it is and does not start; shows the end of the log.
    #[track_caller]
    pub fn start() -> Result<Self, Skip> {
        let binaries = binaries().ok_or_else(|| {
            Skip::new(
                "tests with PostgreSQL: `initdb` is not on PATH; `apt-get install postgresql` or the like brings it",
            )
        })?;
        let folder = Folder::create("postgres");
        let user = unprivileged(folder.path());
        let this = Self { process: Mutex::new(None), binaries, user, port: free_port(), folder };
        this.make_cluster();
        let port = attempt("PostgreSQL", || {
            let port = free_port();
            this.launch(port).map(|()| port)
        });
        Ok(Self { port, ..this })
    }

    /// Where to connect: `postgres://palisade:PASSWORD@127.0.0.1:PORT/postgres`.
    pub fn url(&self) -> String {
        format!("postgres://palisade:{PASSWORD}@127.0.0.1:{}/postgres", self.port)
    }

    /// Ends the server in good order: connections are closed, data is flushed.
    pub fn stop(&self) {
        *self.process.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Ends the server at once, as a crash would; [`Postgres::start_again`] recovers from the log.
    pub fn kill(&self) {
        if let Some(process) = self.process.lock().unwrap_or_else(PoisonError::into_inner).take() {
            process.kill();
        }
    }

    /// Starts the server on the same address with the same data.
    ///
    /// # Panics
    /// When it does not start.
    #[track_caller]
    pub fn start_again(&self) {
        self.stop();
        attempt("PostgreSQL", || self.launch(self.port));
    }

    fn make_cluster(&self) {
        let password = self.folder.write("password", PASSWORD);
        let mut command = Command::new(self.binaries.join("initdb"));
        command.args([
            "--auth=scram-sha-256",
            "--username=palisade",
            "--encoding=UTF8",
            "--locale=C",
            "--no-instructions",
        ]);
        command.arg("--no-sync").arg("--pwfile").arg(password).arg("--pgdata").arg(self.data());
        if let Some((user, group)) = self.user {
            chown(self.folder.path(), Some(user), Some(group))
                .or_fail(|| format!("giving `{}` to `nobody`", self.folder.path().display()));
            command.uid(user).gid(group).current_dir("/");
        }
        let output = command.output().or_fail(|| "starting initdb".into());
        if !output.status.success() {
            fail(&format!("initdb failed: {}", String::from_utf8_lossy(&output.stderr)));
        }
    }

    /// Starts the server on `port`.
    fn launch(&self, port: u16) -> Result<(), String> {
        let mut process = Process::start(Launch {
            program: &self.binaries.join("postgres"),
            arguments: vec![
                "-D".into(),
                self.data().to_string_lossy().into_owned(),
                "-p".into(),
                port.to_string(),
                "-c".into(),
                "listen_addresses=127.0.0.1".into(),
                "-c".into(),
                "unix_socket_directories=".into(),
                "-c".into(),
                "fsync=on".into(),
            ],
            log: self.folder.path().join("postgres.log"),
            // Fast shutdown: connections are ended, data is flushed.
            signal: "INT",
            user: self.user,
        });
        let id = process.id();
        process.ready(START_LIMIT, || self.accepts(id))?;
        *self.process.lock().unwrap_or_else(PoisonError::into_inner) = Some(process);
        Ok(())
    }

    /// The server writes its state into its pid file: first its process, on the eighth line `ready` once it takes
    /// connections. The file of a server that was killed stays behind.
    fn accepts(&self, process: u32) -> bool {
        let text = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        lines.first() == Some(&&*process.to_string()) && lines.get(7) == Some(&"ready")
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }
}

/// The folder that holds `initdb` and `postgres`.
fn binaries() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut packaged: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .collect();
    packaged.sort();
    folders.extend(packaged.into_iter().rev());
    folders.into_iter().find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
}

/// Whom to run as: `nobody` where we are root, which owns what it creates.
fn unprivileged(folder: &Path) -> Option<(u32, u32)> {
    let owner = fs::metadata(folder).or_fail(|| format!("reading `{}`", folder.display())).uid();
    if owner != 0 {
        return None;
    }
    let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let nobody = accounts.lines().find_map(|line| line.strip_prefix("nobody:")).unwrap_or_default();
    let mut fields = nobody.split(':').skip(1).map(|field| field.parse().ok());
    match (fields.next().flatten(), fields.next().flatten()) {
        (Some(user), Some(group)) => Some((user, group)),
        _ => fail("PostgreSQL refuses to run as root, and /etc/passwd has no user `nobody`"),
    }
}
