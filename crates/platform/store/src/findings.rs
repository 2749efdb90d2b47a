//! What is wrong now, per resource and checkpoint, and what was and is no more.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use palisade_model::{Address, Checkpoint, Control, Finding, Severity, Str, Verdict, VerdictCounts};
use serde::{Deserialize, Serialize};

use crate::changes::tell;
use crate::database::Session;
use crate::error::Failure;
use crate::page::{Column, Order};
use crate::resources::{ADDRESS, RESOURCES};
use crate::row::{Row, rank};
use crate::statement::Sql;
use crate::store::new_id;
use crate::table::{Columns, columns, table};
use crate::{Listed, Page, ResourceRecord, Store, StoreError, resource_id};

/// Rows of one statement. More of them would be slower on SQLite.
const CHUNK: usize = 25;

const NEWEST: Order = Order { list: "findings", columns: &[Column::text("id", "id")], descending: true };
const WORST: Order = Order {
    list: "findings-by-severity",
    columns: &[Column::int("severity", "severity"), Column::text("id", "id")],
    descending: true,
};

/// A complete answer about one resource at one checkpoint: what is not among its findings is resolved.
#[derive(Clone, Debug)]
pub struct Observation {
    /// The resource.
    pub resource: Address,
    /// API version of the resource.
    pub version: String,
    /// Unique identifier in the cluster, empty outside of one.
    pub uid: String,
    /// SHA-256 of its labels.
    pub labels_digest: String,
    /// SHA-256 of what was judged.
    pub input_digest: String,
    /// SHA-256 of the policies that judged.
    pub ruleset_digest: String,
    /// The team that answers for it.
    pub team: String,
    /// The service that it belongs to.
    pub service: String,
    /// Where it was judged.
    pub checkpoint: Checkpoint,
    /// All answers.
    pub counts: VerdictCounts,
    /// Failures, warnings and errors.
    pub findings: Vec<StoredFinding>,
    /// When it was judged.
    pub time: Timestamp,
}

/// A finding as records hold it, of resources as of decisions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredFinding {
    /// Identity of the finding across runs, 32 hexadecimal digits.
    pub fingerprint: String,
    /// The policy as `namespace/name` or `name`.
    pub policy: String,
    /// Kind of the policy.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub policy_kind: String,
    /// SHA-256 of the version of the policy.
    pub policy_digest: String,
    /// Rule.
    pub rule: String,
    /// Verdict.
    pub verdict: Verdict,
    /// Severity.
    pub severity: Severity,
    /// The policy's own words.
    pub message: String,
    /// The offending field, empty where the rule names none.
    pub path: String,
    /// How to mend it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remediation: Option<String>,
    /// Controls that the policy serves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub controls: Vec<Control>,
    /// `counted`, `audited`, `known` or `waived`.
    pub disposition: String,
    /// What the rule knows beside its words.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, String>,
}

impl From<&Finding> for StoredFinding {
    fn from(finding: &Finding) -> Self {
        let fact = |(name, value): &(Str, Str)| (name.to_string(), value.to_string());
        Self {
            fingerprint: finding.fingerprint.to_string(),
            policy: finding.policy.to_string(),
            policy_kind: finding.policy.kind.to_string(),
            policy_digest: finding.policy.digest.to_string(),
            rule: finding.rule.to_string(),
            verdict: finding.verdict,
            severity: finding.severity,
            message: finding.message.to_string(),
            path: finding.path.to_string(),
            remediation: finding.remediation.as_ref().map(ToString::to_string),
            controls: finding.controls.to_vec(),
            disposition: finding.disposition.as_str().to_owned(),
            facts: finding.facts.iter().map(fact).collect(),
        }
    }
}

impl StoredFinding {
    /// Without what its policy says of every finding, for records that are many: the policy's version is named.
    pub(crate) fn brief(finding: &Finding) -> Self {
        Self { policy_kind: String::new(), remediation: None, controls: Vec::new(), ..finding.into() }
    }
}

/// A stored finding.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FindingRecord {
    /// Its identifier (UUIDv7), kept when it comes back after it was resolved.
    pub id: String,
    /// Identifier of the resource.
    pub resource_id: String,
    /// The resource.
    pub resource: Address,
    /// Where it was found.
    pub checkpoint: Checkpoint,
    /// What was found.
    #[serde(flatten)]
    pub finding: StoredFinding,
    /// The team that answers for the resource.
    pub team: String,
    /// The service that the resource belongs to.
    pub service: String,
    /// First seen.
    pub first_seen: Timestamp,
    /// Last seen.
    pub last_seen: Timestamp,
    /// Since when it is no more.
    pub resolved_at: Option<Timestamp>,
}

