//! Policies as their sources offered them: which there are, in which version, and what is wrong with them. Contents
//! are kept per version, so that a decision's policy can be read long after it changed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::changes::tell;
use crate::database::Session;
use crate::error::Failure;
use crate::page::{Column, Order};
use crate::resources::natural_id;
use crate::statement::Sql;
use crate::table::{Columns, table};
use crate::{Listed, Page, Store, StoreError};

const BY_NAME: Order =
    Order { list: "policies", columns: &[Column::text("name", "name"), Column::text("id", "id")], descending: false };
const VERSIONS: Order = Order {
    list: "versions",
    columns: &[Column::int("first_seen", "first_seen"), Column::text("digest", "digest")],
    descending: true,
};

/// Whether a policy judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PolicyStatus {
    /// This version judges.
    Active,
    /// The offered version is broken; the last good one judges, where there is one.
    Rejected,
    /// Its source no longer offers it.
    Removed,
}

impl PolicyStatus {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Rejected => "rejected",
            Self::Removed => "removed",
        }
    }

    fn of(policy: &PolicySighting) -> Self {
        if policy.problem.is_none() { Self::Active } else { Self::Rejected }
    }
}

/// One policy as its source offers it now.
#[derive(Clone, Debug)]
pub struct PolicySighting {
    /// Kind of the policy object.
    pub kind: String,
    /// Namespace, empty where it has none.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// SHA-256 of its canonical JSON.
    pub digest: String,
    /// The document as text.
    pub content: String,
    /// Where in the source it is, such as a path and a line.
    pub place: String,
    /// What is wrong with it; none where it judges.
    pub problem: Option<String>,
}

/// A stored policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PolicyRecord {
    /// Its identifier, made from source, kind, namespace and name.
    pub id: String,
    /// The source that offers it.
    pub source: String,
    /// Kind of the policy object.
    pub kind: String,
    /// Namespace, empty where it has none.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// SHA-256 of the version offered last.
    pub digest: String,
    /// Where in the source it is.
    pub place: String,
    /// Whether it judges.
    pub status: PolicyStatus,
    /// What is wrong with it.
    pub problem: Option<String>,
    /// First seen.
    pub first_seen: Timestamp,
    /// When version, status or problem changed last.
    pub changed_at: Timestamp,
}

/// One version of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PolicyVersion {
    /// Identifier of the policy.
    pub policy_id: String,
    /// SHA-256 of its canonical JSON.
    pub digest: String,
    /// The document as text.
    pub content: String,
    /// First seen.
    pub first_seen: Timestamp,
}

table! {
    POLICIES = policies (id);
    PolicyRecord {
        id: text,
        source: text,
        kind: text,
        namespace: text,
        name: text,
        digest: text,
        place: text,
        status: word,
        problem: optional_text,
        first_seen: time,
        changed_at: time,
    }
}

table! {
    POLICY_VERSIONS = policy_versions (policy_id, digest);
    PolicyVersion { policy_id: text, digest: text, content: text, first_seen: time }
}

/// Which policies are wanted. What is `None` does not narrow.
#[derive(Clone, Debug, Default)]
pub struct PolicyFilter {
    /// Source.
    pub source: Option<String>,
    /// Kind.
    pub kind: Option<String>,
    /// Namespace.
    pub namespace: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Status; none leaves out what is removed.
    pub status: Option<PolicyStatus>,
}

impl Store {
    /// Takes over everything that a source offers now; what it no longer offers is marked removed. Tells the feed of
    /// changes (topic `policies`) where something changed. Returns how many policies changed.
    pub async fn sync_policies(
        &self,
        source: &str,
        offered: &[PolicySighting],
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let offered: BTreeMap<String, &PolicySighting> =
            offered.iter().map(|policy| (policy_id(source, policy), policy)).collect();
        self.database
            .attempt("taking policies over", async || {
                let mut session = self.database.write().await?;
                let rows = session.rows(Sql::new("SELECT * FROM policies WHERE source = $1").arg(source)).await?;
                let known = rows.iter().map(|row| PolicyRecord::read(row).map(|policy| (policy.id.clone(), policy)));
                let known = known.collect::<Result<BTreeMap<_, _>, Failure>>()?;
                let mut changed = 0;
                for (id, policy) in &offered {
                    if !known.get(id).is_some_and(|known| unchanged(known, policy)) {
                        changed += 1;
                        keep(&mut session, source, id, policy, now).await?;
                    }
                }
                for gone in known.values().filter(|known| !offered.contains_key(&known.id)) {
                    if gone.status != PolicyStatus::Removed {
                        changed += 1;
                        let sql =
                            Sql::new("UPDATE policies SET status = $1, problem = NULL, changed_at = $2 WHERE id = $3");
                        session.execute(sql.arg(PolicyStatus::Removed.as_str()).arg(now).arg(&gone.id)).await?;
                    }
                }
                if changed > 0 {
                    let body = serde_json::json!({ "source": source, "changed": changed });
                    tell(&mut session, "policies", [(None, body)], now).await?;
                }
                session.commit().await?;
                Ok(changed)
            })
            .await
    }

