//! Properties over generated input: what is written reads back, edits say what was wanted, and no input, however
//! damaged, makes a reader panic. The generator is seeded, so that every run sees the same cases.

#![allow(clippy::disallowed_methods, reason = "tests read files and watch the time")]

use palisade_document::{Limits, edit, parse, write};
use palisade_model::{Str, Value};

/// A small deterministic generator (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    fn text(&mut self, texts: &[&'static str]) -> &'static str {
        let at = self.below(texts.len());
        texts.get(at).copied().unwrap_or_default()
    }
}

const TEXTS: &[&str] = &[
    "",
    "a",
    "yes",
    "no",
    "~",
    "null",
    "1",
    "0x1F",
    "1e3",
    "1:30",
    "2001-01-01",
    "a: b",
    "a #b",
    "#x",
    "- x",
    "-",
    "--- x",
    "...",
    "{{ x }}",
    "[a",
    "a, b",
    "it's",
    "say \"hi\"",
    "back\\slash",
    " lead",
    "trail ",
    "tab\there",
    "l1\nl2",
    "l1\n",
    "\n",
    "l1\n\nl3\n\n",
    " x\ny",
    "x \ny",
    "x\n y\n",
    "*.example.com",
    "&x",
    "!x",
    "|",
    ">",
    "%x",
    "@x",
    "`x",
    "?",
    "? x",
    ":",
    ":x",
    "\u{e9}\u{1F600}",
    "\u{85}",
    "\u{2028}",
    "\u{FEFF}",
    "\r\n",
    "\0",
    "\u{7f}",
    "<<",
    "=",
    ".5",
    "+1",
    "1_000",
    "0b1",
    "nginx:1.25",
    "key",
    "name",
    "spec",
    "metadata",
    "containers",
];

fn value(random: &mut Random, depth: usize) -> Value {
    match random.below(if depth == 0 { 6 } else { 10 }) {
        0 => Value::Null,
        1 => Value::Bool(random.below(2) == 0),
        2 => Value::Int(random.next().cast_signed() >> random.below(64)),
        3 => Value::Float(random.below(1000) as f64 / 8.0),
        4 | 5 => Value::from(random.text(TEXTS)),
        6 | 7 => Value::array((0..random.below(4)).map(|_| value(random, depth - 1)).collect::<Vec<_>>()),
        8 => Value::array(
            (0..random.below(4))
                .map(|at| {
                    let members =
                        [("name".into(), Value::from(format!("c{at}"))), ("v".into(), value(random, depth - 1))];
                    Value::object(members.into_iter().collect())
                })
                .collect::<Vec<_>>(),
        ),
        _ => Value::object(
            (0..random.below(5)).map(|_| (Str::from(random.text(TEXTS)), value(random, depth - 1))).collect(),
        ),
    }
}

/// Changes a value somewhere, as a policy's mutation would.
fn mutate(random: &mut Random, old: &Value) -> Value {
    let mut new = old.clone();
    let choice = random.below(4);
    if let Some(items) = new.as_array_mut().filter(|items| !items.is_empty()) {
        let at = random.below(items.len());
        match choice {
            0 => {
                items.remove(at);
            }
            1 => items.insert(at, value(random, 2)),
            _ => {
                if let Some(item) = items.get_mut(at) {
                    *item = mutate(random, item);
                }
            }
        }
        return new;
    }
    if let Some(map) = new.as_object_mut().filter(|map| !map.is_empty()) {
        let key = map.keys().nth(random.below(map.len())).cloned().unwrap_or_default();
        match choice {
            0 => {
                map.remove(&key);
            }
            1 => {
                map.insert(random.text(TEXTS), value(random, 2));
            }
            _ => {
                let changed = map.get(&key).map(|inner| mutate(random, inner)).unwrap_or_default();
                map.insert(key, changed);
            }
        }
        return new;
    }
    value(random, 2)
}