table! {
    FINDINGS = findings (id) kept finding_days since resolved_at;
    FindingRecord {
        id: text,
        resource_id: text,
        resource: group Address,
        checkpoint: word,
        finding: group StoredFinding,
        team: text,
        service: text,
        first_seen: time,
        last_seen: time,
        resolved_at: optional_time,
    }
}

columns! {
    StoredFinding {
        fingerprint: text,
        policy: text,
        policy_kind: text,
        policy_digest: text,
        rule: text,
        verdict: word,
        severity: severity,
        message: text,
        path: text,
        remediation: optional_text,
        controls: json,
        disposition: text,
        facts: json,
    }
}

impl Observation {
    /// The resource as a first sight of it is stored.
    fn resource_record(&self, id: &str) -> ResourceRecord {
        ResourceRecord {
            id: id.to_owned(),
            address: self.resource.clone(),
            version: self.version.clone(),
            uid: self.uid.clone(),
            labels_digest: self.labels_digest.clone(),
            input_digest: self.input_digest.clone(),
            ruleset_digest: self.ruleset_digest.clone(),
            team: self.team.clone(),
            service: self.service.clone(),
            counts: self.counts,
            first_seen: self.time,
            last_seen: self.time,
        }
    }

    /// One of its findings as a first sight of it is stored.
    fn finding_record(&self, resource_id: &str, finding: &StoredFinding) -> FindingRecord {
        FindingRecord {
            id: new_id(),
            resource_id: resource_id.to_owned(),
            resource: self.resource.clone(),
            checkpoint: self.checkpoint,
            finding: finding.clone(),
            team: self.team.clone(),
            service: self.service.clone(),
            first_seen: self.time,
            last_seen: self.time,
            resolved_at: None,
        }
    }
}

/// Whether a finding still stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FindingState {
    /// It stands.
    #[default]
    Open,
    /// It is no more.
    Resolved,
    /// Either.
    All,
}

/// How findings are ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FindingOrder {
    /// The newest first.
    #[default]
    Newest,
    /// The worst first, the newest first among equals.
    Severity,
}

/// Which findings are wanted. What is `None` does not narrow.
#[derive(Clone, Debug, Default)]
pub struct FindingFilter {
    /// Whether it still stands.
    pub state: FindingState,
    /// How they are ordered.
    pub order: FindingOrder,
    /// Identifier of the resource.
    pub resource_id: Option<String>,
    /// Where the resource lives.
    pub source: Option<String>,
    /// Checkpoint.
    pub checkpoint: Option<Checkpoint>,
    /// Policy as `namespace/name` or `name`.
    pub policy: Option<String>,
    /// Rule.
    pub rule: Option<String>,
    /// Verdict.
    pub verdict: Option<Verdict>,
    /// So severe or worse.
    pub min_severity: Option<Severity>,
    /// Kind of the resource.
    pub kind: Option<String>,
    /// Namespace of the resource.
    pub namespace: Option<String>,
    /// Of any of these teams.
    pub teams: Option<Vec<String>>,
    /// Service.
    pub service: Option<String>,
    /// Disposition.
    pub disposition: Option<String>,
    /// Fingerprint.
    pub fingerprint: Option<String>,
    /// A part of the message, the policy, the rule or the resource's name, whatever the case of its ASCII letters.
    pub text: Option<String>,
}

impl FindingFilter {
    pub(crate) fn narrow(&self, sql: Sql) -> Sql {
        let sql = match self.state {
            FindingState::Open => sql.push(" AND resolved_at IS NULL"),
            FindingState::Resolved => sql.push(" AND resolved_at IS NOT NULL"),
            FindingState::All => sql,
        };
        sql.equal("resource_id", self.resource_id.as_deref())
            .equal("source", self.source.as_deref())
            .equal("checkpoint", self.checkpoint.map(Checkpoint::as_str))
            .equal("policy", self.policy.as_deref())
            .equal("rule", self.rule.as_deref())
            .equal("verdict", self.verdict.map(|verdict| verdict.to_string()))
            .compare("severity >=", self.min_severity.map(rank))
            .equal("kind", self.kind.as_deref())
            .equal("namespace", self.namespace.as_deref())
            .among("team", self.teams.as_deref())
            .equal("service", self.service.as_deref())
            .equal("disposition", self.disposition.as_deref())
            .equal("fingerprint", self.fingerprint.as_deref())
            .contains(&["message", "policy", "rule", "name"], self.text.as_deref())
    }
}

/// By what findings are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FindingGroup {
    /// Policy.
    Policy,
    /// Team.
    Team,
    /// Service.
    Service,
    /// Namespace.
    Namespace,
    /// Kind of the resource.
    Kind,
    /// Disposition.
    Disposition,
}

