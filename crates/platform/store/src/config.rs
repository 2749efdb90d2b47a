//! What the operator says about the store: where it is, how many connections, how long records stay.

use std::fmt;
use std::path::{Path, PathBuf};

use palisade_config::{Kind, section};
use url::Url;

use crate::StoreError;

/// The longest password, in bytes.
const MAX_PASSWORD: u64 = 4096;

section! {
    /// Where the state is kept, and for how long. The default is an SQLite file in the data folder.
    #[derive(Clone)]
    pub struct StoreConfig("store") {
        /// `sqlite:PATH` (relative to the data folder) or `postgres://USER@HOST/DATABASE?sslmode=verify-full`; none is the
        /// file `palisade.db` in the data folder.
        pub url: Option<String> [Kind::URL] = None;
        /// A file with the password for PostgreSQL; a trailing line break does not count.
        pub password_file: Option<PathBuf> = None;
        /// Connections kept open at most.
        pub max_connections: u32 = 10;
        /// Days that decisions stay.
        pub decision_days: u32 = 30;
        /// Days that findings stay after they were resolved.
        pub finding_days: u32 = 90;
        /// Days that the feed of changes stays.
        pub change_days: u32 = 3;
        /// Days that jobs stay after they ended.
        pub job_days: u32 = 7;
        /// Days that administrative actions stay.
        pub audit_days: u32 = 730;
    }
}

impl fmt::Debug for StoreConfig {
    /// Leaves the address out: it may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreConfig").field("max_connections", &self.max_connections).finish_non_exhaustive()
    }
}

/// Where the database is.
pub(crate) enum Place {
    /// A file.
    Sqlite(PathBuf),
    /// A server. Holds the password: never shown.
    Postgres(Url),
}

impl StoreConfig {
    /// Where the database is, with the password from its file. No error repeats the address.
    pub(crate) fn place(&self, data_dir: &Path) -> Result<Place, StoreError> {
        let Some(text) = &self.url else { return Ok(Place::Sqlite(data_dir.join("palisade.db"))) };
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() || path.contains('?') || path == ":memory:" {
                return Err(StoreError::Config("`url` has to be `sqlite:PATH` with the path of a file".to_owned()));
            }
            return Ok(Place::Sqlite(data_dir.join(path)));
        }
        let mut url = Url::parse(text).map_err(|error| StoreError::Config(format!("`url` is no address: {error}")))?;
        if !matches!(url.scheme(), "postgres" | "postgresql") {
            return Err(StoreError::Config("`url` has to begin with `sqlite:` or `postgres:`".to_owned()));
        }
        if let Some(file) = &self.password_file {
            let password = read_password(&data_dir.join(file))?;
            url.set_password(Some(&password))
                .map_err(|()| StoreError::Config("`password-file` needs a host in `url`".to_owned()))?;
        }
        Ok(Place::Postgres(url))
    }
}

fn read_password(file: &Path) -> Result<String, StoreError> {
    use std::io::Read as _;
    let unreadable = |error: std::io::Error| {
        StoreError::Config(format!("`password-file` `{}` cannot be read: {error}", file.display()))
    };
    let mut text = String::new();
    std::fs::File::open(file).map_err(unreadable)?.take(MAX_PASSWORD).read_to_string(&mut text).map_err(unreadable)?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
