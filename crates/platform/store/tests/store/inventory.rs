//! Resources, findings, policies and decisions.

use jiff::{SignedDuration, Timestamp};
use palisade_model::{Address, Checkpoint, Control, Severity, Verdict, VerdictCounts};
use palisade_store::{
    Cursor, DecisionFilter, DecisionGroup, DecisionRecord, FindingFilter, FindingGroup, FindingOrder, FindingState,
    Observation, Page, PolicyFilter, PolicySighting, PolicyStatus, ResourceFilter, Store, StoreError, StoredFinding,
};

use crate::database::TestDatabase;

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

pub(crate) fn decision(number: u32, seconds: i64) -> DecisionRecord {
    let denied = number.is_multiple_of(3);
    let finding = StoredFinding {
        policy: format!("policy-{}", number % 2),
        policy_digest: "d1".into(),
        rule: "rule".into(),
        verdict: Verdict::Fail,
        severity: Severity::High,
        message: "privileged containers are not allowed".into(),
        path: "spec.containers[0].securityContext.privileged".into(),
        disposition: "counted".into(),
        fingerprint: format!("{number:032x}"),
        policy_kind: String::new(),
        remediation: None,
        controls: Vec::new(),
        facts: [("container".to_owned(), "web".to_owned())].into(),
    };
    DecisionRecord {
        id: format!("0190-{number:08}"),
        time: at(seconds),
        checkpoint: Checkpoint::Admission,
        operation: "CREATE".into(),
        dry_run: false,
        group: String::new(),
        version: "v1".into(),
        kind: "Pod".into(),
        namespace: format!("ns-{}", number % 4),
        name: format!("pod-{number}"),
        uid: String::new(),
        sub_resource: String::new(),
        username: "system:serviceaccount:default:builder".into(),
        groups: vec!["system:authenticated".into()],
        allowed: !denied,
        message: String::new(),
        warnings: vec!["think of it".into()],
        patched: false,
        findings: if denied { vec![finding] } else { Vec::new() },
        counts: VerdictCounts { pass: 3, fail: u32::from(denied), ..VerdictCounts::default() },
        input_digest: "in".into(),
        ruleset_digest: "rules".into(),
        team: format!("team-{}", number % 2),
        service: "shop".into(),
        duration_us: 250,
    }
}

pub(crate) fn finding(number: u32, severity: Severity) -> StoredFinding {
    StoredFinding {
        fingerprint: format!("{number:032x}"),
        policy: format!("policy-{number}"),
        policy_kind: "ClusterPolicy".into(),
        policy_digest: "d1".into(),
        rule: "rule".into(),
        verdict: Verdict::Fail,
        severity,
        message: "no".into(),
        path: "spec".into(),
        remediation: (number == 1).then(|| "do it otherwise".into()),
        controls: vec![Control { framework: "nist-800-53".into(), id: "AC-6".into() }],
        disposition: "counted".into(),
        facts: [("fixed-in".to_owned(), "1.2.4".to_owned())].into(),
    }
}

pub(crate) fn observation(name: &str, seconds: i64, findings: Vec<StoredFinding>) -> Observation {
    Observation {
        resource: Address {
            source: "cluster:test".into(),
            group: "apps".into(),
            kind: "Deployment".into(),
            namespace: "shop".into(),
            name: name.into(),
            part: "".into(),
        },
        version: "v1".into(),
        uid: "uid".into(),
        labels_digest: "labels".into(),
        input_digest: "in".into(),
        ruleset_digest: "rules".into(),
        team: "red".into(),
        service: "shop".into(),
        checkpoint: Checkpoint::Scan,
        counts: VerdictCounts { fail: findings.len() as u32, ..VerdictCounts::default() },
        findings,
        time: at(seconds),
    }
}

