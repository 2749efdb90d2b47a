//! The policies of a server: read again whenever something changes, replaced only by sound ones.
//!
//! A document that does not compile never takes the place of one that did: the last sound version of it goes on judging,
//! and its [`State`] says so. A file that cannot be read, a folder that has vanished and a program that does not
//! compile are treated alike. What is deleted is gone. The rules are exchanged as a whole ([`Ruleset`]), so that nobody
//! sees half of a change. Deliberately absent: when to look, which is the server's business, and talking to a cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use palisade_document::Document;
use palisade_intake::has_errors;
use palisade_model::{Diagnostic, Level, Path, Resource, Waiver};
use palisade_policy::{Programs, digest, reference_of};
use palisade_verdict::Ruleset;
use palisade_verdict::selection::Overrides;
use palisade_verdict::waiver::{Entry, Waivers};

use crate::languages::{self, LANGUAGES};
use crate::load::{self, Policies};
use crate::programs::{Files, ProgramOptions, is_bundle, programs};
use crate::waiver_file;

mod revision;
mod written;

pub use revision::Revision;

/// Where policies are to be found, and what was agreed on about them.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// Files and folders.
    pub paths: Vec<PathBuf>,
    /// Policies of built-in packs.
    pub built_in: Vec<Resource>,
    /// How programs are read.
    pub programs: ProgramOptions,
    /// How rules are enforced where.
    pub overrides: Overrides,
    /// The waiver file, which need not exist.
    pub waivers: Option<PathBuf>,
}

/// What a server knows beside the files.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// Policy objects of the cluster.
    pub cluster: Vec<Resource>,
    /// Waivers that were granted through the server.
    pub waivers: Vec<Entry>,
}

/// What came of reading everything again.
#[derive(Debug)]
pub struct Edition {
    /// What judges from now on.
    pub ruleset: Arc<Ruleset>,
    /// Every document and what became of it, in order.
    pub documents: Vec<DocumentState>,
    /// What was wrong, of documents and beside them.
    pub diagnostics: Vec<Diagnostic>,
    /// The commits that the folders stand at, where they are of Git.
    pub revisions: Vec<Revision>,
}

/// Where a document comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// A built-in pack.
    Pack,
    /// A file.
    File,
    /// The cluster.
    Cluster,
}

impl Place {
    /// As records write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pack => "pack",
            Self::File => "file",
            Self::Cluster => "cluster",
        }
    }
}

/// A document of policies and what became of it.
#[derive(Clone, Debug)]
pub struct DocumentState {
    /// Where it comes from.
    pub place: Place,
    /// The file, or `cluster:KIND/NAME`.
    pub source: String,
    /// The document as it is now; as it was, where it can no longer be read.
    pub document: Resource,
    /// What became of it.
    pub state: State,
}

/// What became of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It is in force as it is.
    Ready,
    /// It cannot be used; an older version of it is in force.
    Kept {
        /// What is wrong with it.
        problem: String,
    },
    /// It cannot be used, and nothing stands in for it.
    Refused {
        /// What is wrong with it.
        problem: String,
    },
}

/// A document among the others: its source, what it is, and which of those that are called so.
type Key = (String, String, usize);

/// The policies of a server.
#[derive(Debug)]
pub struct Catalogue {
    sources: Sources,
    sound: BTreeMap<Key, (Place, Resource)>,
    sound_programs: BTreeMap<&'static str, Programs>,
    waivers: Vec<Entry>,
}

/// A document on its way into an edition.
struct Candidate {
    key: Key,
    place: Place,
    document: Resource,
    /// Why it could not even be read; then `document` is the last version that could.
    unreadable: Option<String>,
}

impl Catalogue {
    /// A catalogue of `sources`, nothing read so far.
    pub fn new(sources: Sources) -> Self {
        Self { sources, sound: BTreeMap::new(), sound_programs: BTreeMap::new(), waivers: Vec::new() }
    }

    /// A number that differs whenever a file was added, removed or written; none while Git is changing the files, so
    /// that half of a checkout is not loaded. Cheap: files are not read.
    pub fn signature(&self) -> Option<u64> {
        (!revision::is_changing(&self.sources.paths)).then(|| revision::signature(&self.sources))
    }

