//! An OpenID Connect provider on loopback: npm's certified `oidc-provider`, with the accounts that tests sign in as.
//!
//! | account | password | groups |
//! |---|---|---|
//! | `alice` | `alice-password` | `platform-admins` |
//! | `bob` | `bob-password` | `team-shop` |
//! | `carol` | `carol-password` | `team-pay`, `auditors` |
//! | `dave` | `dave-password` | none |
//!
//! Identity tokens carry `sub`, `email`, `name` and `groups` where the scopes `email`, `profile` and `groups` are asked for.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::failure::{OrFail, fail};
use crate::folder::Folder;
use crate::http;
use crate::process::{Launch, Process, attempt, free_port};
use crate::skip::Skip;
use crate::tools::cache;

const START_LIMIT: Duration = Duration::from_mins(1);
const CLIENT_ID: &str = "palisade";
const CLIENT_SECRET: &str = "the secret of the test client";
const PACKAGE: &str = include_str!("../oidc/package.json");
const LOCK: &str = include_str!("../oidc/package-lock.json");
const PROGRAM: &str = include_str!("../oidc/provider.mjs");

/// A running provider; ends on drop.
#[derive(Debug)]
pub struct OidcProvider {
    process: Mutex<Option<Process>>,
    modules: PathBuf,
    issuer: String,
    folder: Folder,
}

impl OidcProvider {
    /// Installs the provider into the cache folder where that has not been done, starts it and waits until it answers.
    ///
    /// # Errors
    /// Node.js or npm is not installed on this machine.
    ///
    /// # Panics
    /// When they are and the provider does not start; shows the end of the log.
    #[track_caller]
    pub fn start() -> Result<Self, Skip> {
        let modules = installed()?;
        let folder = Folder::create("oidc");
        folder.write("redirects", "");
        let (process, issuer) = attempt("the identity provider", || launch(&folder, &modules, free_port()));
        Ok(Self { process: Mutex::new(Some(process)), modules, issuer, folder })
    }

    /// The issuer's address, `http://127.0.0.1:PORT`; `/.well-known/openid-configuration` is below it.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The id of the one client, which is confidential and must use PKCE.
    pub fn client_id(&self) -> &'static str {
        CLIENT_ID
    }

    /// The client's secret.
    pub fn client_secret(&self) -> &'static str {
        CLIENT_SECRET
    }

    /// Permits `uri` as the client's redirect address, besides those permitted before.
    ///
    /// # Panics
    /// When the list cannot be written.
    #[track_caller]
    pub fn allow_redirect(&self, uri: &str) {
        let path = self.folder.path().join("redirects");
        let added = File::options().append(true).open(&path).and_then(|mut file| writeln!(file, "{uri}"));
        added.or_fail(|| format!("writing `{}`", path.display()));
    }

    /// Signs `account` in as a browser would, from the address that the client redirects to, and returns the address
    /// that the provider redirects back to, with `code` and `state`; nobody has requested it yet.
    ///
    /// # Panics
    /// When the provider answers otherwise, such as with an error page.
    #[track_caller]
    pub fn sign_in(&self, authorize_url: &str, account: &str) -> String {
        let form = format!("login={account}&password={account}-password");
        let mut browser = Browser { issuer: &self.issuer, cookies: Vec::new() };
        let login = browser.redirect("GET", authorize_url, "");
        let mut location = browser.redirect("POST", &login, &form);
        while location.starts_with(&self.issuer) {
            location = browser.redirect("GET", &location, "");
        }
        location
    }

    /// Ends the provider, as an outage would.
    pub fn stop(&self) {
        *self.process.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Starts the provider on the same address, with new signing keys and without its sessions.
    ///
    /// # Panics
    /// When it does not start.
    #[track_caller]
    pub fn restart(&self) {
        self.stop();
        let port = self.issuer.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or_default();
        let (process, _) = attempt("the identity provider", || launch(&self.folder, &self.modules, port));
        *self.process.lock().unwrap_or_else(PoisonError::into_inner) = Some(process);
    }
}