fn document(random: &mut Random) -> Value {
    loop {
        let candidate = value(random, 4);
        if !candidate.is_null() {
            return candidate;
        }
    }
}

#[test]
fn what_is_written_reads_back() {
    let mut random = Random(1);
    for _ in 0..1500 {
        let value = document(&mut random);
        let text = write::to_yaml(&value);
        let parsed = parse("a.yaml", text.as_bytes(), &Limits::default());
        assert!(parsed.diagnostics.is_empty(), "{text}\n{:?}", parsed.diagnostics);
        assert_eq!(parsed.documents[0].value, value, "{text}");
        let json = parse("a.json", value.to_json().as_bytes(), &Limits::default());
        assert_eq!(json.documents[0].value, value);
    }
}

#[test]
fn an_edit_says_what_was_wanted() {
    let mut random = Random(2);
    for round in 0..1000 {
        let old = document(&mut random);
        let (name, text) = match round % 4 {
            0 => ("a.json", old.to_json_pretty()),
            1 if old.as_object().is_some() => ("a.yaml", old.to_json()),
            _ => ("a.yaml", format!("# head\n{}# tail\n", write::to_yaml(&old))),
        };
        let parsed = parse(name, text.as_bytes(), &Limits::default());
        assert!(parsed.diagnostics.is_empty() && parsed.documents.len() == 1, "{text}\n{:?}", parsed.diagnostics);
        let mut new = old.clone();
        for _ in 0..=random.below(3) {
            new = mutate(&mut random, &new);
        }
        let edited = edit::apply(&parsed.documents[0], &new).unwrap_or_else(|error| panic!("{error}\n{text}\n{new}"));
        let read = parse(name, edited.as_bytes(), &Limits::default());
        assert_eq!(read.documents.first().map(|document| document.value.clone()).unwrap_or_default(), new, "{edited}");
    }
}

/// What damages most: indicators, quotes, indentation, markers.
const DAMAGE: &[&str] = &[
    " ", "  ", "\n", "\t", ":", ": ", "- ", "-", "?", "? ", ",", "[", "]", "{", "}", "#", " #", "&a ", "*a", "!",
    "!!int ", "|", "|+\n", ">2\n", "'", "\"", "%", "@", "---\n", "...\n", "\\", "\\x4", "\u{e9}", "\u{85}", "\u{2028}",
    "\u{FEFF}", "\0", "\u{7}", "<<: *a\n", "\r", "\r\n",
];

#[test]
fn damaged_text_never_panics_and_spans_stay_inside() {
    let mut random = Random(3);
    for round in 0..4000 {
        let mut text = write::to_yaml(&document(&mut random));
        if round % 5 == 0 {
            text = document(&mut random).to_json_pretty();
        }
        for _ in 0..=random.below(4) {
            let mut at = random.below(text.len() + 1);
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            if random.below(4) == 0 {
                text.truncate(at);
            } else {
                text.insert_str(at, random.text(DAMAGE));
            }
        }
        for name in ["a.yaml", "a.json"] {
            let parsed = parse(name, text.as_bytes(), &Limits::default());
            for document in &parsed.documents {
                assert!(document.spans.span.end as usize <= document.source.text().len());
                check_shape(&document.value, &document.spans);
            }
            for label in parsed.diagnostics.iter().flat_map(|diagnostic| &diagnostic.labels) {
                assert!(label.location.span.end as usize <= label.location.source.text().len(), "{text:?}");
            }
        }
    }
}

/// The spans have the shape of the value, and lie on character boundaries.
fn check_shape(value: &Value, tree: &palisade_model::SpanTree) {
    let children: Vec<&Value> = match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(map) => map.values().collect(),
        _ => Vec::new(),
    };
    assert_eq!(children.len(), tree.children.len());
    assert!(tree.span.start <= tree.span.end);
    for (child, entry) in children.into_iter().zip(&tree.children) {
        check_shape(child, &entry.tree);
    }
}
