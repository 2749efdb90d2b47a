//! The inventory: every object that was judged, where it is, and whose it is.

use std::collections::BTreeMap;

use jiff::Timestamp;
use palisade_model::{Address, VerdictCounts, hex};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::changes::tell;
use crate::database::Session;
use crate::error::Failure;
use crate::page::{Column, Order};
use crate::statement::Sql;
use crate::table::{Columns, columns, table};
use crate::{Listed, Page, Store, StoreError};

/// The columns of an address, which stay what they were at the first sight.
pub(crate) const ADDRESS: [&str; 6] = ["source", "api_group", "kind", "namespace", "name", "part"];

const BY_ID: Order = Order { list: "resources", columns: &[Column::text("id", "id")], descending: false };

/// The identifier of what is at an address: 32 hexadecimal digits, the same in every replica.
pub fn resource_id(address: &Address) -> String {
    let Address { source, group, kind, namespace, name, part } = address;
    let parts: [&str; 6] = [source, group, kind, namespace, name, part];
    // What is the only one of its kind had an identifier before parts were known.
    natural_id(if part.is_empty() { &parts[..5] } else { &parts })
}

/// Half a SHA-256 over parts, none of which can run into its neighbour.
pub(crate) fn natural_id(parts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    let mut id = hex(&digest.finalize());
    id.truncate(32);
    id
}

/// A resource of the inventory.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ResourceRecord {
    /// Its identifier, made from its address.
    pub id: String,
    /// What makes it the same at the next sight.
    #[serde(flatten)]
    pub address: Address,
    /// API version.
    pub version: String,
    /// Unique identifier in the cluster, empty outside of one.
    pub uid: String,
    /// SHA-256 of its labels.
    pub labels_digest: String,
    /// SHA-256 of what was judged.
    pub input_digest: String,
    /// SHA-256 of the policies that judged it last.
    pub ruleset_digest: String,
    /// The team that answers for it.
    pub team: String,
    /// The service that it belongs to.
    pub service: String,
    /// What the rules said last.
    pub counts: VerdictCounts,
    /// First seen.
    pub first_seen: Timestamp,
    /// Last seen.
    pub last_seen: Timestamp,
}

table! {
    RESOURCES = resources (id);
    ResourceRecord {
        id: text,
        address: group Address,
        version: text,
        uid: text,
        labels_digest: text,
        input_digest: text,
        ruleset_digest: text,
        team: text,
        service: text,
        counts: group VerdictCounts,
        first_seen: time,
        last_seen: time,
    }
}

columns! {
    Address {
        source: shared,
        group in api_group: shared,
        kind: shared,
        namespace: shared,
        name: shared,
        part: shared,
    }
}

/// Which resources are wanted. What is `None` does not narrow.
#[derive(Clone, Debug, Default)]
pub struct ResourceFilter {
    /// Where it lives.
    pub source: Option<String>,
    /// Kind.
    pub kind: Option<String>,
    /// Namespace.
    pub namespace: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Of any of these teams.
    pub teams: Option<Vec<String>>,
    /// Service.
    pub service: Option<String>,
}

impl Store {
    /// The resource with this identifier.
    pub async fn resource(&self, id: &str) -> Result<Option<ResourceRecord>, StoreError> {
        self.database
            .attempt("reading a resource", async || {
                let sql = Sql::new("SELECT * FROM resources WHERE id = $1").arg(id);
                self.database.read().await?.row(sql).await?.as_ref().map(Columns::read).transpose()
            })
            .await
    }

    /// Resources by identifier.
    pub async fn list_resources(
        &self,
        filter: &ResourceFilter,
        page: &Page,
    ) -> Result<Listed<ResourceRecord>, StoreError> {
        self.database
            .attempt("listing resources", async || {
                let sql = Sql::new("SELECT * FROM resources WHERE 1 = 1")
                    .equal("source", filter.source.as_deref())
                    .equal("kind", filter.kind.as_deref())
                    .equal("namespace", filter.namespace.as_deref())
                    .equal("name", filter.name.as_deref())
                    .among("team", filter.teams.as_deref())
                    .equal("service", filter.service.as_deref());
                self.database.read().await?.list(sql, &BY_ID, page, Columns::read).await
            })
            .await
    }

    /// Forgets resources that no longer exist and resolves their findings. Returns how many there were.
    pub async fn remove_resources(&self, ids: &[String], now: Timestamp) -> Result<u64, StoreError> {
        self.database
            .attempt("forgetting resources", async || {
                let mut session = self.database.write().await?;
                let mut gone = 0;
                for chunk in ids.chunks(500) {
                    gone += forget(&mut session, chunk, now).await?;
                }
                session.commit().await?;
                Ok(gone)
            })
            .await
    }

    /// Forgets the resources of a source that were last seen before a complete pass began. Returns how many.
    pub async fn remove_unseen_resources(
        &self,
        source: &str,
        pass_began: Timestamp,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut gone = 0;
        loop {
            let batch = self
                .database
                .attempt("forgetting resources", async || {
                    let mut session = self.database.write().await?;
                    let sql =
                        Sql::new("SELECT id FROM resources WHERE source = $1 AND last_seen < $2 ORDER BY id LIMIT 500");
                    let rows = session.rows(sql.arg(source).arg(pass_began)).await?;
                    let ids = rows.iter().map(|row| row.text("id")).collect::<Result<Vec<_>, _>>()?;
                    let gone = forget(&mut session, &ids, now).await?;
                    session.commit().await?;
                    Ok(gone)
                })
                .await?;
            gone += batch;
            if batch == 0 {
                return Ok(gone);
            }
        }
    }
}

/// Removes resources and resolves their findings; returns how many resources there were.
async fn forget(session: &mut Session, ids: &[String], now: Timestamp) -> Result<u64, Failure> {
    let sql = Sql::new("DELETE FROM resources WHERE 1 = 1").among("id", Some(ids));
    let gone = session.execute(sql).await?;
    let sql = Sql::new("UPDATE findings SET resolved_at = $1 WHERE resolved_at IS NULL").arg(now);
    let rows = session.rows(sql.among("resource_id", Some(ids)).push(" RETURNING team")).await?;
    let mut resolved = BTreeMap::<String, u64>::new();
    for row in &rows {
        *resolved.entry(row.text("team")?).or_default() += 1;
    }
    if !resolved.is_empty() {
        let changes = resolved.into_iter().map(|(team, count)| (Some(team), json!({ "opened": 0, "resolved": count })));
        tell(session, "findings", changes, now).await?;
    }
    Ok(gone)
}
