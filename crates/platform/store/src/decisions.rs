//! What checkpoints answered, one record each, kept until retention takes them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use palisade_model::{Checkpoint, Decision, Owner, VerdictCounts};
use serde::{Deserialize, Serialize};

use crate::changes::tell;
use crate::database::Session;
use crate::error::Failure;
use crate::page::{Column, Order};
use crate::row::Row;
use crate::statement::{Sql, row};
use crate::table::{Columns, columns, table};
use crate::{Listed, Page, Store, StoreError, StoredFinding};

/// Rows of one statement; with 29 columns each. More of them would be slower on SQLite.
const CHUNK: usize = 25;

table! {
    DECISIONS = decisions (id) kept decision_days since time;
    DecisionRecord {
        id: text,
        time: time,
        checkpoint: word,
        operation: text,
        dry_run: flag,
        group in api_group: text,
        version: text,
        kind: text,
        namespace: text,
        name: text,
        uid: text,
        sub_resource: text,
        username: text,
        groups in user_groups: json,
        allowed: flag,
        message: text,
        warnings: json,
        patched: flag,
        findings: json,
        counts: group VerdictCounts,
        input_digest: text,
        ruleset_digest: text,
        team: text,
        service: text,
        duration_us: count,
    }
}

columns! {
    VerdictCounts {
        pass in passed: small,
        fail in failed: small,
        warn in warned: small,
        skip in skipped: small,
        error in errors: small,
    }
}

table! {
    DECISION_POLICIES = decision_policies (decision_id, policy);
    { decision_id: text, policy: text, time: time }
}

const NEWEST: Order = Order {
    list: "decisions",
    columns: &[Column::int("d.time", "time"), Column::text("d.id", "id")],
    descending: true,
};
/// The same order by the index of the policy.
const NEWEST_OF_POLICY: Order = Order {
    list: "decisions",
    columns: &[Column::int("p.time", "time"), Column::text("p.decision_id", "id")],
    descending: true,
};

/// A decision as it is stored, and as the server's journal writes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DecisionRecord {
    /// UUIDv7; the same record appended twice is stored once.
    pub id: String,
    /// When.
    pub time: Timestamp,
    /// Where it was asked.
    pub checkpoint: Checkpoint,
    /// What was to happen, such as `CREATE`.
    pub operation: String,
    /// Whether nothing would have been stored anyway.
    pub dry_run: bool,
    /// API group, empty for core.
    pub group: String,
    /// API version.
    pub version: String,
    /// Kind.
    pub kind: String,
    /// Namespace, empty for cluster-scoped objects.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Unique identifier in the cluster.
    pub uid: String,
    /// Subresource, empty for the object itself.
    pub sub_resource: String,
    /// Who asked.
    pub username: String,
    /// Groups of the one who asked.
    pub groups: Vec<String>,
    /// Whether it may happen.
    pub allowed: bool,
    /// Why not.
    pub message: String,
    /// What the one who asked was told although it may happen.
    pub warnings: Vec<String>,
    /// Whether the object was changed.
    pub patched: bool,
    /// Failures, warnings and errors, in brief.
    pub findings: Vec<StoredFinding>,
    /// All answers.
    pub counts: VerdictCounts,
    /// SHA-256 of what was judged.
    pub input_digest: String,
    /// SHA-256 of the policies that judged.
    pub ruleset_digest: String,
    /// The team that answers for the object.
    pub team: String,
    /// The service that the object belongs to.
    pub service: String,
    /// How long judging took, in microseconds.
    pub duration_us: u64,
}

impl DecisionRecord {
    /// The record of a decision. `id` is a UUIDv7, `duration_us` the time that judging took, in microseconds.
    pub fn new(id: String, decision: &Decision, owner: &Owner, duration_us: u64) -> Self {
        let owned = |texts: &[palisade_model::Str]| texts.iter().map(ToString::to_string).collect();
        let subject = &decision.subject;
        Self {
            id,
            time: decision.time,
            checkpoint: decision.checkpoint,
            operation: decision.operation.to_string(),
            dry_run: decision.dry_run,
            group: subject.kind.group.to_string(),
            version: subject.kind.version.to_string(),
            kind: subject.kind.kind.to_string(),
            namespace: subject.namespace.to_string(),
            name: subject.name.to_string(),
            uid: subject.uid.to_string(),
            sub_resource: subject.sub_resource.to_string(),
            username: decision.actor.username.to_string(),
            groups: owned(&decision.actor.groups),
            allowed: decision.allowed,
            message: decision.message.clone(),
            warnings: decision.warnings.clone(),
            patched: decision.patched.is_some(),
            findings: decision.findings.iter().map(StoredFinding::brief).collect(),
            counts: decision.counts,
            input_digest: decision.input_digest.to_string(),
            ruleset_digest: decision.ruleset_digest.to_string(),
            team: owner.team.to_string(),
            service: owner.service.to_string(),
            duration_us,
        }
    }
}