/// Starts the provider and returns it with its issuer.
fn launch(folder: &Folder, modules: &Path, port: u16) -> Result<(Process, String), String> {
    let issuer = format!("http://127.0.0.1:{port}");
    let redirects = folder.path().join("redirects").to_string_lossy().into_owned();
    let program = modules.join("provider.mjs").to_string_lossy().into_owned();
    let mut process = Process::start(Launch {
        program: Path::new("node"),
        arguments: vec![program, port.to_string(), CLIENT_ID.into(), CLIENT_SECRET.into(), redirects],
        log: folder.path().join("oidc.log"),
        signal: "KILL",
        user: None,
    });
    let discovery = format!("{issuer}/.well-known/openid-configuration");
    process.ready(START_LIMIT, || http::get(&discovery).is_ok_and(|answer| answer.status == 200))?;
    Ok((process, issuer))
}

/// The folder with the provider's program and packages. Made once per content of the program and the lock file, under
/// a lock, and put in place by renaming, so that several tests may ask at once.
#[track_caller]
fn installed() -> Result<PathBuf, Skip> {
    for program in ["node", "npm"] {
        if Command::new(program).arg("--version").output().is_err() {
            let reason = format!("tests with an identity provider: `{program}` is not on PATH; install Node.js");
            return Err(Skip::new(reason));
        }
    }
    let Some(cache) = cache().map(|cache| cache.join("oidc")) else {
        return Err(Skip::new("tests with an identity provider: HOME is not set, so there is no cache folder"));
    };
    fs::create_dir_all(&cache).or_fail(|| format!("creating `{}`", cache.display()));
    let lock_path = cache.join("lock");
    let lock = File::create(&lock_path).or_fail(|| format!("creating `{}`", lock_path.display()));
    lock.lock().or_fail(|| format!("locking `{}`", lock_path.display()));
    let place = cache.join(format!("{:016x}", fingerprint(&[PACKAGE, LOCK, PROGRAM])));
    if !place.exists() {
        install(&cache.join("installing"), &place)?;
    }
    Ok(place)
}

/// Installs into `staging` and renames that to `place`.
#[track_caller]
fn install(staging: &Path, place: &Path) -> Result<(), Skip> {
    // What a killed installation left behind.
    let _ = fs::remove_dir_all(staging);
    fs::create_dir_all(staging).or_fail(|| format!("creating `{}`", staging.display()));
    for (name, content) in [("package.json", PACKAGE), ("package-lock.json", LOCK), ("provider.mjs", PROGRAM)] {
        fs::write(staging.join(name), content).or_fail(|| format!("writing `{name}`"));
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(staging);
    let output = npm.output().or_fail(|| "starting npm".into());
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr);
        return Err(Skip::new(format!("tests with an identity provider: `npm ci` failed: {}", reason.trim())));
    }
    fs::rename(staging, place).or_fail(|| format!("renaming `{}`", staging.display()));
    Ok(())
}

/// A name for a content: 64-bit FNV-1a, which is the same on every machine and in every release of Rust.
fn fingerprint(texts: &[&str]) -> u64 {
    texts
        .iter()
        .flat_map(|text| text.bytes())
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// What follows redirects by hand and keeps cookies.
struct Browser<'a> {
    issuer: &'a str,
    cookies: Vec<(String, String)>,
}

impl Browser<'_> {
    /// Requests `url` and returns where the answer redirects to.
    #[track_caller]
    fn redirect(&mut self, method: &str, url: &str, form: &str) -> String {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let answer = http::request(method, url, &cookies.join("; "), form).or_fail(|| format!("requesting `{url}`"));
        for cookie in answer.header("set-cookie") {
            let pair = cookie.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.retain(|(kept, _)| kept != name);
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        let Some(location) = answer.header("location").next() else {
            fail(&format!("`{url}` answered {} without redirecting: {}", answer.status, answer.body))
        };
        if location.starts_with('/') { format!("{}{location}", self.issuer) } else { location.to_owned() }
    }
}
