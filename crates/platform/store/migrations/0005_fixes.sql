-- Ranks changes without reading the findings themselves: see fixes.rs.
CREATE INDEX findings_by_fix ON findings (policy, rule, team, service, resource_id, severity) WHERE resolved_at IS NULL;
