//! What the operator says about the store: where it is, how many connections, how long records stay.

use std::path::PathBuf;

use serde::Deserialize;

/// The `[store]` table of the configuration. The default is an SQLite file in the data folder.
#[derive(Clone, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct StoreConfig {
    /// `sqlite:PATH` (relative to the data folder) or `postgres://USER@HOST/DATABASE?sslmode=verify-full`; none is the
    /// file `palisade.db` in the data folder.
    pub url: Option<String>,
    /// A file with the password for PostgreSQL; a trailing line break does not count.
    pub password_file: Option<PathBuf>,
    /// Connections kept open at most.
    pub max_connections: u32,
    /// Days that decisions stay.
    pub decision_days: u32,
    /// Days that findings stay after they were resolved.
    pub finding_days: u32,
    /// Days that the feed of changes stays.
    pub change_days: u32,
    /// Days that administrative actions stay.
    pub audit_days: u32,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            url: None,
            password_file: None,
            max_connections: 10,
            decision_days: 30,
            finding_days: 90,
            change_days: 3,
            audit_days: 730,
        }
    }
}