pub(crate) async fn documents_of_one_file_are_kept_apart(database: &TestDatabase) {
    let store = database.open().await;
    let document = |part: &str, number| {
        let resource = Address { source: "file:stack.yaml".into(), part: part.into(), ..Address::default() };
        Observation { resource, ..observation("", 1, vec![finding(number, Severity::High)]) }
    };
    let changes = store.record_observations(&[document("", 1), document("#2", 2)]).await.unwrap();
    assert_eq!((changes.opened.len(), changes.resolved.len()), (2, 0));
    let found = store.list_findings(&FindingFilter::default(), &Page::default()).await.unwrap().items;
    let mut parts: Vec<_> = found.iter().map(|record| (&*record.resource.part, &*record.finding.policy)).collect();
    parts.sort_unstable();
    assert_eq!(parts, [("", "policy-1"), ("#2", "policy-2")]);
    assert_eq!(found[0].finding.facts["fixed-in"], "1.2.4");
    // One of them is mended, which says nothing of the other.
    let mended = Observation { findings: Vec::new(), ..document("#2", 2) };
    let changes = store.record_observations(&[mended]).await.unwrap();
    assert_eq!((changes.opened.len(), &*changes.resolved[0].finding.policy), (0, "policy-2"));
}

pub(crate) async fn a_decision_is_stored_once(database: &TestDatabase) {
    let store = database.open().await;
    let batch: Vec<_> = (0..250).map(|number| decision(number, i64::from(number))).collect();
    assert_eq!(store.append_decisions(&batch).await.unwrap(), 250);
    let replay: Vec<_> = (200..260).map(|number| decision(number, i64::from(number))).collect();
    assert_eq!(store.append_decisions(&replay).await.unwrap(), 10);
    assert_eq!(store.append_decisions(&[decision(3, 3), decision(3, 3)]).await.unwrap(), 0);
    assert_eq!(store.append_decisions(&[]).await.unwrap(), 0);
    assert_eq!(store.decision("0190-00000003").await.unwrap(), Some(decision(3, 3)));
    assert_eq!(store.decision("unknown").await.unwrap(), None);
    let told: Vec<_> = store.changes_after(0, 500).await.unwrap();
    assert_eq!(told.len(), 4, "one change per team and batch that added something: {told:?}");
}

pub(crate) async fn decisions_are_filtered_and_counted(database: &TestDatabase) {
    let store = database.open().await;
    let batch: Vec<_> = (0..120).map(|number| decision(number, i64::from(number))).collect();
    store.append_decisions(&batch).await.unwrap();
    let numbers = async |filter: DecisionFilter| -> Vec<u32> {
        let listed = store.list_decisions(&filter, &Page::first(500)).await.unwrap();
        assert_eq!(listed.next, None);
        listed.items.iter().map(|item| item.id[5..].parse().unwrap()).collect()
    };
    let expect = |keep: fn(u32) -> bool| (0..120).rev().filter(|number| keep(*number)).collect::<Vec<_>>();
    assert_eq!(numbers(DecisionFilter::default()).await, expect(|_| true));
    let denied = DecisionFilter { allowed: Some(false), ..DecisionFilter::default() };
    assert_eq!(numbers(denied).await, expect(|number| number.is_multiple_of(3)));
    let policy = DecisionFilter { policy: Some("policy-1".into()), ..DecisionFilter::default() };
    assert_eq!(numbers(policy.clone()).await, expect(|number| number % 6 == 3));
    let recent = DecisionFilter { since: Some(at(60)), until: Some(at(70)), ..policy.clone() };
    assert_eq!(numbers(recent).await, [69, 63]);
    let several = DecisionFilter {
        namespace: Some("ns-1".into()),
        teams: Some(vec!["team-1".into(), "team-7".into()]),
        since: Some(at(100)),
        ..DecisionFilter::default()
    };
    assert_eq!(numbers(several).await, [117, 113, 109, 105, 101]);
    let nobody = DecisionFilter { teams: Some(Vec::new()), ..DecisionFilter::default() };
    assert_eq!(numbers(nobody).await, [0; 0]);

    let counts = store.count_decisions(&DecisionFilter::default(), DecisionGroup::Team).await.unwrap();
    let counts: Vec<_> = counts.iter().map(|count| (count.key.as_str(), count.allowed, count.denied)).collect();
    assert_eq!(counts, [("team-0", 40, 20), ("team-1", 40, 20)]);
    let counts = store.count_decisions(&policy, DecisionGroup::Policy).await.unwrap();
    assert_eq!((counts.len(), counts[0].denied), (1, 20));
}

