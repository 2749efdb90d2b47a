//! Which cluster, as whom: the `[kubernetes]` section of the configuration, and the connection that follows from it.
//!
//! A connection is a pool that connects anew with every request that finds it closed, so it survives restarts of the API
//! server. By default only a server that runs inside a cluster connects: the current context of a developer's kubeconfig
//! is not an invitation to register webhooks there.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};
use palisade_config::{Kind, Setting, choice, quoted, section};
use palisade_model::Str;
use serde::Deserialize;

use crate::KubeError;

section! {
    /// The cluster to guard.
    #[derive(Clone, Debug)]
    pub struct KubernetesConfig("kubernetes") {
        /// Whether to connect. `auto` does inside a cluster, and where `kubeconfig` or `context` is set.
        pub enabled: Enabled = Enabled::Auto;
        /// The kubeconfig file; inside a cluster the service account, elsewhere `$KUBECONFIG` or `~/.kube/config` by
        /// default.
        pub kubeconfig: Option<PathBuf> = None;
        /// The context of the kubeconfig file; its current one by default.
        pub context: Option<String> = None;
        /// What the cluster is called in findings and decisions.
        pub cluster: String = "kubernetes".into();
        /// The namespace that Palisade runs in; it is never judged at admission.
        pub namespace: String = "palisade".into();
        /// The service account that Palisade runs as, for the requests that are its own.
        pub service_account: String = "palisade".into();
        /// The service through which the API server reaches the admission listener.
        pub service: String = "palisade".into();
        /// The port of that service.
        pub service_port: u16 = 443;
        /// The base address under which the API server reaches the admission listener instead, such as
        /// `https://127.0.0.1:9443`; for a server outside the cluster.
        pub webhook_url: Option<String> [Kind::URL] = None;
        /// Further namespaces that are not judged at admission. `kube-system` is needed to repair a cluster.
        pub excluded_namespaces: Vec<String> = vec!["kube-system".into()];
        /// Whether webhook configurations are registered.
        pub register_webhooks: bool = true;
        /// Whether the last server that stops removes them again.
        pub remove_webhooks: bool = false;
        /// Whether ValidatingAdmissionPolicy and MutatingAdmissionPolicy objects of the cluster are judged at admission
        /// too, although the API server does that itself. The scan judges them anyway.
        pub admit_native_policies: bool = false;
        /// Whether it is said on policy objects how loading them went.
        pub write_status: bool = true;
        /// Which kind of reports the scan writes; `auto` is OpenReports where the cluster has their kinds, PolicyReports
        /// otherwise.
        pub reports: Reports = Reports::Auto;
        /// The most objects of one kind that are held in memory.
        pub max_cached_objects: usize = 250_000;
    }
}

/// Whether to connect to a cluster: `"auto"`, `true` or `false`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Switch")]
pub enum Enabled {
    /// Where it is plain which cluster is meant.
    #[default]
    Auto,
    /// Always; not to reach it is an error.
    Yes,
    /// Never.
    No,
}

impl Setting for Enabled {
    const KIND: Kind = Kind::Either(&[Kind::Flag, Kind::Word(&["auto", "true", "false"])]);