    /// The policy with this identifier.
    pub async fn policy(&self, id: &str) -> Result<Option<PolicyRecord>, StoreError> {
        self.database
            .attempt("reading a policy", async || {
                let sql = Sql::new("SELECT * FROM policies WHERE id = $1").arg(id);
                self.database.read().await?.row(sql).await?.as_ref().map(Columns::read).transpose()
            })
            .await
    }

    /// Policies by name.
    pub async fn list_policies(&self, filter: &PolicyFilter, page: &Page) -> Result<Listed<PolicyRecord>, StoreError> {
        self.database
            .attempt("listing policies", async || {
                let sql = Sql::new("SELECT * FROM policies WHERE 1 = 1")
                    .equal("source", filter.source.as_deref())
                    .equal("kind", filter.kind.as_deref())
                    .equal("namespace", filter.namespace.as_deref())
                    .equal("name", filter.name.as_deref());
                let sql = match filter.status {
                    Some(status) => sql.equal("status", Some(status.as_str())),
                    None => sql.push(" AND status <> 'removed'"),
                };
                self.database.read().await?.list(sql, &BY_NAME, page, Columns::read).await
            })
            .await
    }

    /// The versions of a policy, the newest first.
    pub async fn list_policy_versions(&self, id: &str, page: &Page) -> Result<Listed<PolicyVersion>, StoreError> {
        self.database
            .attempt("listing the versions of a policy", async || {
                let sql = Sql::new("SELECT * FROM policy_versions WHERE policy_id = $1").arg(id);
                self.database.read().await?.list(sql, &VERSIONS, page, Columns::read).await
            })
            .await
    }

    /// The version of any policy with this digest, as decisions and findings name it.
    pub async fn policy_version(&self, digest: &str) -> Result<Option<PolicyVersion>, StoreError> {
        self.database
            .attempt("reading a version of a policy", async || {
                let sql =
                    Sql::new("SELECT * FROM policy_versions WHERE digest = $1 ORDER BY first_seen, policy_id LIMIT 1");
                self.database.read().await?.row(sql.arg(digest)).await?.as_ref().map(Columns::read).transpose()
            })
            .await
    }
}

fn policy_id(source: &str, policy: &PolicySighting) -> String {
    natural_id(&[source, &policy.kind, &policy.namespace, &policy.name])
}

fn unchanged(known: &PolicyRecord, offered: &PolicySighting) -> bool {
    known.digest == offered.digest
        && known.place == offered.place
        && known.problem == offered.problem
        && known.status == PolicyStatus::of(offered)
}

async fn keep(
    session: &mut Session,
    source: &str,
    id: &str,
    policy: &PolicySighting,
    now: Timestamp,
) -> Result<(), Failure> {
    let PolicySighting { kind, namespace, name, digest, content, place, problem } = policy.clone();
    let version = PolicyVersion { policy_id: id.to_owned(), digest: digest.clone(), content, first_seen: now };
    let (id, source, status) = (id.to_owned(), source.to_owned(), PolicyStatus::of(policy));
    let (first_seen, changed_at) = (now, now);
    let record =
        PolicyRecord { id, source, kind, namespace, name, digest, place, status, problem, first_seen, changed_at };
    let sql = POLICIES.upsert([record.values()], &["id"], &["source", "kind", "namespace", "name", "first_seen"]);
    session.execute(sql).await?;
    let sql = POLICY_VERSIONS.insert([version.values()]).push(" ON CONFLICT DO NOTHING");
    session.execute(sql).await.map(|_| ())
}