pub(crate) async fn pages_stay_put_while_rows_arrive(database: &TestDatabase) {
    let store = database.open().await;
    // Several share a time, so that the identifier has to settle their order.
    let batch: Vec<_> = (0..100).map(|number| decision(number, i64::from(number / 10))).collect();
    store.append_decisions(&batch).await.unwrap();
    for filter in [DecisionFilter::default(), DecisionFilter { policy: Some("policy-0".into()), ..Default::default() }]
    {
        let mut page = Page::first(7);
        let mut seen = Vec::new();
        loop {
            let listed = store.list_decisions(&filter, &page).await.unwrap();
            assert!(listed.items.len() <= 7);
            seen.extend(listed.items.iter().map(|item| item.id.clone()));
            let newcomer = 1000 + 6 * seen.len() as u32;
            store.append_decisions(&[decision(newcomer, 5000)]).await.unwrap();
            let Some(next) = listed.next else { break };
            page.after = Some(next.to_string().parse().unwrap());
        }
        let old: Vec<_> = seen.iter().filter(|id| id.as_str() < "0190-00001000").collect();
        let mut unique = old.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), old.len(), "an item was shown twice");
        assert_eq!(unique.len(), if filter.policy.is_some() { 17 } else { 100 });
        assert!(old.is_sorted_by(|a, b| a > b));
    }
}

pub(crate) async fn malformed_cursors_are_refused(database: &TestDatabase) {
    let store = database.open().await;
    store.append_decisions(&[decision(1, 1), decision(2, 2)]).await.unwrap();
    let filter = DecisionFilter::default();
    for text in ["", "!!", "e30", "WyJkZWNpc2lvbnMiLFsxXQ", &"A".repeat(100_000)] {
        assert!(matches!(text.parse::<Cursor>(), Err(StoreError::Cursor)), "{text}");
    }
    // Another list's cursor, a key too few, a key of the wrong type.
    let mine = store.list_decisions(&filter, &Page::first(1)).await.unwrap().next.unwrap();
    let foreign = Page { limit: 1, after: Some(mine) };
    let refused = store.list_findings(&FindingFilter::default(), &foreign).await;
    assert!(matches!(refused, Err(StoreError::Cursor)), "{refused:?}");
    for forged in ["WyJkZWNpc2lvbnMiLFsxXV0", "WyJkZWNpc2lvbnMiLFsiMScgT1IgMSIsImEiXV0"] {
        let page = Page { limit: 1, after: Some(forged.parse().unwrap()) };
        let refused = store.list_decisions(&filter, &page).await;
        assert!(matches!(refused, Err(StoreError::Cursor)), "{refused:?}");
    }
    let all = Page { limit: u32::MAX, after: None };
    assert_eq!(store.list_decisions(&filter, &all).await.unwrap().items.len(), 2);
    assert_eq!(store.list_decisions(&filter, &Page::first(0)).await.unwrap().items.len(), 1);
}

async fn open_findings(store: &Store, filter: FindingFilter) -> Vec<String> {
    let listed = store.list_findings(&filter, &Page::default()).await.unwrap();
    listed.items.iter().map(|item| item.finding.policy.clone()).collect()
}

