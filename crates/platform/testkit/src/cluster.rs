//! A Kubernetes API server with etcd behind it, on loopback, with RBAC.
//!
//! No controllers run: namespaces never finish deleting, nothing is garbage collected, Deployments make no Pods, and the
//! roles that are summed up from others (`view`, `edit`, `admin`) are empty. The
//! `ServiceAccount` admission plugin is off, since it would wait for accounts that a controller makes.

use std::io::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::failure::{OrFail, fail};
use crate::folder::Folder;
use crate::kubeconfig;
use crate::pki::{Authority, signing_pair};
use crate::process::{Launch, Process, attempt, free_port};
use crate::skip::Skip;
use crate::tools::tool;
use crate::wait::wait_for;

/// Generous, because tests share the machine with compilers.
const START_LIMIT: Duration = Duration::from_mins(2);

/// What the control plane works with and is not served unless asked for.
const OPTIONAL_GROUPS: &str = "admissionregistration.k8s.io/v1beta1=true,admissionregistration.k8s.io/v1alpha1=true";

/// A running API server; ends on drop.
#[derive(Debug)]
pub struct Cluster {
    // Ended in this order: the API server before its database, the folder last.
    api_server: Mutex<Option<Process>>,
    _etcd: Process,
    programs: Programs,
    url: String,
    etcd_url: String,
    ca_pem: String,
    kubeconfig: PathBuf,
    folder: Folder,
}

#[derive(Debug, Clone)]
struct Programs {
    kube_apiserver: PathBuf,
    etcd: PathBuf,
    kubectl: PathBuf,
}

/// What a run of kubectl gave.
#[derive(Debug, Clone)]
pub struct Output {
    /// Whether it succeeded.
    pub success: bool,
    /// What it wrote.
    pub stdout: String,
    /// What it complained about.
    pub stderr: String,
}

impl Output {
    /// The standard output of a run that must have succeeded.
    ///
    /// # Panics
    /// When it failed.
    #[track_caller]
    pub fn ok(self) -> String {
        if self.success { self.stdout } else { fail(&format!("kubectl failed: {}", self.stderr.trim())) }
    }

    /// The error output of a run that must have failed.
    ///
    /// # Panics
    /// When it succeeded.
    #[track_caller]
    pub fn refused(self) -> String {
        if self.success { fail(&format!("kubectl succeeded: {}", self.stdout.trim())) } else { self.stderr }
    }

    /// [`Output::ok`] read as JSON (run kubectl with `-o json`).
    ///
    /// # Panics
    /// When the run failed or printed something else.
    #[track_caller]
    pub fn json(self) -> Value {
        serde_json::from_str(&self.ok()).or_fail(|| "reading kubectl's output as JSON".into())
    }
}

impl Cluster {
    /// Starts etcd and an API server, and waits until the API server is ready and has made its namespaces.
    ///
    /// # Errors
    /// The programs are not built on this machine.
    ///
    /// # Panics
    /// When they are and do not start; shows the end of the log.
    #[track_caller]
    pub fn start() -> Result<Self, Skip> {
        let programs =
            Programs { kube_apiserver: tool("kube-apiserver")?, etcd: tool("etcd")?, kubectl: tool("kubectl")? };
        Ok(attempt("the Kubernetes API server", || Self::start_in(Folder::create("cluster"), programs.clone())))
    }

    fn start_in(folder: Folder, programs: Programs) -> Result<Self, String> {
        let (etcd, etcd_url) = start_etcd(&folder, &programs.etcd)?;
        let url = format!("https://127.0.0.1:{}", free_port());
        let authority = Authority::new();
        let kubeconfig = write_credentials(&folder, &authority, &url);
        let cluster = Self {
            api_server: Mutex::new(None),
            _etcd: etcd,
            programs,
            url,
            etcd_url,
            ca_pem: authority.pem(),
            kubeconfig,
            folder,
        };
        cluster.start_api_server()?;
        Ok(cluster)
    }

