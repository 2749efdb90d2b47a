//! Random edits of texts that look like what people have: what is not edited stays, byte for byte and in its order.
//!
//! The texts mix what makes rewriting hard: comments in every place, quotes, flow style, lists at their key's column and
//! deeper, block scalars, blank lines, list elements with equal keys. The edits are what mutations do.

#![expect(clippy::string_slice, reason = "a place beside the text fails the test")]

use palisade_model::{Segment, json};

use super::*;
use crate::parse;

const TEXTS: &[&str] = &[
    "# head\napiVersion: apps/v1\nkind: Deployment # kind\nmetadata:\n  name: 'web'  # quoted\n  labels: {app: web, \"tier\": 'front'}\nspec:\n  # before\n  replicas: 2\n\n  template:\n    spec:\n      containers:\n        # the first\n        - name: a\n          image: \"x:1\" # pin\n          ports:\n            - name: http\n              containerPort: 80\n            - name: https\n              containerPort: 80\n          args: [\"-v\", '2', --x]\n        - name: b # second\n          image: y\n          command:\n          - sh\n          - -c\n          - |\n            set -e\n\n            run # no comment\n          securityContext:\n            capabilities:\n              drop: [ALL]\n      # tail of the containers\n      volumes:\n      - name: tmp\n        emptyDir: {}\n# the end\n",
    "---\nkind: ConfigMap\napiVersion: v1\ndata:\n    folded: >-\n        one\n        two\n    kept: |+\n        text\n\n    plain: several words\n       over lines\n    empty:\n    tilde: ~\nmetadata:\n    name: c\n",
    "kind: Service\r\napiVersion: v1\r\nspec:\r\n  ports:\r\n  - port: 80\r\n    name: http # c\r\n\r\n  - port: 80\r\n    name: alt\r\n  selector:\r\n    app: \"x\"\r\n",
    "kind: List\napiVersion: v1\nitems:\n- kind: Pod\n  apiVersion: v1\n  spec:\n    containers:\n    - name: a\n      env:\n        - {name: A, value: \"1\"}   # one\n        - {name: B,\n           value: two}\n      tty: yes\n-   kind: Pod\n    apiVersion: v1\n    spec: {containers: [{name: z, image: z}]}",
    "{\n  \"kind\": \"Pod\",\n  \"spec\": {\n    \"containers\": [\n      {\n        \"name\": \"a\",\n        \"args\": [\"x\", 1.0, null]\n      }\n    ]\n  },\n  \"last\": true\n}\n",
];

/// A generator of numbers that are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound.max(1)
    }
}

/// Every node's path.
fn paths(value: &Value, at: &Path, out: &mut Vec<Path>) {
    out.push(at.clone());
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| paths(value, &at.child(&**key), out)),
        Value::Array(items) => items.iter().enumerate().for_each(|(n, value)| paths(value, &at.child(n), out)),
        _ => {}
    }
}

fn node<'a>(value: &'a mut Value, path: &[Segment]) -> &'a mut Value {
    path.iter().fold(value, |value, segment| match segment {
        Segment::Key(key) => value.as_object_mut().unwrap().get_mut(key).unwrap(),
        Segment::Index(index) => &mut value.as_array_mut().unwrap()[*index],
    })
}

/// One edit; what it says.
fn change(value: &mut Value, random: &mut Random) -> String {
    let fresh = [
        json!("new"),
        json!("yes"),
        json!("a: b"),
        json!(7),
        json!(false),
        json!({"k": {"l": ["m"]}}),
        json!([1, {"x": "y"}]),
        json!("l1\nl2\n"),
        json!({"name": "n", "image": "i"}),
    ];
    let fresh = fresh[random.below(fresh.len())].clone();
    let mut all = Vec::new();
    paths(value, &Path::root(), &mut all);
    let path = all[random.below(all.len())].clone();
    let remove = random.below(4) == 0;
    let said = format!("{} `{path}` {}", if remove { "remove" } else { "change" }, fresh.to_json());
    if let (true, Some((last, parent))) = (remove, path.0.split_last()) {
        let parent = node(value, parent);
        match last {
            Segment::Key(key) => drop(parent.as_object_mut().unwrap().remove(key)),
            Segment::Index(index) => drop(parent.as_array_mut().unwrap().remove(*index)),
        }
        return said;
    }
    let at = node(value, &path.0);
    match at {
        Value::Object(_) => {
            at.as_object_mut().unwrap().insert(format!("added{}", random.below(3)).as_str(), fresh);
        }
        Value::Array(items) => {
            let place = random.below(items.len() + 1);
            at.as_array_mut().unwrap().insert(place, fresh);
        }
        scalar => *scalar = fresh,
    }
    said
}