pub(crate) async fn findings_open_resolve_and_return(database: &TestDatabase) {
    let store = database.open().await;
    let (one, two) = (finding(1, Severity::Low), finding(2, Severity::Critical));
    let first = observation("web", 10, vec![one.clone(), two.clone(), one.clone()]);
    let changes = store.record_observations(&[first]).await.unwrap();
    assert_eq!((changes.opened.len(), changes.resolved.len()), (2, 0));
    assert_eq!(changes.opened[0].finding, one);
    let id = changes.opened[0].id.clone();

    let again = store.record_observations(&[observation("web", 20, vec![one.clone(), two.clone()])]).await.unwrap();
    assert_eq!(again, palisade_store::FindingChanges::default());
    let gone = store.record_observations(&[observation("web", 30, vec![two.clone()])]).await.unwrap();
    assert_eq!((gone.opened.len(), gone.resolved.len()), (0, 1));
    let resolved = store.finding(&id).await.unwrap().unwrap();
    assert_eq!((resolved.first_seen, resolved.last_seen, resolved.resolved_at), (at(10), at(20), Some(at(30))));

    let worse = StoredFinding { severity: Severity::High, ..one };
    let back = store.record_observations(&[observation("web", 40, vec![worse, two])]).await.unwrap();
    assert_eq!((back.opened.len(), back.opened[0].id.as_str(), back.opened[0].first_seen), (1, id.as_str(), at(10)));
    assert_eq!(back.opened[0].resolved_at, None);

    let worst = FindingFilter { order: FindingOrder::Severity, ..FindingFilter::default() };
    assert_eq!(open_findings(&store, worst).await, ["policy-2", "policy-1"]);
    let critical = FindingFilter { min_severity: Some(Severity::Critical), ..FindingFilter::default() };
    assert_eq!(open_findings(&store, critical).await, ["policy-2"]);
    let resolved = FindingFilter { state: FindingState::Resolved, ..FindingFilter::default() };
    assert_eq!(open_findings(&store, resolved).await, [""; 0]);
    let counts = store.count_findings(&FindingFilter::default(), FindingGroup::Team).await.unwrap();
    assert_eq!((counts[0].total, counts[0].high, counts[0].critical, counts[0].low), (2, 1, 1, 0));
    // The same object at another checkpoint has findings of its own.
    let mut admission = observation("web", 50, Vec::new());
    admission.checkpoint = Checkpoint::Admission;
    assert_eq!(store.record_observations(&[admission]).await.unwrap().resolved.len(), 0);
}

pub(crate) async fn old_answers_change_nothing(database: &TestDatabase) {
    let store = database.open().await;
    let new = observation("web", 20, vec![finding(1, Severity::Low)]);
    let old = observation("web", 10, vec![finding(2, Severity::Low)]);
    // Within one call the newest wins, whatever the order.
    let changes = store.record_observations(&[new, old.clone()]).await.unwrap();
    assert_eq!((changes.opened.len(), changes.opened[0].finding.policy.as_str()), (1, "policy-1"));
    let changes = store.record_observations(&[old]).await.unwrap();
    assert_eq!(changes, palisade_store::FindingChanges::default());
    assert_eq!(open_findings(&store, FindingFilter::default()).await, ["policy-1"]);
}

pub(crate) async fn unseen_resources_go_with_their_findings(database: &TestDatabase) {
    let store = database.open().await;
    let seen = |name: &str, seconds| observation(name, seconds, vec![finding(1, Severity::Low)]);
    store.record_observations(&[seen("a", 10), seen("b", 20), seen("c", 30)]).await.unwrap();
    assert_eq!(store.remove_unseen_resources("cluster:test", at(20), at(40)).await.unwrap(), 1);
    let listed = store.list_resources(&ResourceFilter::default(), &Page::default()).await.unwrap();
    assert_eq!(listed.items.len(), 2);
    assert_eq!(open_findings(&store, FindingFilter::default()).await.len(), 2);
    let id = palisade_store::resource_id(&seen("b", 20).resource);
    assert_eq!(store.resource(&id).await.unwrap().unwrap().counts.fail, 1);
    assert_eq!(store.remove_resources(&[id.clone()], at(50)).await.unwrap(), 1);
    assert_eq!(store.resource(&id).await.unwrap(), None);
    let resolved = FindingFilter { state: FindingState::Resolved, ..FindingFilter::default() };
    assert_eq!(open_findings(&store, resolved).await.len(), 2);
}

