//! All documents as one, for rules that compare them (Conftest's `--combine`): an array of `{path, contents}`.
//!
//! A finding whose field lies in one of the documents is a finding about that document. Deliberately absent: inline
//! waivers, which are about one document, and kinds of policy that select Kubernetes objects.

use std::path::PathBuf;

use palisade_document::Document;
use palisade_intake::{Input, in_parallel};
use palisade_model::{Map, Path, Resource, Segment, Value};
use palisade_policy::{Payload, Request, RuleOutcome};
use palisade_verdict::{Answers, Door, Sheet};

use super::{Judge, PHASES, Verdicts, is_patch};

/// The name of the array in reports.
const NAME: &str = "combined documents";

impl Judge<'_> {
    /// Judges the documents of all inputs together.
    pub(crate) fn combined(&self, inputs: &[Input], jobs: usize) -> Verdicts {
        let mut part = Verdicts::default();
        let mut documents: Vec<(PathBuf, Document)> = Vec::new();
        for (input, contents) in inputs.iter().zip(in_parallel(inputs, jobs, Input::contents)) {
            part.tally.absorb(contents.tally(&input.name()));
            part.diagnostics.extend(contents.parsed.diagnostics);
            for document in contents.parsed.documents {
                if is_patch(input, &document) {
                    part.tally.patches += 1;
                } else {
                    documents.push((PathBuf::from(input.name()), document));
                }
            }
        }
        // A rule that finds nothing to object to in nothing has not been asked anything.
        if documents.is_empty() {
            return part;
        }
        let array = Value::array(documents.iter().map(|(path, document)| entry(path, document)).collect::<Vec<_>>());
        let request = Request::new(Payload::Document(array.clone()));
        let whole = Resource::in_memory(array);
        let all = Sheet {
            called: Some(NAME),
            parts: self.parts,
            every: self.standing.keep_all,
            together: true,
            ..Sheet::new(PHASES, &whole, "")
        };
        let answers = self.ruleset.ask(&request, &Door::Files(all), &self.environment);
        part.documents = documents.len();
        part.judged = if answers.outcomes.is_empty() { 0 } else { documents.len() };
        for (index, outcome) in answers.outcomes {
            let (about, outcome) = subject(&documents, outcome);
            let file = about.map(|(path, _)| self.frame.relative(&path.to_string_lossy())).unwrap_or_default();
            let resource = about.map_or_else(|| whole.clone(), |(_, document)| document.resource());
            let called = all.called.filter(|_| about.is_none());
            let door = Door::Files(Sheet { resource: &resource, called, file: &file, ..all });
            let answers = Answers { outcomes: vec![(index, outcome)], ..Answers::default() };
            part.take(self.ruleset.settle(&request, &door, answers, &self.environment), &file);
        }
        part
    }
}

fn entry(path: &std::path::Path, document: &Document) -> Value {
    let mut map = Map::new();
    map.insert("path", path.display().to_string());
    map.insert("contents", document.value.clone());
    Value::object(map)
}

/// The document that an answer's first field lies in, and the answer with its fields counted from there.
fn subject(documents: &[(PathBuf, Document)], outcome: RuleOutcome) -> (Option<&(PathBuf, Document)>, RuleOutcome) {
    let within = |path: &Path| match &path.0[..] {
        [Segment::Index(at), Segment::Key(key), rest @ ..] if &**key == "contents" => Some((*at, Path(rest.to_vec()))),
        [Segment::Index(at), ..] => Some((*at, Path::root())),
        _ => None,
    };
    let Some((first, _)) = outcome.paths.first().and_then(within) else {
        return (None, RuleOutcome { paths: Vec::new(), ..outcome });
    };
    let paths = outcome.paths.iter().filter_map(within).filter(|(at, _)| *at == first).map(|(_, path)| path).collect();
    (documents.get(first), RuleOutcome { paths, ..outcome })
}
