//! An empty database for each test: a file in a folder of its own, or a database on a server that the tests share.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};

use palisade_store::{Store, StoreConfig};
use palisade_testkit::{Postgres, Skip};
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _};

static SERVER: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());
static COUNT: AtomicU32 = AtomicU32::new(0);

/// A folder, removed on drop.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("palisade-store-{}-{count}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) struct TestDatabase {
    pub(crate) folder: Folder,
    pub(crate) config: StoreConfig,
    /// Kept running while the test needs it.
    pub(crate) server: Option<Arc<Postgres>>,
}

impl TestDatabase {
    pub(crate) fn sqlite() -> Self {
        Self { folder: Folder::new(), config: StoreConfig::default(), server: None }
    }

    pub(crate) async fn postgres() -> Result<Self, Skip> {
        let server = {
            let mut shared = SERVER.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if let Some(server) = shared.upgrade() {
                server
            } else {
                let server = Arc::new(Postgres::start()?);
                *shared = Arc::downgrade(&server);
                server
            }
        };
        Ok(Self::on(server).await)
    }

    pub(crate) async fn on(server: Arc<Postgres>) -> Self {
        sqlx::any::install_default_drivers();
        let name = format!("test{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let mut connection = AnyConnection::connect(&server.url()).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        let url = server.url();
        let url = Some(format!("{}/{name}", url.strip_suffix("/postgres").unwrap()));
        Self { folder: Folder::new(), config: StoreConfig { url, ..StoreConfig::default() }, server: Some(server) }
    }

    pub(crate) async fn open(&self) -> Store {
        Store::open(&self.config, &self.folder.0).await.unwrap()
    }

    /// Where a connection beside the store goes.
    pub(crate) fn url(&self) -> String {
        match &self.config.url {
            Some(url) => url.clone(),
            None => format!("sqlite://{}/palisade.db?mode=rwc", self.folder.0.display()),
        }
    }

    /// Runs SQL beside the store.
    pub(crate) async fn script(&self, sql: &str) {
        sqlx::any::install_default_drivers();
        let mut connection = AnyConnection::connect(&self.url()).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }
}