pub(crate) async fn policies_keep_their_versions(database: &TestDatabase) {
    let store = database.open().await;
    let policy = |name: &str, digest: &str, problem: Option<&str>| PolicySighting {
        kind: "ClusterPolicy".into(),
        namespace: String::new(),
        name: name.into(),
        digest: digest.into(),
        content: format!("name: {name} # {digest}"),
        place: "policies/a.yaml:1".into(),
        problem: problem.map(Into::into),
    };
    let first = [policy("a", "a1", None), policy("b", "b1", None)];
    assert_eq!(store.sync_policies("files", &first, at(1)).await.unwrap(), 2);
    assert_eq!(store.sync_policies("files", &first, at(2)).await.unwrap(), 0);
    assert_eq!(store.sync_policies("files", &[policy("a", "a2", Some("no rules"))], at(3)).await.unwrap(), 2);
    let listed = store.list_policies(&PolicyFilter::default(), &Page::default()).await.unwrap().items;
    assert_eq!((listed.len(), listed[0].status, listed[0].changed_at), (1, PolicyStatus::Rejected, at(3)));
    let removed = PolicyFilter { status: Some(PolicyStatus::Removed), ..PolicyFilter::default() };
    assert_eq!(store.list_policies(&removed, &Page::default()).await.unwrap().items[0].name, "b");
    let versions = store.list_policy_versions(&listed[0].id, &Page::default()).await.unwrap().items;
    assert_eq!(versions.iter().map(|version| version.digest.as_str()).collect::<Vec<_>>(), ["a2", "a1"]);
    assert_eq!(store.policy_version("b1").await.unwrap().unwrap().content, "name: b # b1");
    assert_eq!(store.policy(&listed[0].id).await.unwrap().unwrap().problem.as_deref(), Some("no rules"));
}

pub(crate) async fn pruning_keeps_what_is_young(database: &TestDatabase) {
    let store = database.open().await;
    let batch: Vec<_> = (0..2500).map(|number| decision(number, i64::from(number))).collect();
    store.append_decisions(&batch).await.unwrap();
    store.record_observations(&[observation("web", 0, vec![finding(1, Severity::Low)])]).await.unwrap();
    store.record_observations(&[observation("web", 1, Vec::new())]).await.unwrap();
    let days = |count: i64| at(2000) + SignedDuration::from_hours(24 * count);
    assert_eq!(store.prune(days(29)).await.unwrap(), store.last_change().await.unwrap() as u64);
    assert_eq!(store.prune(days(30)).await.unwrap(), 2000, "decisions of the first 2,000 seconds");
    let left = DecisionFilter { policy: Some("policy-0".into()), ..DecisionFilter::default() };
    assert_eq!(store.list_decisions(&left, &Page::first(500)).await.unwrap().items.len(), 83);
    assert_eq!(store.prune(days(91)).await.unwrap(), 501, "the other decisions and the resolved finding");
    assert_eq!(store.prune(Timestamp::MIN).await.unwrap(), 0);
}

pub(crate) async fn hostile_text_is_data(database: &TestDatabase) {
    let store = database.open().await;
    for (number, text) in
        ["'; DROP TABLE decisions; --", "\" OR 1=1 --", "$1", "%", "\\", "a\u{0}b", "\u{1f600}\u{202e}"]
            .into_iter()
            .enumerate()
    {
        let mut hostile = decision(number as u32, number as i64);
        (hostile.name, hostile.username, hostile.namespace) = (text.into(), text.into(), text.into());
        hostile.warnings = vec![text.into()];
        store.append_decisions(&[hostile.clone()]).await.unwrap();
        let filter = DecisionFilter {
            name: Some(text.into()),
            username: Some(text.into()),
            teams: Some(vec![text.into(), hostile.team.clone()]),
            ..DecisionFilter::default()
        };
        let listed = store.list_decisions(&filter, &Page::default()).await.unwrap().items;
        assert_eq!(listed.len(), 1, "{text:?}");
        assert_eq!(listed[0].name, text.replace('\0', "\u{fffd}"));
        assert_eq!(listed[0].warnings, [text]);
        let mut page = Page::first(1);
        page.after = store.list_decisions(&DecisionFilter::default(), &page).await.unwrap().next;
        store.list_decisions(&DecisionFilter { namespace: Some(text.into()), ..filter }, &page).await.unwrap();
    }
    assert_eq!(store.list_decisions(&DecisionFilter::default(), &Page::default()).await.unwrap().items.len(), 7);
}