fn mark(text: &str, lines: &mut [bool], start: u32, end: u32) {
    let line = |offset: u32| text[..offset as usize].matches('\n').count();
    lines[line(start)..=line(end.max(start))].fill(true);
}

/// Whether both are collections of one kind that hold something.
fn goes_on(old: &Value, new: &Value) -> bool {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => !old.is_empty() && !new.is_empty(),
        (Value::Array(old), Value::Array(new)) => !old.is_empty() && !new.is_empty(),
        _ => false,
    }
}

/// The lines that nodes stand on which the edit changes: they may change, and no others.
fn touched(text: &str, old: &Value, tree: &SpanTree, new: &Value, lines: &mut [bool]) {
    if old == new {
        return;
    }
    let span = tree.span;
    let flow = text[span.range()].starts_with(['{', '[']);
    match (old, new) {
        (Value::Object(old), Value::Object(new)) if !old.is_empty() && !new.is_empty() => {
            for ((key, value), entry) in old.iter().zip(&tree.children) {
                match new.get(key) {
                    // A value of another kind may begin behind its key.
                    Some(new) if value != new && !goes_on(value, new) => {
                        mark(text, lines, entry.key.start, entry.key.end.max(entry.tree.span.end));
                    }
                    Some(new) => touched(text, value, &entry.tree, new, lines),
                    None => mark(text, lines, entry.key.start, entry.key.end.max(entry.tree.span.end)),
                }
            }
            // Where the first key behind a dash goes, the next one that stays moves up to it.
            let mut entries: Vec<_> =
                old.iter().zip(&tree.children).map(|((key, _), entry)| (entry.key, key)).collect();
            entries.sort_by_key(|(key, _)| key.start);
            if !new.contains_key(entries[0].1)
                && let Some((key, _)) = entries.iter().find(|(_, name)| new.contains_key(name))
            {
                mark(text, lines, key.start, key.end);
            }
            if flow {
                mark(text, lines, span.start, span.end);
            }
        }
        (Value::Array(old), Value::Array(new)) if !flow && !new.is_empty() => {
            for step in align::align(old, new) {
                let child = |at: usize| &tree.children[at].tree;
                match step {
                    align::Step::Keep(o, n) => touched(text, &old[o], child(o), &new[n], lines),
                    align::Step::Delete(o) => mark(text, lines, child(o).span.start, child(o).span.end),
                    align::Step::Insert(_) => {}
                }
            }
        }
        _ => mark(text, lines, span.start, span.end),
    }
}

#[test]
fn what_is_not_edited_stays() {
    let mut random = Random(20_261_201);
    for text in TEXTS {
        for _ in 0..400 {
            let parsed = parse("a.yaml", text.as_bytes(), &Limits::default());
            let document = &parsed.documents[0];
            let mut new = document.value.clone();
            let said: Vec<_> = (0..=random.below(3)).map(|_| change(&mut new, &mut random)).collect();
            if new.as_object().is_none_or(palisade_model::Map::is_empty) {
                continue;
            }
            let after = apply(document, &new).unwrap_or_else(|error| panic!("{error}: {said:#?}\n{text}"));
            let mut lines = vec![false; text.matches('\n').count() + 1];
            touched(text, &document.value, &document.spans, &new, &mut lines);
            let mut rest = after.lines();
            let mut before = false;
            for (line, touched) in text.lines().zip(&lines) {
                // A block scalar that keeps its line breaks has them behind its last line.
                before = *touched || before && line.is_empty();
                assert!(before || rest.any(|kept| kept == line), "`{line}` is lost by {said:#?}:\n{after}");
            }
        }
    }
}