    /// Starts the API server on its port and waits until it is ready.
    fn start_api_server(&self) -> Result<(), String> {
        let port = self.url.rsplit(':').next().unwrap_or_default();
        let mut process = Process::start(Launch {
            program: &self.programs.kube_apiserver,
            arguments: api_server_arguments(self.folder.path(), &self.etcd_url, port),
            log: self.folder.path().join("kube-apiserver.log"),
            signal: "KILL",
            user: None,
        });
        let address = format!("127.0.0.1:{port}");
        process.ready(START_LIMIT, || TcpStream::connect(&address).is_ok() && self.is_ready())?;
        *self.api_server.lock().unwrap_or_else(PoisonError::into_inner) = Some(process);
        Ok(())
    }

    fn is_ready(&self) -> bool {
        self.kubectl(&["get", "--raw", "/readyz"], "").success
            && self.kubectl(&["get", "namespace", "default", "kube-system"], "").success
    }

    /// The administrator's kubeconfig file.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// The API server's address, `https://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The certificate of the authority that signed the API server's.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// A folder for the test's own files; removed with the cluster.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A kubeconfig file that acts as user `name` of `groups`, by impersonation: the API server authorises and reviews
    /// its requests as that user's. Nobody is allowed anything without a role binding.
    ///
    /// # Panics
    /// When the file cannot be written.
    #[track_caller]
    pub fn user_kubeconfig(&self, name: &str, groups: &[&str]) -> PathBuf {
        let mut user = administrator(&self.folder);
        if let Some(fields) = user.as_object_mut() {
            fields.insert("as".into(), json!(name));
            fields.insert("as-groups".into(), json!(groups));
        }
        self.write_kubeconfig(&format!("user-{name}-{}", groups.join("-")), &user)
    }

    /// A kubeconfig file with a token of the service account `name`, which must exist.
    ///
    /// # Panics
    /// When the API server refuses the token.
    #[track_caller]
    pub fn service_account_kubeconfig(&self, namespace: &str, name: &str) -> PathBuf {
        let token = self.kubectl(&["create", "token", name, "--namespace", namespace], "").ok();
        self.write_kubeconfig(&format!("account-{namespace}-{name}"), &json!({"token": token.trim()}))
    }

    fn write_kubeconfig(&self, name: &str, user: &Value) -> PathBuf {
        let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let authority = self.folder.path().join("ca.crt");
        let text = kubeconfig::render(&self.url, &authority.to_string_lossy(), user);
        self.folder.write(&format!("{name}.kubeconfig"), &text)
    }

    /// Runs kubectl as the administrator with `stdin`; `-f -` reads it.
    ///
    /// # Panics
    /// When kubectl cannot be run.
    #[track_caller]
    pub fn kubectl(&self, arguments: &[&str], stdin: &str) -> Output {
        self.kubectl_as(&self.kubeconfig, arguments, stdin)
    }

