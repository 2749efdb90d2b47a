//! Every element that breaks a rule, where the rule itself names the first, or a list of them, or nothing.
//!
//! A place that a language names is its best effort: most stop at the first container that is wrong, and some know no more
//! than the list that they looped over. A waiver for an element, or a baseline that knows it, must not cover the next
//! one. So the rule is asked again: about lists with fewer elements, to find those that break it on their own, and
//! about the object without what was found, until it is content. Where that tells nothing, the place carries what it
//! holds. Done for files only; decides nothing by itself.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use palisade_model::{Map, Path, Segment, Str, Value, Verdict};
use palisade_policy::{Environment, Phase, Policy, Request, RuleOutcome, digest, evaluate};

use crate::judge::object;

/// How often a rule is asked again about one object.
const MAX_ASKS: usize = 10_000;
/// The same where its answer may come over a network.
const MAX_ASKS_AROUND: usize = 32;
/// The most elements that are taken out, one after the other.
const MAX_ROUNDS: usize = 2_000;

/// Where an object breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The field.
    pub path: Path,
    /// Which of the rule's voices objects to it, where it has several.
    pub voice: Str,
    /// The digest of what the field holds, where its elements could not be told apart: the next one makes another place.
    pub holding: Option<Str>,
}

impl Place {
    pub(crate) fn new(path: Path, voice: &Str) -> Self {
        Self { path, voice: voice.clone(), holding: None }
    }

    /// The places that an answer names itself; the object where it names none.
    pub fn named(outcome: &RuleOutcome) -> Vec<Self> {
        paths(outcome).into_iter().map(|path| Self::new(path, &outcome.voice)).collect()
    }
}

fn paths(outcome: &RuleOutcome) -> Vec<Path> {
    if outcome.paths.is_empty() { vec![Path::root()] } else { outcome.paths.clone() }
}

/// What a rule says when it is asked again.
enum Said {
    /// It objects to these fields.
    Violated(Vec<Place>),
    Content,
    /// It cannot be evaluated, or was asked often enough.
    Nothing,
}

/// What tells one content of a place from another. Of an object, what names it and what becomes of it do not count.
fn held(node: &Value) -> Str {
    let names = ["metadata", "status"];
    match node.as_object().filter(|members| members.contains_key("apiVersion") && members.contains_key("kind")) {
        Some(members) => {
            let content = members.iter().filter(|(key, _)| !names.contains(&&***key));
            let content: Map = content.map(|(key, value)| (key.clone(), value.clone())).collect();
            digest(&Value::object(content).to_canonical_json())
        }
        None => digest(&node.to_canonical_json()),
    }
}

/// A policy that is asked about variants of one object: what it answered is kept, because all of its rules did.
pub(crate) struct Witness<'a> {
    policy: &'a dyn Policy,
    request: &'a Request,
    environment: &'a Environment<'a>,
    heard: RefCell<HashMap<String, Rc<Vec<RuleOutcome>>>>,
}

impl<'a> Witness<'a> {
    pub(crate) fn new(policy: &'a dyn Policy, request: &'a Request, environment: &'a Environment<'a>) -> Self {
        // What such a policy sees, it is asked about again.
        let request = if policy.info().judges_written { request.as_written() } else { request };
        Self { policy, request, environment, heard: RefCell::default() }
    }

    fn hear(&self, object: &Value) -> Rc<Vec<RuleOutcome>> {
        let variant = object.to_json();
        if let Some(known) = self.heard.borrow().get(&variant) {
            return known.clone();
        }
        let request = self.request.with_object(object.clone());
        let answers = Rc::new(evaluate(self.policy, Phase::Validate, &request, self.environment));
        self.heard.borrow_mut().insert(variant, answers.clone());
        answers
    }
}

/// A rule that is asked again.
pub(crate) struct Search<'a> {
    witness: &'a Witness<'a>,
    /// What the rule answered about the whole object.
    outcome: &'a RuleOutcome,
    /// Whether that was its only answer.
    alone: bool,
    asks: usize,
}

impl<'a> Search<'a> {
    pub(crate) fn new(witness: &'a Witness<'a>, outcome: &'a RuleOutcome, alone: bool) -> Self {
        let asks = if witness.policy.info().reads.looks_around() { MAX_ASKS_AROUND } else { MAX_ASKS };
        Self { witness, outcome, alone, asks }
    }

