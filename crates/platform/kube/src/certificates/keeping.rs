//! Where the certificate is kept between runs: a Secret that replicas share, or a file.

use std::fmt;
use std::io::Write as _;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use palisade_model::Value;
use palisade_runtime::{Readers, blocking, replace_file};
use serde_json::json;

use crate::api::value;
use crate::{Connection, KubeError};

/// The key of the Secret, and the name of the file.
const ENTRY: &str = "certificates.json";

/// The largest file that is read, in bytes.
const LIMIT: u64 = 1 << 20;

/// Where the certificate is kept between runs.
pub enum Keeping {
    /// A Secret of the cluster.
    Secret {
        /// The cluster.
        connection: Connection,
        /// The namespace of the Secret.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// A file in this folder, readable by nobody else.
    Folder(PathBuf),
}

impl fmt::Debug for Keeping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret { namespace, name, .. } => write!(f, "Secret {namespace}/{name}"),
            Self::Folder(folder) => write!(f, "Folder {}", folder.display()),
        }
    }
}

/// What was found.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) material: Option<Vec<u8>>,
    /// The version of the Secret; none where there is no Secret.
    version: Option<String>,
}

impl Keeping {
    pub(super) async fn read(&self) -> Result<Kept, KubeError> {
        match self {
            Self::Secret { connection, namespace, name } => {
                let secret = match connection.get(&format!("/api/v1/namespaces/{namespace}/secrets/{name}")).await {
                    Err(error) if error.is_not_found() => return Ok(Kept::default()),
                    other => other?,
                };
                let text = secret.dig(["data", ENTRY]).and_then(Value::as_str);
                let version = secret.dig(["metadata", "resourceVersion"]).and_then(Value::as_str).map(str::to_owned);
                Ok(Kept { material: text.and_then(|text| STANDARD.decode(text).ok()), version })
            }
            Self::Folder(folder) => {
                let path = folder.join(ENTRY);
                match tokio::fs::metadata(&path).await {
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Kept::default()),
                    Ok(file) if file.len() > LIMIT => return Ok(Kept::default()),
                    _ => {}
                }
                let material = tokio::fs::read(&path).await.map_err(|error| failed("read", &path, &error))?;
                Ok(Kept { material: Some(material), version: None })
            }
        }
    }

    /// Writes over what was `kept`; false where somebody else wrote meanwhile.
    pub(super) async fn write(&self, material: &str, kept: &Kept) -> Result<bool, KubeError> {
        match self {
            Self::Secret { connection, namespace, name } => {
                let collection = format!("/api/v1/namespaces/{namespace}/secrets");
                let secret = secret(namespace, name, material, kept.version.as_deref());
                let written = if kept.version.is_some() {
                    connection.replace(&format!("{collection}/{name}"), &secret).await
                } else {
                    connection.create(&collection, &secret).await
                };
                match written {
                    Err(error) if error.is_conflict() || (kept.version.is_some() && error.is_not_found()) => Ok(false),
                    other => other.map(|_| true),
                }
            }
            Self::Folder(folder) => {
                let (folder, path, text) = (folder.clone(), folder.join(ENTRY), material.to_owned());
                let place = path.clone();
                let write = move || {
                    std::fs::create_dir_all(folder)?;
                    replace_file(&place, Readers::Owner, |file| file.write_all(text.as_bytes()))
                };
                let written = blocking("writing the certificate", write).await;
                let written = written.map_err(std::io::Error::other).flatten();
                written.map(|()| true).map_err(|error| failed("write", &path, &error))
            }
        }
    }
}

fn secret(namespace: &str, name: &str, material: &str, version: Option<&str>) -> Value {
    let mut metadata = json!({
        "name": name,
        "namespace": namespace,
        "labels": {"app.kubernetes.io/managed-by": "palisade"},
    });
    if let (Some(version), Some(metadata)) = (version, metadata.as_object_mut()) {
        metadata.insert("resourceVersion".into(), json!(version));
    }
    value(&json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "type": "Opaque",
        "data": {ENTRY: STANDARD.encode(material)},
    }))
}

fn failed(verb: &str, path: &std::path::Path, error: &std::io::Error) -> KubeError {
    KubeError::Certificate { operation: format!("{verb} `{}`", path.display()), reason: error.to_string() }
}
