//! A decision as a line of the journal.
//!
//! Most decisions allow and find nothing; they are written as an array without names, half as long as the object that
//! everything else is.

use jiff::Timestamp;
use palisade_model::{Checkpoint, VerdictCounts};
use palisade_runtime::Failure;
use palisade_runtime::spool::Codec;
use palisade_store::DecisionRecord;
use serde::{Deserialize, Serialize};

/// A decision that allows, changes nothing and found nothing; a JSON array in this order.
#[derive(Serialize, Deserialize)]
struct Plain(
    String,                                           // id
    Timestamp,                                        // time
    Checkpoint,                                       // checkpoint
    String,                                           // operation
    bool,                                             // dry_run
    (String, String, String, String, String, String), // group, version, kind, namespace, name, uid
    String,                                           // sub_resource
    String,                                           // username
    Vec<String>,                                      // groups
    (u32, u32),                                       // counts: pass, skip
    (String, String),                                 // input digest, ruleset digest
    (String, String),                                 // team, service
    u64,                                              // duration_us
);

/// How decisions are written.
pub(crate) struct Line;

impl Codec for Line {
    type Record = DecisionRecord;

    fn write(decision: &DecisionRecord, line: &mut Vec<u8>) -> Result<(), Failure> {
        Ok(write(decision, line)?)
    }

    fn read(line: &[u8]) -> Result<DecisionRecord, Failure> {
        Ok(read(line)?)
    }

    fn id(decision: &DecisionRecord) -> &str {
        &decision.id
    }

    fn time(decision: &DecisionRecord) -> Timestamp {
        decision.time
    }
}

/// Whether the decision tells nothing but that it allowed.
fn is_plain(decision: &DecisionRecord) -> bool {
    let VerdictCounts { pass: _, fail, warn, skip: _, error } = decision.counts;
    decision.allowed
        && !decision.patched
        && decision.findings.is_empty()
        && decision.warnings.is_empty()
        && decision.message.is_empty()
        && (fail, warn, error) == (0, 0, 0)
}

fn write(decision: &DecisionRecord, line: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    if is_plain(decision) {
        let d = decision.clone();
        let plain = Plain(
            d.id,
            d.time,
            d.checkpoint,
            d.operation,
            d.dry_run,
            (d.group, d.version, d.kind, d.namespace, d.name, d.uid),
            d.sub_resource,
            d.username,
            d.groups,
            (d.counts.pass, d.counts.skip),
            (d.input_digest, d.ruleset_digest),
            (d.team, d.service),
            d.duration_us,
        );
        serde_json::to_writer(line, &plain)
    } else {
        serde_json::to_writer(line, decision)
    }
}

fn read(line: &[u8]) -> Result<DecisionRecord, serde_json::Error> {
    if line.first() != Some(&b'[') {
        return serde_json::from_slice(line);
    }
    let Plain(
        id,
        time,
        checkpoint,
        operation,
        dry_run,
        subject,
        sub_resource,
        username,
        groups,
        counts,
        digests,
        owner,
        duration_us,
    ) = serde_json::from_slice(line)?;
    let (group, version, kind, namespace, name, uid) = subject;
    Ok(DecisionRecord {
        id,
        time,
        checkpoint,
        operation,
        dry_run,
        group,
        version,
        kind,
        namespace,
        name,
        uid,
        sub_resource,
        username,
        groups,
        allowed: true,
        message: String::new(),
        warnings: Vec::new(),
        patched: false,
        findings: Vec::new(),
        counts: VerdictCounts { pass: counts.0, skip: counts.1, ..VerdictCounts::default() },
        input_digest: digests.0,
        ruleset_digest: digests.1,
        team: owner.0,
        service: owner.1,
        duration_us,
    })
}