    /// The places of the violation. Where not `all` are wanted, those that the rule named, lists taken apart.
    pub(crate) fn places(mut self, all: bool) -> Vec<Place> {
        let named = Place::named(self.outcome);
        // Of several answers with one voice nobody can say which one comes again.
        if self.outcome.phase != Phase::Validate || !self.alone && self.outcome.voice.is_empty() {
            return named;
        }
        let whole = object(self.witness.request).clone();
        let mut found = Vec::new();
        for place in named {
            if all || place.path.resolve(&whole).is_some_and(|node| node.as_array().is_some()) {
                self.refine(&whole, place, &mut found);
            } else if !found.contains(&place) {
                found.push(place);
            }
        }
        if all {
            self.further(whole, &mut found);
        }
        found
    }

    fn ask(&mut self, object: &Value) -> Said {
        let Some(left) = self.asks.checked_sub(1) else { return Said::Nothing };
        self.asks = left;
        let answers = self.witness.hear(object);
        let own = |answer: &&RuleOutcome| {
            answer.rule == self.outcome.rule && (self.alone || answer.voice == self.outcome.voice)
        };
        let mut places = Vec::new();
        for answer in answers.iter().filter(own) {
            match answer.verdict {
                Verdict::Fail | Verdict::Warn => places.extend(Place::named(answer)),
                Verdict::Error => return Said::Nothing,
                Verdict::Pass | Verdict::Skip => {}
            }
        }
        if places.is_empty() { Said::Content } else { Said::Violated(places) }
    }

    /// Adds the place, or the elements within it that break the rule on their own.
    fn refine(&mut self, object: &Value, place: Place, found: &mut Vec<Place>) {
        let node = place.path.resolve(object);
        let elements = node.map(|node| elements(node, place.path.is_root())).unwrap_or_default();
        let many = elements.len() > 1 || place.path.is_root() || node.is_some_and(is_collection);
        let within = if many { self.within(object, &place, &elements) } else { Some(Vec::new()) };
        let one = place.path.is_root() || matches!(place.path.0.last(), Some(Segment::Index(_)));
        let collection = node.is_some_and(|node| node.as_array().is_some() || (is_collection(node) && !one));
        // A file within a value has more than one line to object to.
        let file = node.and_then(Value::as_str).is_some_and(|text| text.trim_end().contains('\n'));
        let found_within = match within {
            Some(places) if !places.is_empty() => places,
            None if collection || place.path.is_root() => vec![Place { holding: node.map(held), ..place }],
            _ if file => vec![Place { holding: node.map(held), ..place }],
            _ => vec![place],
        };
        found.extend(found_within.into_iter().filter(|place| !found.contains(place)).collect::<Vec<_>>());
    }

    /// The elements of the node at `place` that break the rule without the others; empty where the node breaks it
    /// without any of them, `None` where nobody can say.
    fn within(&mut self, object: &Value, place: &Place, elements: &[Segment]) -> Option<Vec<Place>> {
        match self.ask(&with(object, &place.path, elements, &[])) {
            Said::Violated(_) => return Some(Vec::new()),
            Said::Nothing => return None,
            Said::Content => {}
        }
        let mut guilty = Vec::new();
        self.halve(object, &place.path, elements, elements, &mut guilty);
        let mut found = Vec::new();
        for (element, said) in guilty {
            // A list that holds nothing else has the element first.
            let there = match &element {
                Segment::Index(_) => place.path.child(0),
                Segment::Key(key) => place.path.child(Segment::Key(key.clone())),
            };
            let alone = with(object, &place.path, elements, std::slice::from_ref(&element));
            let mut inside: Vec<Place> = Vec::new();
            for said in said {
                let nearer = said.path.0.starts_with(&there.0) && said.path != there;
                let place = if nearer { said } else { Place::new(there.clone(), &said.voice) };
                self.refine(&alone, place, &mut inside);
            }
            for place in inside {
                let mut path = place.path.clone();
                path.0.get_mut(there.0.len() - 1).into_iter().for_each(|segment| *segment = element.clone());
                let place = Place { path, ..place };
                if !found.contains(&place) {
                    found.push(place);
                }
            }
        }
        // An object of fixed members has no elements; only lists and maps below it do.
        let reached = |place: &Place| is_element(&place.path, object);
        let told = !found.is_empty() && found.iter().all(reached);
        told.then_some(found)
    }

    /// Adds those of `elements` that break the rule alone, and what it says of each.
    fn halve(
        &mut self,
        object: &Value,
        path: &Path,
        all: &[Segment],
        elements: &[Segment],
        guilty: &mut Vec<(Segment, Vec<Place>)>,
    ) {
        let Said::Violated(said) = self.ask(&with(object, path, all, elements)) else { return };
        if let [element] = elements {
            guilty.push((element.clone(), said));
            return;
        }
        let (first, second) = elements.split_at(elements.len() / 2);
        self.halve(object, path, all, first, guilty);
        self.halve(object, path, all, second, guilty);
    }