/// How many findings there are of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FindingCount {
    /// The group's name.
    pub key: String,
    /// All of them.
    pub total: u64,
    /// Of severity critical.
    pub critical: u64,
    /// Of severity high.
    pub high: u64,
    /// Of severity medium.
    pub medium: u64,
    /// Of severity low.
    pub low: u64,
    /// Of severity info.
    pub info: u64,
}

/// What observations changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FindingChanges {
    /// New, or back after having been resolved.
    pub opened: Vec<FindingRecord>,
    /// No more.
    pub resolved: Vec<FindingRecord>,
}

impl Store {
    /// Takes over complete answers about resources: adds the resources to the inventory, opens and resolves findings
    /// and tells the feed of changes (topic `findings`), all in one transaction. Later answers about the same resource
    /// and checkpoint in one call win; an answer that is older than what is stored changes nothing.
    pub async fn record_observations(&self, observations: &[Observation]) -> Result<FindingChanges, StoreError> {
        let latest = latest(observations);
        self.database
            .attempt("recording findings", async || {
                let mut session = self.database.write().await?;
                let mut changes = FindingChanges::default();
                let answers: Vec<_> = latest.iter().map(|((_, id), observation)| (id.as_str(), *observation)).collect();
                for group in answers.chunk_by(|(_, one), (_, next)| one.checkpoint == next.checkpoint) {
                    for chunk in group.chunks(CHUNK) {
                        let kept = keep_resources(&mut session, chunk).await?;
                        let news: Vec<_> = chunk.iter().filter(|(id, _)| kept.contains(*id)).copied().collect();
                        record(&mut session, &news, &mut changes).await?;
                    }
                }
                tell_of(&mut session, &latest, &changes).await?;
                session.commit().await?;
                Ok(changes)
            })
            .await
    }

    /// The finding with this identifier.
    pub async fn finding(&self, id: &str) -> Result<Option<FindingRecord>, StoreError> {
        self.database
            .attempt("reading a finding", async || {
                let sql = Sql::new("SELECT * FROM findings WHERE id = $1").arg(id);
                self.database.read().await?.row(sql).await?.as_ref().map(Columns::read).transpose()
            })
            .await
    }

    /// Findings in the order that the filter names.
    pub async fn list_findings(
        &self,
        filter: &FindingFilter,
        page: &Page,
    ) -> Result<Listed<FindingRecord>, StoreError> {
        let order = match filter.order {
            FindingOrder::Newest => &NEWEST,
            FindingOrder::Severity => &WORST,
        };
        self.database
            .attempt("listing findings", async || {
                let sql = filter.narrow(Sql::new("SELECT * FROM findings WHERE 1 = 1"));
                self.database.read().await?.list(sql, order, page, Columns::read).await
            })
            .await
    }

    /// How many findings there are per group, the largest 500 groups, the largest first.
    pub async fn count_findings(
        &self,
        filter: &FindingFilter,
        by: FindingGroup,
    ) -> Result<Vec<FindingCount>, StoreError> {
        let key = match by {
            FindingGroup::Policy => "policy",
            FindingGroup::Team => "team",
            FindingGroup::Service => "service",
            FindingGroup::Namespace => "namespace",
            FindingGroup::Kind => "kind",
            FindingGroup::Disposition => "disposition",
        };
        self.database
            .attempt("counting findings", async || {
                let sql = Sql::new("SELECT ").push(key).push(
                    " AS label, count(*) AS total, \
             CAST(sum(CASE severity WHEN 4 THEN 1 ELSE 0 END) AS BIGINT) AS critical, \
             CAST(sum(CASE severity WHEN 3 THEN 1 ELSE 0 END) AS BIGINT) AS high, \
             CAST(sum(CASE severity WHEN 2 THEN 1 ELSE 0 END) AS BIGINT) AS medium, \
             CAST(sum(CASE severity WHEN 1 THEN 1 ELSE 0 END) AS BIGINT) AS low, \
             CAST(sum(CASE severity WHEN 0 THEN 1 ELSE 0 END) AS BIGINT) AS info FROM findings WHERE 1 = 1",
                );
                let sql = filter.narrow(sql).push(" GROUP BY ").push(key).push(" ORDER BY total DESC, label LIMIT 500");
                self.database.read().await?.rows(sql).await?.iter().map(read_count).collect()
            })
            .await
    }
}

/// The newest answer per checkpoint and resource, in this order, so that replicas take locks in the same order.
fn latest(observations: &[Observation]) -> BTreeMap<(Checkpoint, String), &Observation> {
    let mut latest = BTreeMap::<_, &Observation>::new();
    for observation in observations {
        let known = latest.entry((observation.checkpoint, resource_id(&observation.resource))).or_insert(observation);
        if observation.time >= known.time {
            *known = observation;
        }
    }
    latest
}

