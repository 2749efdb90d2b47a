//! A running `palisade serve` and a client of its API.

use std::fmt::Write as _;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use palisade_testkit::{free_port, wait_for};
use serde_json::{Value, json};

/// How long a server may take until it is ready, in a debug build on a busy machine.
const READY: Duration = Duration::from_mins(1);

/// A folder of its own for one test, removed when the test ends.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("palisade-serve-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What a server is started with.
#[derive(Debug)]
pub(crate) struct Setup {
    folder: PathBuf,
    pub(crate) api: u16,
    pub(crate) admission: u16,
    arguments: Vec<String>,
}

impl Setup {
    /// A server whose configuration is `config` besides its addresses, with `arguments`.
    pub(crate) fn new(folder: &Path, name: &str, config: &str, arguments: &[&str]) -> Self {
        let folder = folder.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let setup = Self {
            folder,
            api: free_port(),
            admission: free_port(),
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
        };
        let mut text = config.replace("ADMISSION", &setup.admission.to_string());
        write!(text, "\n[server]\ndata = 'data'\n[server.api]\nlisten = '127.0.0.1:{}'\n", setup.api).unwrap();
        write!(text, "[server.admission]\nlisten = '127.0.0.1:{}'\n", setup.admission).unwrap();
        std::fs::write(setup.folder.join("palisade.toml"), text).unwrap();
        setup
    }

    /// Starts the server and waits until it is ready.
    pub(crate) fn start(&self) -> Server {
        let server = self.launch();
        wait_for(READY, || server.is_ready().then_some(()));
        server
    }

    /// Starts the server.
    pub(crate) fn launch(&self) -> Server {
        let log = self.folder.join("stderr");
        let child = Command::new(env!("CARGO_BIN_EXE_palisade"))
            .arg("serve")
            .args(&self.arguments)
            .arg("--config")
            .arg(self.folder.join("palisade.toml"))
            .current_dir(&self.folder)
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        Server { child, api: self.api, log }
    }
}

/// A running server; killed when the test ends.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    api: u16,
    log: PathBuf,
}

impl Server {
    pub(crate) fn is_ready(&self) -> bool {
        call(self.api, "GET", "/readyz", &[], None).is_ok_and(|(status, _)| status == 200)
    }

    /// What the server wrote on stderr.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Follows the first administrator's link and makes a token that may do everything.
    pub(crate) fn administrator(&self) -> Client {
        let link = wait_for(READY, || {
            let log = self.log();
            let link =
                log.lines().map(str::trim).find(|line| line.starts_with("http://") && line.contains("/auth/first"))?;
            Some(link.to_owned())
        });
        let path = link.split_once(&format!(":{}", self.api)).unwrap().1.to_owned();
        let (_, path) = path.split_at(path.find('/').unwrap());
        let cookie = first_login(self.api, path);
        let headers = [("Cookie", &*cookie), ("Sec-Fetch-Site", "same-origin")];
        let body = json!({"name": "test", "role": "admin", "team": "*"});
        let (status, token) = call(self.api, "POST", "/api/v1/tokens", &headers, Some(&body)).unwrap();
        assert_eq!(status, 201, "{token}");
        Client { token: token["secret"].as_str().or(token["token"].as_str()).unwrap().to_owned() }
    }

    /// Ends the process at once, as a crash would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Tells the process to stop and waits for its end; its exit code.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the server wrote:\n{}", self.log());
        }
    }
}

/// Who may do everything, at any replica.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    token: String,
}

impl Client {
    /// Status and answer of a request; an error where there was no answer.
    pub(crate) fn call(
        &self,
        server: u16,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<(u16, Value), String> {
        let bearer = format!("Bearer {}", self.token);
        let headers: Vec<_> = headers.iter().copied().chain([("Authorization", &*bearer)]).collect();
        call(server, method, path, &headers, body)
    }

    /// The answer to a GET, which must succeed.
    pub(crate) fn get(&self, server: u16, path: &str) -> Value {
        let (status, answer) = self.call(server, "GET", path, &[], None).unwrap();
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0);
    config.timeout_global(Some(Duration::from_secs(20))).build().into()
}

/// The session's cookie.
fn first_login(api: u16, path: &str) -> String {
    let response = agent().get(format!("http://127.0.0.1:{api}{path}")).call().unwrap();
    let cookie = response.headers().get("set-cookie").unwrap_or_else(|| panic!("{response:?}"));
    cookie.to_str().unwrap().split(';').next().unwrap_or_default().to_owned()
}

fn call(
    api: u16,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> Result<(u16, Value), String> {
    let mut request = ureq::http::Request::builder().method(method).uri(format!("http://127.0.0.1:{api}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let sent = match body {
        Some(body) => {
            let request = request.header("Content-Type", "application/json").body(body.to_string()).unwrap();
            agent().run(request)
        }
        None => agent().run(request.body(()).unwrap()),
    };
    let mut response = sent.map_err(|error| error.to_string())?;
    let text = response.body_mut().read_to_string().map_err(|error| error.to_string())?;
    Ok((response.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text))))
}