    /// Adds what the rule objects to in the object without what it objected to before.
    fn further(&mut self, mut object: Value, found: &mut Vec<Place>) {
        let mut removed: Vec<Path> = Vec::new();
        let mut named: Vec<Path> = found.iter().map(|place| place.path.clone()).collect();
        while let Some((rest, gone, said)) = self.without(&object, &named, &removed, found) {
            (object, removed) = (rest, gone);
            let mut next = Vec::new();
            for place in said {
                self.refine(&object, place, &mut next);
            }
            named = next.iter().map(|place| place.path.clone()).collect();
            for place in next {
                let place = Place { path: restore(&place.path, &removed), ..place };
                if !found.contains(&place) {
                    found.push(place);
                }
            }
            if removed.len() >= MAX_ROUNDS || self.asks == 0 {
                found.extend(removed.last().and_then(|element| Self::rest_of_list(element, &object)));
                return;
            }
        }
    }

    /// The list of an element, by what is left in it.
    fn rest_of_list(element: &Path, object: &Value) -> Option<Place> {
        let end = element.0.iter().rposition(|segment| matches!(segment, Segment::Index(_)))?;
        let list = Path(element.0.get(..end)?.to_vec());
        let holding = list.resolve(object).map(held);
        Some(Place { path: list, voice: Str::default(), holding })
    }

    /// The object without the elements that are named, all that is gone from it, and what the rule objects to then. Where
    /// taking out the innermost elements brings nothing new, those around them are taken out.
    fn without(
        &mut self,
        object: &Value,
        named: &[Path],
        removed: &[Path],
        found: &[Place],
    ) -> Option<(Value, Vec<Path>, Vec<Place>)> {
        for level in 0.. {
            let at_level = |path: &Path| around(path, object).into_iter().nth(level);
            let mut elements: Vec<Path> = named.iter().filter_map(at_level).collect();
            elements.sort();
            elements.dedup();
            let all = elements.clone();
            elements.retain(|inner| !all.iter().any(|outer| outer != inner && inner.0.starts_with(&outer.0)));
            if elements.is_empty() {
                return None;
            }
            let mut rest = object.clone();
            // From the last to the first, so that indices stay true.
            for element in elements.iter().rev() {
                remove(&mut rest, &element.0);
            }
            let mut gone = removed.to_vec();
            gone.extend(elements.iter().map(|element| restore(element, removed)));
            match self.ask(&rest) {
                Said::Content => return None,
                Said::Nothing => {}
                Said::Violated(said) => {
                    let is_new = |place: &Place| {
                        let path = restore(&place.path, &gone);
                        // Both as the whole object counts them: the next element has moved up to the removed one's index.
                        let emptied = gone.iter().any(|element| element.0.starts_with(&path.0));
                        !emptied && !found.iter().any(|known| known.path == path && known.voice == place.voice)
                    };
                    if said.iter().any(is_new) {
                        return Some((rest, gone, said));
                    }
                }
            }
        }
        None
    }
}

/// Whether a node is a list or a map with keys of its user's choice: its elements are all alike.
fn is_collection(node: &Value) -> bool {
    match node {
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty() && map.values().all(is_scalar),
        _ => false,
    }
}

/// Whether a path leads to an element of a list that holds nothing but scalars.
pub(crate) fn is_element_of_texts(path: &Path, object: &Value) -> bool {
    let node = path.resolve(object).filter(|_| matches!(path.0.last(), Some(Segment::Index(_))));
    node.is_some_and(|node| node.as_object().is_some() && is_collection(node))
}

const fn is_scalar(node: &Value) -> bool {
    !matches!(node, Value::Array(_) | Value::Object(_))
}

