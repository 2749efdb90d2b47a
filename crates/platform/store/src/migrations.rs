//! Brings a database to the schema of this program, forward only. All steps of one start are one transaction, and
//! replicas that start together do it one after the other.

use jiff::Timestamp;
use palisade_model::hex;
use sha2::{Digest as _, Sha256};

use crate::StoreError;
use crate::database::Session;
use crate::dialect::Dialect;
use crate::error::Failure;
use crate::statement::Sql;

/// One step. What has been released never changes; a change of the schema is a new step.
pub(crate) struct Migration {
    pub(crate) version: i64,
    name: &'static str,
    sql: &'static str,
}

/// What lies in the folder `migrations`, in order.
pub(crate) const MIGRATIONS: &[Migration] = include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

/// The newest version that this program knows.
pub(crate) fn newest() -> i64 {
    MIGRATIONS.last().map_or(0, |migration| migration.version)
}

/// Waits, in this transaction, until no other replica migrates.
const POSTGRES_TURN: &str = "SET LOCAL lock_timeout = '60s'; \
     DO $$ BEGIN PERFORM pg_advisory_xact_lock(7236283190427385); END $$;";

/// Runs, in a transaction that writes, the steps that are missing up to `target`.
pub(crate) async fn migrate(session: &mut Session, target: i64, now: Timestamp) -> Result<(), Failure> {
    if session.dialect == Dialect::Postgres {
        session.script(POSTGRES_TURN).await?;
    }
    session
        .script(
            "CREATE TABLE IF NOT EXISTS migrations (version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, \
             digest TEXT NOT NULL, applied_at BIGINT NOT NULL)",
        )
        .await?;
    let applied = applied(session).await?;
    for migration in MIGRATIONS.iter().filter(|migration| migration.version <= target) {
        if !applied.contains(&migration.version) {
            tracing::info!(version = migration.version, name = migration.name, "migrating the store");
            session.script(migration.sql).await?;
            let sql = Sql::new("INSERT INTO migrations (version, name, digest, applied_at) VALUES ($1, $2, $3, $4)");
            let digest = digest(migration);
            session.execute(sql.arg(migration.version).arg(migration.name).arg(digest).arg(now)).await?;
        }
    }
    Ok(())
}

/// The versions that the database has, each checked to be ours.
async fn applied(session: &mut Session) -> Result<Vec<i64>, Failure> {
    let mut versions = Vec::new();
    for row in session.rows(Sql::new("SELECT version, digest FROM migrations ORDER BY version")).await? {
        let version = row.int("version")?;
        match MIGRATIONS.iter().find(|migration| migration.version == version) {
            None => return Err(StoreError::FromTheFuture { found: version, known: newest() }.into()),
            Some(migration) if digest(migration) != row.text("digest")? => {
                return Err(StoreError::ForeignMigration { version }.into());
            }
            Some(_) => versions.push(version),
        }
    }
    Ok(versions)
}

fn digest(migration: &Migration) -> String {
    hex(&Sha256::digest(migration.sql))
}