    /// [`Cluster::kubectl`] with another kubeconfig file.
    ///
    /// # Panics
    /// When kubectl cannot be run.
    #[track_caller]
    pub fn kubectl_as(&self, kubeconfig: &Path, arguments: &[&str], stdin: &str) -> Output {
        let mut command = Command::new(&self.programs.kubectl);
        command.arg("--kubeconfig").arg(kubeconfig).arg("--cache-dir").arg(self.folder.path().join("kubectl"));
        command.arg("--request-timeout=30s").args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().or_fail(|| "starting kubectl".into());
        if let Some(mut input) = child.stdin.take() {
            // A kubectl that reads no input has closed the pipe, which is not this call's failure.
            let _ = input.write_all(stdin.as_bytes());
        }
        let output = child.wait_with_output().or_fail(|| "running kubectl".into());
        Output {
            success: output.status.success(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Creates or updates the objects of a YAML text.
    ///
    /// # Panics
    /// When the API server refuses one.
    #[track_caller]
    pub fn apply(&self, yaml: &str) {
        self.kubectl(&["apply", "-f", "-"], yaml).ok();
    }

    /// Writes an object into the database behind the API server's back, where nothing is validated; `key` is where the
    /// database keeps it, such as `/registry/pods/default/web`.
    ///
    /// # Panics
    /// When the database refuses it.
    #[track_caller]
    pub fn plant(&self, key: &str, object: &Value) {
        let coded = |text: &str| STANDARD.encode(text);
        let body = json!({"key": coded(key), "value": coded(&object.to_string())}).to_string();
        let url = format!("{}/v3/kv/put", self.etcd_url);
        let answer = crate::http::request("POST", &url, "", &body).or_fail(|| format!("planting `{key}`"));
        if answer.status != 200 {
            fail(&format!("planting `{key}`: {}", answer.body));
        }
    }

    /// Calls `probe` until it returns a value, and returns that.
    ///
    /// # Panics
    /// When `limit` has passed first.
    #[track_caller]
    pub fn wait_for<T>(&self, limit: Duration, mut probe: impl FnMut(&Self) -> Option<T>) -> T {
        wait_for(limit, || probe(self))
    }

    /// Ends the API server, as an outage would; its data stays.
    pub fn stop(&self) {
        *self.api_server.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Ends the API server if it runs, and starts it on the same address with the same data.
    ///
    /// # Panics
    /// When it does not start.
    #[track_caller]
    pub fn restart(&self) {
        self.stop();
        attempt("the API server", || self.start_api_server());
    }
}

/// Starts etcd and returns it with its address.
fn start_etcd(folder: &Folder, program: &Path) -> Result<(Process, String), String> {
    let url = format!("http://127.0.0.1:{}", free_port());
    let mut process = Process::start(Launch {
        program,
        arguments: vec![
            format!("--data-dir={}", folder.path().join("etcd").display()),
            format!("--listen-client-urls={url}"),
            format!("--advertise-client-urls={url}"),
            format!("--listen-peer-urls=http://127.0.0.1:{}", free_port()),
            "--unsafe-no-fsync=true".into(),
        ],
        log: folder.path().join("etcd.log"),
        signal: "KILL",
        user: None,
    });
    process
        .ready(START_LIMIT, || crate::http::get(&format!("{url}/health")).is_ok_and(|answer| answer.status == 200))?;
    Ok((process, url))
}

/// Writes the cluster's keys and certificates, and the administrator's kubeconfig, whose path is returned.
fn write_credentials(folder: &Folder, authority: &Authority, url: &str) -> PathBuf {
    let (server, client) = (authority.server(), authority.client("admin", "system:masters"));
    let (public, private) = signing_pair();
    let authority_path = folder.write("ca.crt", &authority.pem());
    for (name, content) in [
        ("apiserver.crt", server.certificate),
        ("apiserver.key", server.key),
        ("admin.crt", client.certificate),
        ("admin.key", client.key),
        ("accounts.pub", public),
        ("accounts.key", private),
    ] {
        folder.write(name, &content);
    }
    let text = kubeconfig::render(url, &authority_path.to_string_lossy(), &administrator(folder));
    folder.write("admin.kubeconfig", &text)
}

/// The `user` object of the administrator's kubeconfig.
fn administrator(folder: &Folder) -> Value {
    json!({
        "client-certificate": folder.path().join("admin.crt"),
        "client-key": folder.path().join("admin.key"),
    })
}

fn api_server_arguments(folder: &Path, etcd: &str, port: &str) -> Vec<String> {
    let file = |name: &str| folder.join(name).to_string_lossy().into_owned();
    vec![
        format!("--etcd-servers={etcd}"),
        format!("--secure-port={port}"),
        "--bind-address=127.0.0.1".into(),
        "--advertise-address=127.0.0.1".into(),
        // Loopback cannot be an endpoint of the `kubernetes` service; nothing here looks it up.
        "--endpoint-reconciler-type=none".into(),
        "--service-cluster-ip-range=10.0.0.0/24".into(),
        "--allow-privileged=true".into(),
        "--authorization-mode=RBAC".into(),
        "--disable-admission-plugins=ServiceAccount".into(),
        format!("--runtime-config={OPTIONAL_GROUPS}"),
        "--feature-gates=MutatingAdmissionPolicy=true".into(),
        format!("--cert-dir={}", folder.display()),
        format!("--tls-cert-file={}", file("apiserver.crt")),
        format!("--tls-private-key-file={}", file("apiserver.key")),
        format!("--client-ca-file={}", file("ca.crt")),
        format!("--service-account-issuer=https://127.0.0.1:{port}/"),
        format!("--service-account-key-file={}", file("accounts.pub")),
        format!("--service-account-signing-key-file={}", file("accounts.key")),
    ]
}