/// What may be taken out of a node: of a collection every element, of another object what holds anything itself. By its
/// metadata an object is selected.
fn elements(node: &Value, root: bool) -> Vec<Segment> {
    match node {
        Value::Array(items) => (0..items.len()).map(Segment::Index).collect(),
        Value::Object(map) => {
            let whole = is_collection(node);
            let taken = |(key, value): &(&Str, &Value)| whole || !(is_scalar(value) || (root && &***key == "metadata"));
            map.iter().filter(taken).map(|(key, _)| Segment::Key(key.clone())).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether a path leads to an element of a collection, or below one.
fn is_element(path: &Path, object: &Value) -> bool {
    !around(path, object).is_empty()
}

/// The elements of collections on the way to a field, the innermost first.
fn around(path: &Path, object: &Value) -> Vec<Path> {
    let mut found = Vec::new();
    let mut here = Some(object);
    for (end, segment) in (1..).zip(&path.0) {
        let Some(node) = here else { break };
        let (free, next) = match segment {
            Segment::Index(index) => (true, node.at(*index)),
            Segment::Key(key) => (is_collection(node), node.get(key)),
        };
        if free && next.is_some() {
            found.extend(path.0.get(..end).map(|steps| Path(steps.to_vec())));
        }
        here = next;
    }
    found.reverse();
    found
}

/// `object`, in which only those of `elements` that are `kept` are left at `path`.
fn with(object: &Value, path: &Path, elements: &[Segment], kept: &[Segment]) -> Value {
    let mut object = object.clone();
    match at(&mut object, &path.0) {
        Some(Value::Array(items)) => {
            let item = |segment: &Segment| match segment {
                Segment::Index(index) => items.get(*index).cloned(),
                Segment::Key(_) => None,
            };
            let left: Vec<Value> = kept.iter().filter_map(item).collect();
            if let Some(list) = at(&mut object, &path.0) {
                *list = Value::array(left);
            }
        }
        Some(node) => {
            for element in elements.iter().filter(|element| !kept.contains(element)) {
                remove(node, std::slice::from_ref(element));
            }
        }
        None => {}
    }
    object
}

/// The node at the end of a path.
fn at<'o>(object: &'o mut Value, path: &[Segment]) -> Option<&'o mut Value> {
    path.iter().try_fold(object, |node, segment| match segment {
        Segment::Key(key) => node.as_object_mut()?.get_mut(key),
        Segment::Index(index) => node.as_array_mut()?.get_mut(*index),
    })
}

/// Takes what is at `path` out of what holds it.
fn remove(object: &mut Value, path: &[Segment]) {
    let Some((last, list)) = path.split_last() else { return };
    match (at(object, list), last) {
        (Some(node), Segment::Index(index)) => {
            if let Some(items) = node.as_array_mut().filter(|items| *index < items.len()) {
                items.remove(*index);
            }
        }
        (Some(node), Segment::Key(key)) => {
            node.as_object_mut().and_then(|map| map.remove(key));
        }
        (None, _) => {}
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
    use palisade_policy::{Offline, Payload, PolicyInfo, Reads, RuleInfo, Variables};

    /// Objects to the first container whose image is `bad`, as most languages do, and names this field of it.
    #[derive(Debug)]
    struct FirstOnly(PolicyInfo, &'static str);

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
            let field = self.1;
            // A rule that names the element asks for what the element lacks.
            let is_bad =
                |item: &Value| item.get("image").map_or(field.is_empty(), |image| image.as_str() == Some("bad"));
            let bad = items.iter().position(is_bad);
            let path = bad.map(|index| Path::from_pointer(&format!("/containers/{index}{field}")));
            let verdict = if path.is_some() { Verdict::Fail } else { Verdict::Pass };
            vec![RuleOutcome { paths: path.into_iter().collect(), ..RuleOutcome::new("r", phase, verdict, "") }]
        }
    }

    fn fields(images: &[&str]) -> Vec<String> {
        named(images, "/image")
    }

    fn named(images: &[&str], field: &'static str) -> Vec<String> {
        let rule = RuleInfo { name: "r".into(), phase: Phase::Validate, location: None };
        let mut info = PolicyInfo::of(&Resource::default(), vec![rule]);
        info.reads = Reads::nothing();
        let policy = FirstOnly(info, field);
        let items: Vec<_> = images.iter().map(|image| format!(r#"{{"image":"{image}"}}"#)).collect();
        let object = Value::from_json(&format!(r#"{{"containers":[{}]}}"#, items.join(","))).unwrap();
        let variables = Variables::default();
        let environment = Environment::new(jiff::Timestamp::UNIX_EPOCH, &Offline, &variables);
        let request = Request::new(Payload::Document(object));
        let outcome = policy.evaluate(Phase::Validate, &request, &environment).remove(0);
        let witness = Witness::new(&policy, &request, &environment);
        let places = Search::new(&witness, &outcome, true).places(true);
        places.iter().map(|place| place.path.to_string()).collect()
    }

    #[test]
    fn every_offender_is_found_behind_the_first() {
        let all = ["containers[0].image", "containers[2].image", "containers[3].image"];
        assert_eq!(fields(&["bad", "good", "bad", "bad"]), all);
        assert_eq!(fields(&["bad"]), ["containers[0].image"]);
        let very_many = fields(&vec!["bad"; 1_000]);
        assert_eq!((very_many.len(), very_many.last().unwrap().as_str()), (1_000, "containers[999].image"));
        let too_many = fields(&vec!["bad"; MAX_ROUNDS + 5]);
        assert_eq!((too_many.len(), too_many.last().unwrap().as_str()), (MAX_ROUNDS + 2, "containers"));
    }

    #[test]
    fn every_offender_is_found_where_the_rule_names_elements() {
        assert_eq!(named(&["bad", "good", "bad", "bad"], ""), ["containers[0]", "containers[2]", "containers[3]"]);
    }
}