/// Which decisions are wanted. What is `None` does not narrow.
#[derive(Clone, Debug, Default)]
pub struct DecisionFilter {
    /// Checkpoint.
    pub checkpoint: Option<Checkpoint>,
    /// Namespace.
    pub namespace: Option<String>,
    /// Kind.
    pub kind: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Of any of these teams.
    pub teams: Option<Vec<String>>,
    /// Service.
    pub service: Option<String>,
    /// A policy that failed, warned or could not be evaluated, as `namespace/name` or `name`.
    pub policy: Option<String>,
    /// Who asked.
    pub username: Option<String>,
    /// Whether it was allowed.
    pub allowed: Option<bool>,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
}

impl DecisionFilter {
    /// Everything but the policy and the time, which choose the index.
    fn narrow(&self, sql: Sql) -> Sql {
        let sql = sql
            .equal("d.checkpoint", self.checkpoint.map(Checkpoint::as_str))
            .equal("d.namespace", self.namespace.as_deref())
            .equal("d.kind", self.kind.as_deref())
            .equal("d.name", self.name.as_deref())
            .among("d.team", self.teams.as_deref())
            .equal("d.service", self.service.as_deref())
            .equal("d.username", self.username.as_deref());
        // Written out, so that the index of denials fits.
        match self.allowed {
            Some(true) => sql.push(" AND d.allowed = 1"),
            Some(false) => sql.push(" AND d.allowed = 0"),
            None => sql,
        }
    }
}

/// By what decisions are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DecisionGroup {
    /// Team.
    Team,
    /// Namespace.
    Namespace,
    /// Kind.
    Kind,
    /// A policy that failed, warned or could not be evaluated.
    Policy,
}

/// How many decisions there are of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DecisionCount {
    /// The group's name.
    pub key: String,
    /// Allowed.
    pub allowed: u64,
    /// Denied.
    pub denied: u64,
}

impl Store {
    /// Appends decisions in one transaction, leaving out those that are stored already, and tells the feed of changes
    /// (topic `decisions`). Returns how many were new.
    pub async fn append_decisions(&self, decisions: &[DecisionRecord]) -> Result<u64, StoreError> {
        self.database
            .attempt("appending decisions", async || {
                let mut session = self.database.write().await?;
                let mut added = BTreeSet::new();
                for chunk in decisions.chunks(CHUNK) {
                    let rows = session.rows(insert(chunk)).await?;
                    for row in &rows {
                        added.insert(row.text("id")?);
                    }
                }
                index_policies(&mut session, decisions, &added).await?;
                tell_of(&mut session, decisions, &added).await?;
                session.commit().await?;
                Ok(added.len() as u64)
            })
            .await
    }

    /// The decision with this identifier.
    pub async fn decision(&self, id: &str) -> Result<Option<DecisionRecord>, StoreError> {
        self.database
            .attempt("reading a decision", async || {
                let sql = Sql::new("SELECT * FROM decisions WHERE id = $1").arg(id);
                self.database.read().await?.row(sql).await?.as_ref().map(Columns::read).transpose()
            })
            .await
    }

    /// Decisions, the newest first.
    pub async fn list_decisions(
        &self,
        filter: &DecisionFilter,
        page: &Page,
    ) -> Result<Listed<DecisionRecord>, StoreError> {
        self.database
    .attempt("listing decisions", async || {
        let mut session = self.database.read().await?;
        if let Some(policy) = filter.policy.as_deref() {
            let sql = Sql::new(
                "SELECT d.* FROM decision_policies p JOIN decisions d ON d.id = p.decision_id WHERE p.policy = ",
            );
            let sql = filter.narrow(sql.bind(policy)).compare("p.time >=", filter.since);
            session.list(sql.compare("p.time <", filter.until), &NEWEST_OF_POLICY, page, Columns::read).await
        } else {
            let sql = filter.narrow(Sql::new("SELECT * FROM decisions d WHERE 1 = 1"));
            let sql = sql.compare("d.time >=", filter.since).compare("d.time <", filter.until);
            session.list(sql, &NEWEST, page, Columns::read).await
        }
    })
    .await
    }

