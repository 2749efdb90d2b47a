//! Tests of waivers: the grammar, the calendar, and finding one among many.

use palisade_model::{PolicyRef, Resource, Value};

use super::*;
use crate::glob::Glob;

fn now(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn the_grammar_takes_several_rules_and_quotes() {
    let terms =
        Terms::parse(r#" images/tag, limits  reason="vendor's image, no tag" owner=team-a expires = 2027-01-31 "#);
    let terms = terms.unwrap();
    assert_eq!(terms.policies, ["images/tag".into(), "limits".into()] as [Str; 2]);
    assert_eq!(terms.reason.as_deref(), Some("vendor's image, no tag"));
    assert_eq!((terms.owner.as_deref(), terms.expires.as_deref()), (Some("team-a"), Some("2027-01-31")));
    assert_eq!(Terms::parse("").unwrap(), Terms::default());
    for (text, why) in [
        ("a reason=\"open", "the quote \" is not closed"),
        ("a because=x", "`because` is unknown: expected reason, owner or expires"),
        ("a owner=x owner=y", "`owner` is given twice"),
    ] {
        assert_eq!(Terms::parse(text).unwrap_err(), why);
    }
}

#[test]
fn a_waiver_needs_reason_owner_and_a_real_day() {
    for (text, why) in [
        ("a", "it lacks a reason and an owner and an expiry"),
        ("a reason=x owner=' ' expires=2027-01-31", "it lacks an owner"),
        ("a reason=x owner=y expires=2027-02-30", "`2027-02-30` is no day: expected YYYY-MM-DD, such as 2027-01-31"),
        ("a reason=x owner=y expires=never", "`never` is no day: expected YYYY-MM-DD, such as 2027-01-31"),
        ("a reason=x owner=y expires=+27-01-31x", "`+27-01-31x` is no day: expected YYYY-MM-DD, such as 2027-01-31"),
    ] {
        assert_eq!(Terms::parse(text).unwrap().grant(None, true).unwrap_err(), why, "{text}");
    }
    assert!(Terms::parse("a reason=x owner=y expires=2027-01-31").unwrap().grant(None, true).is_ok());
}

#[test]
fn the_last_day_still_holds() {
    let day = parse_day("2027-01-31").unwrap();
    assert_eq!(stage(day, now("2027-01-31T23:59:59Z")), Stage::EndsSoon(0));
    assert_eq!(stage(day, now("2027-02-01T00:00:00Z")), Stage::Expired);
    assert_eq!(stage(day, now("2027-01-17T00:00:00Z")), Stage::EndsSoon(14));
    assert_eq!(stage(day, now("2027-01-16T23:59:59Z")), Stage::Valid);
    assert_eq!(stage(parse_day("9999-12-31").unwrap(), now("1970-01-01T00:00:00Z")), Stage::Valid);
    assert_eq!(stage(parse_day("0001-01-01").unwrap(), now("2027-01-01T00:00:00Z")), Stage::Expired);
}

fn entry(selector: Selector, expires: &str) -> Entry {
    let terms = Terms::parse(&format!("reason=x owner=y expires={expires}")).unwrap();
    let (waiver, last_day) = terms.grant(None, false).unwrap();
    Entry { selector, waiver: Arc::new(waiver), last_day }
}

#[test]
fn one_of_very_many_is_found_by_name_and_expired_ones_do_not_hold() {
    let named = |name: String| Selector { names: vec![name.into()], ..Selector::default() };
    let mut entries: Vec<_> = (0..100_000).map(|at| entry(named(format!("pod-{at}")), "2027-01-31")).collect();
    entries.push(entry(named("late".to_owned()), "2026-12-31"));
    let path = Selector { paths: vec![Glob::from("legacy/**")], ..Selector::default() };
    entries.push(entry(path, "2027-01-31"));
    let waivers = Waivers::new(entries);
    let policy = PolicyRef { kind: "Policy".into(), namespace: None, name: "p".into(), digest: "".into() };
    let ask = |name: &str, file: &str| {
        let text = format!(r#"{{"kind":"Pod","metadata":{{"name":"{name}"}}}}"#);
        let resource = Resource::in_memory(Value::from_json(&text).unwrap());
        waivers.rule(
            &Subject { policy: &policy, rule: "r", resource: &resource, file },
            &[Fingerprint([0; 16])],
            now("2027-01-01T00:00:00Z"),
        )
    };
    assert_eq!(ask("pod-77777", "a.yaml"), Ruling { by: Some(77_777), expired: None });
    assert_eq!(ask("other", "a.yaml"), Ruling::default());
    assert_eq!(ask("late", "a.yaml"), Ruling { by: None, expired: Some(100_000) });
    assert_eq!(ask("late", "legacy/a.yaml"), Ruling { by: Some(100_001), expired: None });
}