    /// Reads everything again and says what judges from now on.
    pub fn reload(&mut self, given: &Given, now: Timestamp) -> Edition {
        let (candidates, mut diagnostics) = self.candidates(given);
        let compiled = load::load(&candidates.iter().map(|candidate| candidate.document.clone()).collect::<Vec<_>>());
        let broken = self.broken(&candidates, &compiled.diagnostics);
        let (documents, chosen) = self.choose(candidates, &broken);
        let mut loaded = if broken.is_empty() { compiled } else { load::load(&chosen) };
        self.add_programs(&mut loaded, &mut diagnostics);
        diagnostics.append(&mut loaded.diagnostics);
        let waivers = self.all_waivers(given, &mut diagnostics);
        let agreements = agreements(&self.sources.overrides, &waivers, now);
        let ruleset = Ruleset::new(loaded.policies, self.sources.overrides.clone(), Waivers::new(waivers), &agreements);
        Edition {
            ruleset: Arc::new(ruleset),
            documents,
            diagnostics,
            revisions: revision::revisions(&self.sources.paths),
        }
    }

    /// Every document that there is, and those that were there before a file or folder became unreadable.
    fn candidates(&self, given: &Given) -> (Vec<Candidate>, Vec<Diagnostic>) {
        let of_objects = |path: &&PathBuf| !is_bundle(path) && !languages::is_program(path);
        let paths: Vec<_> = self.sources.paths.iter().filter(of_objects).cloned().collect();
        let (inputs, mut diagnostics) = palisade_intake::inputs(&paths);
        let mut lost: Vec<(String, String)> =
            diagnostics.iter().filter(|d| d.level == Level::Error).map(lost_root).collect();
        let mut found: Vec<(Place, String, Resource)> =
            self.sources.built_in.iter().map(|document| (Place::Pack, source_of(document), document.clone())).collect();
        for input in &inputs {
            let parsed = input.read();
            if let Some(error) = parsed.diagnostics.iter().find(|diagnostic| diagnostic.level == Level::Error) {
                lost.push((input.name(), error.to_string()));
            }
            diagnostics.extend(parsed.diagnostics);
            let documents = parsed.documents.into_iter().map(Document::into_resource);
            found.extend(documents.map(|document| (Place::File, input.name(), document)));
        }
        let cluster = given.cluster.iter().map(written::as_written);
        found.extend(cluster.map(|document| (Place::Cluster, source_of(&document), document)));
        let mut seen: BTreeMap<(String, String), usize> = BTreeMap::new();
        let mut candidates: Vec<Candidate> = Vec::new();
        for (place, source, document) in found {
            let nth = seen.entry((source.clone(), identity(&document))).or_default();
            let key = (source, identity(&document), *nth);
            *nth += 1;
            candidates.push(Candidate { key, place, document, unreadable: None });
        }
        self.keep_lost(&lost, &mut candidates);
        // In the order in which they would stand if all could be read: the order is part of what a ruleset is.
        candidates.sort_by(|a, b| (a.place, &a.key.0).cmp(&(b.place, &b.key.0)));
        (candidates, diagnostics)
    }

    /// What a file that can no longer be read held stays.
    fn keep_lost(&self, lost: &[(String, String)], candidates: &mut Vec<Candidate>) {
        let present: BTreeSet<Key> = candidates.iter().map(|candidate| candidate.key.clone()).collect();
        for (key, (place, document)) in self.sound.iter().filter(|(key, _)| !present.contains(*key)) {
            let below = |(root, _): &&(String, String)| {
                key.0 == *root || key.0.strip_prefix(root.as_str()).is_some_and(|rest| rest.starts_with('/'))
            };
            if let Some((_, why)) = lost.iter().find(below).filter(|_| *place == Place::File) {
                let (key, document) = (key.clone(), document.clone());
                candidates.push(Candidate { key, place: *place, document, unreadable: Some(why.clone()) });
            }
        }
    }

    /// The documents that do not compile among the others, with what is wrong. An error that names no place is one of a
    /// document that is new or changed; of several, each one that does not compile alone.
    fn broken(&self, candidates: &[Candidate], diagnostics: &[Diagnostic]) -> BTreeMap<Key, String> {
        let mut broken: BTreeMap<Key, String> = BTreeMap::new();
        let is_new = |candidate: &&Candidate| {
            self.sound.get(&candidate.key).is_none_or(|(_, sound)| sound.object != candidate.document.object)
        };
        for diagnostic in diagnostics.iter().filter(|diagnostic| diagnostic.level == Level::Error) {
            let mut note = |candidate: &Candidate| {
                broken.entry(candidate.key.clone()).or_insert_with(|| diagnostic.to_string());
            };
            if let Some(candidate) = candidates.iter().find(|candidate| speaks_of(diagnostic, &candidate.document)) {
                note(candidate);
            } else {
                candidates.iter().filter(is_new).filter(|candidate| !compiles(&candidate.document)).for_each(note);
            }
        }
        broken
    }