    /// How many decisions there are per group, the largest 500 groups, the largest first.
    pub async fn count_decisions(
        &self,
        filter: &DecisionFilter,
        by: DecisionGroup,
    ) -> Result<Vec<DecisionCount>, StoreError> {
        let (tables, key) = match by {
            DecisionGroup::Team => ("decisions d", "d.team"),
            DecisionGroup::Namespace => ("decisions d", "d.namespace"),
            DecisionGroup::Kind => ("decisions d", "d.kind"),
            DecisionGroup::Policy => ("decisions d JOIN decision_policies p ON p.decision_id = d.id", "p.policy"),
        };
        self.database
            .attempt("counting decisions", async || {
                let sql = Sql::new("SELECT ").push(key).push(" AS label, count(*) AS total, ");
                let sql = sql.push("CAST(sum(d.allowed) AS BIGINT) AS allowed FROM ").push(tables).push(" WHERE 1 = 1");
                let mut sql = filter.narrow(sql).compare("d.time >=", filter.since).compare("d.time <", filter.until);
                if let Some(policy) = filter.policy.as_deref() {
                    sql = sql.push(
                        " AND EXISTS (SELECT 1 FROM decision_policies q WHERE q.decision_id = d.id AND q.policy = ",
                    );
                    sql = sql.bind(policy).push(")");
                }
                let sql = sql.push(" GROUP BY ").push(key).push(" ORDER BY total DESC, label LIMIT 500");
                self.database.read().await?.rows(sql).await?.iter().map(read_count).collect()
            })
            .await
    }
}

/// Inserts what is not there yet and returns the identifiers of it.
fn insert(decisions: &[DecisionRecord]) -> Sql {
    DECISIONS.insert(decisions.iter().cloned().map(Columns::values)).push(" ON CONFLICT (id) DO NOTHING RETURNING id")
}

async fn index_policies(
    session: &mut Session,
    decisions: &[DecisionRecord],
    added: &BTreeSet<String>,
) -> Result<(), Failure> {
    let added = decisions.iter().filter(|decision| added.contains(&decision.id));
    let pairs: BTreeSet<_> = added
        .flat_map(|decision| {
            let policies = decision.findings.iter().map(|finding| finding.policy.as_str());
            policies.map(|policy| (decision.id.as_str(), policy, decision.time))
        })
        .collect();
    let pairs: Vec<_> = pairs.into_iter().collect();
    for chunk in pairs.chunks(1000) {
        let sql = DECISION_POLICIES
            .insert(chunk.iter().map(|(id, policy, time)| row![*id, *policy, *time]))
            .push(" ON CONFLICT DO NOTHING");
        session.execute(sql).await?;
    }
    Ok(())
}

/// Tells each team how many decisions about its objects there were, by the time of the last one.
async fn tell_of(session: &mut Session, decisions: &[DecisionRecord], added: &BTreeSet<String>) -> Result<(), Failure> {
    let mut teams = BTreeMap::<&str, (u64, u64)>::new();
    let mut last = Timestamp::UNIX_EPOCH;
    for decision in decisions.iter().filter(|decision| added.contains(&decision.id)) {
        let (allowed, denied) = teams.entry(&decision.team).or_default();
        *(if decision.allowed { allowed } else { denied }) += 1;
        last = last.max(decision.time);
    }
    if teams.is_empty() {
        return Ok(());
    }
    let body = |(allowed, denied)| serde_json::json!({ "allowed": allowed, "denied": denied });
    let changes = teams.into_iter().map(|(team, counts): (_, (u64, u64))| (Some(team.to_owned()), body(counts)));
    tell(session, "decisions", changes, last).await
}

fn read_count(row: &Row) -> Result<DecisionCount, Failure> {
    let (total, allowed) = (row.count("total")?, row.count("allowed")?);
    Ok(DecisionCount { key: row.text("label")?, allowed, denied: total.saturating_sub(allowed) })
}
