//! Few paths first: which one change would remove the most findings. A change is a rule in a service, because what a
//! service's objects are made from (its template, its chart, its base image) is mended in one place.

use palisade_model::Severity;
use serde::Serialize;

use crate::error::Failure;
use crate::row::Row;
use crate::statement::Sql;
use crate::{FindingFilter, Store, StoreError};

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
    /// The changes that would remove the most findings, 500 at most, the one that removes most first.
    pub async fn list_fixes(&self, filter: &FindingFilter) -> Result<Vec<Fix>, StoreError> {
        self.database
            .attempt("ranking changes", async || {
                let sql = Sql::new(
                    "SELECT policy, rule, team, service, max(remediation) AS remediation, max(severity) AS severity, \
                     count(*) AS total, count(DISTINCT resource_id) AS resources FROM findings WHERE 1 = 1",
                );
                let sql = filter.narrow(sql).push(
                    " GROUP BY policy, rule, team, service \
                     ORDER BY total DESC, severity DESC, policy, rule, team, service LIMIT 500",
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