    /// The documents to compile: the sound ones, and for the others their last sound version.
    fn choose(
        &mut self,
        candidates: Vec<Candidate>,
        broken: &BTreeMap<Key, String>,
    ) -> (Vec<DocumentState>, Vec<Resource>) {
        let mut states = Vec::new();
        let mut chosen = Vec::new();
        let mut sound = BTreeMap::new();
        for Candidate { key, place, document, unreadable } in candidates {
            let state = match (unreadable, broken.get(&key)) {
                (Some(problem), _) => State::Kept { problem },
                (None, None) => State::Ready,
                (None, Some(problem)) if self.sound.contains_key(&key) => State::Kept { problem: problem.clone() },
                (None, Some(problem)) => State::Refused { problem: problem.clone() },
            };
            let standing = match &state {
                State::Ready => Some(document.clone()),
                State::Kept { .. } => self.sound.get(&key).map(|(_, document)| document.clone()),
                State::Refused { .. } => None,
            };
            if let Some(standing) = standing {
                chosen.push(standing.clone());
                sound.insert(key.clone(), (place, standing));
            }
            if LANGUAGES.iter().any(|language| language.claims(&document)) {
                states.push(DocumentState { place, source: key.0, document, state });
            }
        }
        self.sound = sound;
        (states, chosen)
    }

    /// Adds the policies that are programs; where those of a language do not compile, the last ones that did.
    fn add_programs(&mut self, loaded: &mut Policies, diagnostics: &mut Vec<Diagnostic>) {
        for language in LANGUAGES.iter().filter(|language| !language.extensions().is_empty()) {
            let options = &self.sources.programs;
            let (read, mut problems) = programs(&self.sources.paths, options, language.extensions(), Files::Policies);
            let mut more = language.load_programs(&read);
            problems.append(&mut more.diagnostics);
            if has_errors(&problems) {
                if let Some(sound) = self.sound_programs.get(language.id()) {
                    more = language.load_programs(sound);
                }
            } else {
                self.sound_programs.insert(language.id(), read);
            }
            diagnostics.append(&mut problems);
            loaded.policies.append(&mut more.policies);
        }
    }

    /// The waivers of the file and of the server; those of a file that is not sound are the last ones that were.
    fn all_waivers(&mut self, given: &Given, diagnostics: &mut Vec<Diagnostic>) -> Vec<Entry> {
        match self.sources.waivers.as_deref().filter(|file| file.exists()) {
            None => self.waivers = Vec::new(),
            Some(file) => {
                let (waivers, problems) = waiver_file::read(file);
                if !has_errors(&problems) {
                    self.waivers = waivers.entries().to_vec();
                }
                diagnostics.extend(problems);
            }
        }
        self.waivers.iter().chain(&given.waivers).cloned().collect()
    }
}

/// Whether a document compiles without the others.
fn compiles(document: &Resource) -> bool {
    !has_errors(&load::load(std::slice::from_ref(document)).diagnostics)
}

/// What identifies a document within its source.
fn identity(document: &Resource) -> String {
    let reference = reference_of(document);
    let group = document.gvk().map(|gvk| gvk.group).unwrap_or_default();
    format!("{group}/{}/{reference}", reference.kind)
}

/// The name of the text that a document was read from.
fn source_of(document: &Resource) -> String {
    document.locate(&Path::root()).map(|location| location.source.name().to_owned()).unwrap_or_default()
}

/// Whether the first place of a diagnostic is in a document.
fn speaks_of(diagnostic: &Diagnostic, document: &Resource) -> bool {
    let (Some(label), Some(whole)) = (diagnostic.labels.first(), document.locate(&Path::root())) else { return false };
    let (inner, outer) = (label.location.span.range(), whole.span.range());
    label.location.source.name() == whole.source.name() && outer.start <= inner.start && inner.start <= outer.end
}

/// The path that a diagnostic about an unreadable file or folder names, and what it says.
fn lost_root(diagnostic: &Diagnostic) -> (String, String) {
    let named = diagnostic.message.split('`').nth(1).unwrap_or_default();
    (named.trim_end_matches('/').to_owned(), diagnostic.to_string())
}

/// The agreements as a text that differs whenever they do.
fn agreements(overrides: &Overrides, waivers: &[Entry], now: Timestamp) -> String {
    let mut text = format!("{overrides:?}");
    for entry in waivers {
        let Waiver { reason, owner, expires, .. } = &*entry.waiver;
        let _ = write!(text, "\n{:?} {reason:?} {owner:?} {expires:?} {:?}", entry.selector, entry.stage(now));
    }
    digest(&text).to_string()
}

#[cfg(test)]
mod tests;