/// Adds resources or brings them up to date, and returns which: not those of which something newer is stored. Locks
/// them on PostgreSQL.
async fn keep_resources(session: &mut Session, answers: &[(&str, &Observation)]) -> Result<BTreeSet<String>, Failure> {
    let records = answers.iter().map(|(id, answer)| answer.resource_record(id).values());
    let sql = RESOURCES.upsert(records, &["id"], &[&ADDRESS[..], &["first_seen"]].concat());
    let sql = sql.push(" WHERE resources.last_seen <= excluded.last_seen RETURNING id");
    session.rows(sql).await?.iter().map(|row| row.text("id")).collect()
}

/// Opens, keeps and resolves the findings of resources at one checkpoint.
async fn record(
    session: &mut Session,
    answers: &[(&str, &Observation)],
    changes: &mut FindingChanges,
) -> Result<(), Failure> {
    let Some((_, first)) = answers.first() else { return Ok(()) };
    let sql = Sql::new("SELECT id, resource_id, fingerprint FROM findings WHERE resolved_at IS NULL AND checkpoint = ")
        .bind(first.checkpoint.as_str())
        .push(" AND resource_id IN ")
        .tuple(answers.iter().map(|(id, _)| *id));
    let mut open = BTreeMap::new();
    for row in session.rows(sql).await? {
        open.insert((row.text("resource_id")?, row.text("fingerprint")?), row.text("id")?);
    }
    let mut found = BTreeMap::new();
    for (id, answer) in answers {
        for finding in &answer.findings {
            found.entry((*id, finding.fingerprint.as_str())).or_insert((*answer, finding));
        }
    }
    let found: Vec<_> = found.into_iter().map(|((id, _), (answer, finding))| (id, answer, finding)).collect();
    let mut still = BTreeSet::new();
    for chunk in found.chunks(CHUNK) {
        for row in session.rows(upsert(chunk)).await? {
            still.insert(row.text("id")?);
            if !open.contains_key(&(row.text("resource_id")?, row.text("fingerprint")?)) {
                changes.opened.push(Columns::read(&row)?);
            }
        }
    }
    open.retain(|_, id| !still.contains(id));
    resolve(session, answers, &open, changes).await
}

/// Resolves what is no more, as of the time of the answer that no longer has it.
async fn resolve(
    session: &mut Session,
    answers: &[(&str, &Observation)],
    gone: &BTreeMap<(String, String), String>,
    changes: &mut FindingChanges,
) -> Result<(), Failure> {
    let times: BTreeMap<&str, Timestamp> = answers.iter().map(|(id, answer)| (*id, answer.time)).collect();
    let mut gone_at = BTreeMap::<Timestamp, Vec<String>>::new();
    for ((resource, _), id) in gone {
        if let Some(time) = times.get(resource.as_str()) {
            gone_at.entry(*time).or_default().push(id.clone());
        }
    }
    for (time, ids) in gone_at {
        for chunk in ids.chunks(500) {
            let sql = Sql::new("UPDATE findings SET resolved_at = $1 WHERE 1 = 1").arg(time);
            for row in session.rows(sql.among("id", Some(chunk)).push(" RETURNING *")).await? {
                changes.resolved.push(Columns::read(&row)?);
            }
        }
    }
    Ok(())
}

fn upsert(findings: &[(&str, &Observation, &StoredFinding)]) -> Sql {
    let records = findings.iter().map(|(id, answer, finding)| answer.finding_record(id, finding).values());
    let kept = [&ADDRESS[..], &["id", "first_seen"]].concat();
    FINDINGS.upsert(records, &["resource_id", "checkpoint", "fingerprint"], &kept).push(" RETURNING *")
}

/// Tells each team how many findings of its resources were opened and resolved.
async fn tell_of(
    session: &mut Session,
    latest: &BTreeMap<(Checkpoint, String), &Observation>,
    changes: &FindingChanges,
) -> Result<(), Failure> {
    let mut teams = BTreeMap::<&str, (u64, u64)>::new();
    for finding in &changes.opened {
        teams.entry(&finding.team).or_default().0 += 1;
    }
    for finding in &changes.resolved {
        teams.entry(&finding.team).or_default().1 += 1;
    }
    let Some(now) = latest.values().map(|observation| observation.time).max() else { return Ok(()) };
    if teams.is_empty() {
        return Ok(());
    }
    let body = |(opened, resolved)| serde_json::json!({ "opened": opened, "resolved": resolved });
    let changes = teams.into_iter().map(|(team, counts): (_, (u64, u64))| (Some(team.to_owned()), body(counts)));
    tell(session, "findings", changes, now).await
}

fn read_count(row: &Row) -> Result<FindingCount, Failure> {
    Ok(FindingCount {
        key: row.text("label")?,
        total: row.count("total")?,
        critical: row.count("critical")?,
        high: row.count("high")?,
        medium: row.count("medium")?,
        low: row.count("low")?,
        info: row.count("info")?,
    })
}
