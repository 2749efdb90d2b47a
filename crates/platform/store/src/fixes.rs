//! Few paths first: which one change would remove the most findings. A change is a rule in a service, because what a
//! service's objects are made from (its template, its chart, its base image) is mended in one place.
//!
//! The index `findings_by_fix` holds everything that the ranking reads; the remediation, which may be long, is looked up
//! for the changes that are told only.

use palisade_model::Severity;
use serde::Serialize;

use crate::error::Failure;
use crate::row::Row;
use crate::statement::Sql;
use crate::{FindingFilter, FindingState, Store, StoreError};

/// One change and what it would remove.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// The policy as `namespace/name` or `name`.
    pub policy: String,
    /// Rule.
    pub rule: String,
    /// The team that would make the change.
    pub team: String,
    /// The service that it would be made in.
    pub service: String,
    /// How to make it.
    pub remediation: Option<String>,
    /// How severe the worst of the findings is.
    pub severity: Severity,
    /// How many findings it would remove.
    pub findings: u64,
    /// Of how many resources.
    pub resources: u64,
}

impl Store {
    /// The changes that would remove the most findings that stand, 500 at most, the one that removes most first. The
    /// filter's state does not count: what is resolved needs no change.
    pub async fn list_fixes(&self, filter: &FindingFilter) -> Result<Vec<Fix>, StoreError> {
        let filter = FindingFilter { state: FindingState::Open, ..filter.clone() };
        self.database
            .attempt("ranking changes", async || {
                let sql = Sql::new(
                    "SELECT ranked.*, (SELECT told.remediation FROM findings AS told WHERE told.resolved_at IS NULL \
                     AND told.policy = ranked.policy AND told.rule = ranked.rule AND told.team = ranked.team \
                     AND told.service = ranked.service ORDER BY told.resource_id LIMIT 1) AS remediation \
                     FROM (SELECT policy, rule, team, service, max(severity) AS severity, count(*) AS total, \
                     count(DISTINCT resource_id) AS resources FROM findings WHERE 1 = 1",
                );
                let sql = filter.narrow(sql).push(
                    " GROUP BY policy, rule, team, service \
                     ORDER BY total DESC, severity DESC, policy, rule, team, service LIMIT 500) AS ranked \
                     ORDER BY total DESC, severity DESC, policy, rule, team, service",
                );
                self.database.read().await?.rows(sql).await?.iter().map(read).collect()
            })
            .await
    }
}

fn read(row: &Row) -> Result<Fix, Failure> {
    Ok(Fix {
        policy: row.text("policy")?,
        rule: row.text("rule")?,
        team: row.text("team")?,
        service: row.text("service")?,
        remediation: row.optional_text("remediation")?,
        severity: row.severity("severity")?,
        findings: row.count("total")?,
        resources: row.count("resources")?,
    })
}
