//! Every element of a list that breaks a rule, where the rule itself names only the first.
//!
//! Most languages stop at the first container that is wrong. A waiver for that container, or a baseline that knows it,
//! must not cover the next one. So the policy is asked again about the object without the element, until it is content
//! or names no element any more. Done only where a waiver or a baseline is at stake; decides nothing by itself.

use palisade_model::{Path, Segment, Value, Verdict};

use palisade_policy::{Environment, Policy, Request, RuleOutcome, evaluate};

use crate::judge::object;

/// The most elements that are looked for; where there are more, the list itself is named too, which no waiver for an
/// element covers.
const MAX_ROUNDS: usize = 32;

/// The offending fields of `outcome`, those of further elements included.
pub fn offending_fields(
    policy: &dyn Policy,
    request: &Request,
    outcome: &RuleOutcome,
    environment: &Environment<'_>,
) -> Vec<Path> {
    let mut found = outcome.paths.clone();
    let mut removed: Vec<Path> = Vec::new();
    let mut answer = outcome.paths.clone();
    let mut object = object(request).clone();
    while let Some(element) = answer.iter().find_map(|path| spare_element(path, &object)) {
        if removed.len() == MAX_ROUNDS {
            let list = element.0.split_last().map(|(_, list)| Path(list.to_vec())).unwrap_or_default();
            found.push(restore(&list, &removed));
            break;
        }
        if !remove(&mut object, &element.0) {
            break;
        }
        removed.push(restore(&element, &removed));
        let again = evaluate(policy, outcome.phase, &request.with_object(object.clone()), environment);
        let mut same = again.into_iter().filter(|other| other.rule == outcome.rule);
        let Some(next) = same.next().filter(|next| matches!(next.verdict, Verdict::Fail | Verdict::Warn)) else {
            break;
        };
        answer = next.paths;
        for path in answer.iter().map(|path| restore(path, &removed)) {
            if !found.contains(&path) {
                found.push(path);
            }
        }
    }
    found
}

/// The innermost element of a list on the way to `path` that is not the only one of its list.
fn spare_element(path: &Path, object: &Value) -> Option<Path> {
    let ends = (1..=path.0.len()).rev();
    let mut prefixes = ends.filter_map(|end| path.0.get(..end));
    let spare = prefixes.find(|prefix| {
        let Some((Segment::Index(index), list)) = prefix.split_last() else { return false };
        let list = Path(list.to_vec());
        list.resolve(object).and_then(Value::as_array).is_some_and(|items| items.len() > 1 && *index < items.len())
    })?;
    Some(Path(spare.to_vec()))
}

/// Takes the element at `path` out of its list.
fn remove(object: &mut Value, path: &[Segment]) -> bool {
    match path {
        [Segment::Index(index)] => {
            let Some(items) = object.as_array_mut().filter(|items| *index < items.len()) else { return false };
            items.remove(*index);
            true
        }
        [Segment::Index(index), rest @ ..] => {
            object.as_array_mut().and_then(|items| items.get_mut(*index)).is_some_and(|item| remove(item, rest))
        }
        [Segment::Key(key), rest @ ..] => {
            object.as_object_mut().and_then(|map| map.get_mut(key)).is_some_and(|member| remove(member, rest))
        }
        [] => false,
    }
}

/// The path in the whole object of what is at `path` in the object without the elements `removed`.
fn restore(path: &Path, removed: &[Path]) -> Path {
    let mut whole = Path::root();
    for segment in &path.0 {
        let Segment::Index(index) = segment else {
            whole.0.push(segment.clone());
            continue;
        };
        let gone = removed.iter().filter_map(|element| match element.0.split_last() {
            Some((Segment::Index(index), list)) if *list == *whole.0 => Some(*index),
            _ => None,
        });
        let mut gone: Vec<usize> = gone.collect();
        gone.sort_unstable();
        let shifted = gone.into_iter().fold(*index, |index, gone| if gone <= index { index + 1 } else { index });
        whole.0.push(Segment::Index(shifted));
    }
    whole
}

#[cfg(test)]
mod tests {
    use palisade_model::Resource;

    use super::*;
    use palisade_policy::{Offline, Payload, Phase, PolicyInfo, RuleInfo, Variables};

    /// Objects to the first container whose image is `bad`, as most languages do.
    #[derive(Debug)]
    struct FirstOnly(PolicyInfo);

    impl Policy for FirstOnly {
        fn info(&self) -> &PolicyInfo {
            &self.0
        }

        fn may_apply(&self, _: &Request) -> bool {
            true
        }

        fn evaluate(&self, phase: Phase, request: &Request, _: &Environment<'_>) -> Vec<RuleOutcome> {
            let Payload::Document(object) = request.payload() else { return Vec::new() };
            let items = object.get("containers").and_then(Value::as_array).unwrap_or_default();
            let bad = items.iter().position(|item| item.get("image").and_then(Value::as_str) == Some("bad"));
            let path = bad.map(|index| Path::from_pointer(&format!("/containers/{index}/image")));
            let verdict = if path.is_some() { Verdict::Fail } else { Verdict::Pass };
            vec![RuleOutcome { paths: path.into_iter().collect(), ..RuleOutcome::new("r", phase, verdict, "") }]
        }
    }

    fn fields(images: &[&str]) -> Vec<String> {
        let rule = RuleInfo { name: "r".into(), phase: Phase::Validate, location: None };
        let policy = FirstOnly(PolicyInfo::of(&Resource::default(), vec![rule]));
        let items: Vec<_> = images.iter().map(|image| format!(r#"{{"image":"{image}"}}"#)).collect();
        let object = Value::from_json(&format!(r#"{{"containers":[{}]}}"#, items.join(","))).unwrap();
        let variables = Variables::default();
        let environment = Environment::new(jiff::Timestamp::UNIX_EPOCH, &Offline, &variables);
        let request = Request::new(Payload::Document(object));
        let outcome = policy.evaluate(Phase::Validate, &request, &environment).remove(0);
        let paths = offending_fields(&policy, &request, &outcome, &environment);
        paths.iter().map(Path::to_string).collect()
    }

    #[test]
    fn every_offender_is_found_behind_the_first() {
        let all = ["containers[0].image", "containers[2].image", "containers[3].image"];
        assert_eq!(fields(&["bad", "good", "bad", "bad"]), all);
        assert_eq!(fields(&["bad"]), ["containers[0].image"]);
        assert!(fields(&["good"]).is_empty());
        let very_many = fields(&vec!["bad"; 1_000]);
        assert_eq!((very_many.len(), very_many.last().unwrap().as_str()), (MAX_ROUNDS + 2, "containers"));
    }
}