    fn show(&self) -> Option<String> {
        Some(match self {
            Self::Auto => quoted("auto"),
            Self::Yes => true.to_string(),
            Self::No => false.to_string(),
        })
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Switch {
    Bool(bool),
    Text(String),
}

impl TryFrom<Switch> for Enabled {
    type Error = String;

    fn try_from(switch: Switch) -> Result<Self, String> {
        match switch {
            Switch::Bool(true) => Ok(Self::Yes),
            Switch::Bool(false) => Ok(Self::No),
            Switch::Text(text) => match text.as_str() {
                "auto" => Ok(Self::Auto),
                "true" => Ok(Self::Yes),
                "false" => Ok(Self::No),
                other => Err(format!("`{other}` is none of `auto`, `true` and `false`")),
            },
        }
    }
}

choice! {
    /// Which kind of reports the scan writes into the cluster.
    pub enum Reports {
        /// OpenReports where the cluster has their kinds, PolicyReports otherwise.
        Auto = "auto",
        /// `wgpolicyk8s.io` PolicyReport and ClusterPolicyReport.
        PolicyReport = "policy-report",
        /// `openreports.io` Report and ClusterReport.
        OpenReports = "open-reports",
        /// None; results are in the store only.
        None = "none",
    }
}

impl KubernetesConfig {
    /// Whether this asks for a connection, given the environment of this process.
    fn is_wanted(&self) -> bool {
        match self.enabled {
            Enabled::Yes => true,
            Enabled::No => false,
            Enabled::Auto => self.kubeconfig.is_some() || self.context.is_some() || is_in_cluster(),
        }
    }

    /// Whether requests in `namespace` are kept from our webhooks.
    pub fn excludes(&self, namespace: &str) -> bool {
        namespace == self.namespace || self.excluded_namespaces.iter().any(|excluded| excluded == namespace)
    }

    /// The user name of our own service account.
    pub fn user(&self) -> String {
        format!("system:serviceaccount:{}:{}", self.namespace, self.service_account)
    }
}

fn is_in_cluster() -> bool {
    std::env::var_os("KUBERNETES_SERVICE_HOST").is_some()
}

/// A connection to an API server. Clones share its pool.
#[derive(Clone)]
pub struct Connection {
    pub(crate) client: kube::Client,
    server: Str,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Connection {
    /// The connection that `config` asks for; `None` where it asks for none. Nothing is sent yet: an API server that is
    /// down for the moment is no reason not to start.
    pub async fn open(config: &KubernetesConfig) -> Result<Option<Self>, KubeError> {
        if !config.is_wanted() {
            return Ok(None);
        }
        let mut settings = settings(config).await?;
        settings.connect_timeout = Some(Duration::from_secs(5));
        let server = settings.cluster_url.to_string();
        let client = kube::Client::try_from(settings).map_err(|error| KubeError::of(error, &server, "connecting"))?;
        Ok(Some(Self { client, server: server.trim_end_matches('/').into() }))
    }

    /// The API server's address.
    pub fn server(&self) -> &str {
        &self.server
    }
}

/// Address and identity: the file that is named, else the service account, else the user's own file.
async fn settings(config: &KubernetesConfig) -> Result<kube::Config, KubeError> {
    let options = KubeConfigOptions { context: config.context.clone(), ..KubeConfigOptions::default() };
    if let Some(path) = &config.kubeconfig {
        let failed = |error: kube::config::KubeconfigError| KubeError::Configuration {
            reason: format!("`{}`: {error}", path.display()),
            remedy: "set `kubernetes.kubeconfig` and `kubernetes.context` to what `kubectl config get-contexts` shows",
        };
        let file = Kubeconfig::read_from(path).map_err(failed)?;
        return kube::Config::from_custom_kubeconfig(file, &options).await.map_err(failed);
    }
    if config.context.is_none() && is_in_cluster() {
        return kube::Config::incluster().map_err(|error| KubeError::Configuration {
            reason: error.to_string(),
            remedy: "mount the service account's token into the pod, or set `kubernetes.kubeconfig`",
        });
    }
    kube::Config::from_kubeconfig(&options).await.map_err(|error| KubeError::Configuration {
        reason: error.to_string(),
        remedy: "set `kubernetes.kubeconfig`, or `kubernetes.enabled = false` to do without a cluster",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<KubernetesConfig, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn the_switch_is_a_boolean_or_auto() {
        assert_eq!(read("{}").unwrap().enabled, Enabled::Auto);
        assert_eq!(read(r#"{"enabled":true}"#).unwrap().enabled, Enabled::Yes);
        assert_eq!(read(r#"{"enabled":"false"}"#).unwrap().enabled, Enabled::No);
        assert!(read(r#"{"enabled":"maybe"}"#).unwrap_err().to_string().contains("`maybe` is none of"));
        assert!(read(r#"{"kube-config":"x"}"#).unwrap_err().to_string().contains("unknown field `kube-config`"));
    }

    #[tokio::test]
    async fn a_kubeconfig_that_cannot_be_read_names_the_file_and_the_remedy() {
        let config = read(r#"{"kubeconfig":"/nowhere/config","context":"blue"}"#).unwrap();
        let error = Connection::open(&config).await.unwrap_err().to_string();
        assert!(error.contains("`/nowhere/config`") && error.contains("`kubernetes.kubeconfig`"), "{error}");
    }

    #[test]
    fn our_own_namespace_is_always_excluded() {
        let config = KubernetesConfig { namespace: "guard".into(), ..KubernetesConfig::default() };
        assert!(config.excludes("guard") && config.excludes("kube-system") && !config.excludes("default"));
    }
}
