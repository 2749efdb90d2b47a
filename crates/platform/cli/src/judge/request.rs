//! The one place where a document becomes the request that stands for it.
//!
//! An object is judged as the API server would get it: in the namespace `default` where it writes none and its kind has one,
//! asked for by somebody who has logged in. What it writes stays as it is written. A document that is an AdmissionReview is
//! the request that it says. Deliberately absent: the deletion of objects that are only among the old ones.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use palisade_admission::Review;
use palisade_document::Document;
use palisade_document::kind::kubernetes::is_object;
use palisade_model::{Diagnostic, Path, Str, Value};
use palisade_policy::{AdmissionRequest, Operation, Payload, Request, UserInfo};

use crate::command::codes;
use crate::lookups::ManifestLookups;

/// How the documents are put.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    /// What happens to the objects; where nobody says, what has an old object is updated, and all else is created.
    pub(crate) operation: Option<Operation>,
    /// The objects as they were before.
    pub(crate) old: OldObjects,
    /// Who asks.
    pub(crate) user: UserInfo,
    /// Whether passed and skipped rules are wanted too.
    pub(crate) keep_all: bool,
}

/// Group, kind, namespace and name.
type Key = (Str, Str, Str, Str);

/// The objects as they were before, and which of those that are updated are not among them.
#[derive(Debug, Default)]
pub(crate) struct OldObjects {
    objects: HashMap<Key, Value>,
    missing: Mutex<BTreeSet<String>>,
}

impl OldObjects {
    /// Reads the files at `paths`, and says what was wrong with them.
    pub(crate) fn read(paths: &[PathBuf]) -> (Self, Vec<Diagnostic>) {
        let (inputs, mut diagnostics) = palisade_intake::inputs(paths);
        let mut old = Self::default();
        for input in &inputs {
            let parsed = input.read();
            diagnostics.extend(parsed.diagnostics);
            for document in parsed.documents.into_iter().filter(|document| is_object(&document.value)) {
                let request = AdmissionRequest::of(&document.resource(), Operation::Create).in_default_namespace();
                old.objects.insert(key(&request), document.value);
            }
        }
        (old, diagnostics)
    }

    /// The object that is replaced; null where nobody knows it, which is noted.
    fn of(&self, request: &AdmissionRequest) -> Value {
        let found = self.objects.get(&key(request));
        if found.is_none() {
            let name = format!("{} {}", request.kind.kind, request.name);
            self.missing.lock().unwrap_or_else(PoisonError::into_inner).insert(name);
        }
        found.cloned().unwrap_or_default()
    }

    fn has(&self, request: &AdmissionRequest) -> bool {
        self.objects.contains_key(&key(request))
    }

    /// Says which objects were updated of which nobody knows what they were before.
    pub(crate) fn told(&self) -> Option<Diagnostic> {
        let missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        let first = missing.first()?;
        let more = match missing.len() {
            1 => String::new(),
            number => format!(" and of {} more", number - 1),
        };
        let message = format!("what `{first}` was before its update is not known{more}: rules see no old object");
        Some(Diagnostic::warning(codes::NO_OLD_OBJECT, message).help("give the objects as they were with `--old PATH`"))
    }
}

/// Cluster-wide objects count as of `default` on both sides, so that nobody has to know their scope.
fn key(request: &AdmissionRequest) -> Key {
    let namespace = if request.namespace.is_empty() { "default".into() } else { request.namespace.clone() };
    (request.kind.group.clone(), request.kind.kind.clone(), namespace, request.name.clone())
}

/// A request, and what findings are about.
pub(crate) struct Asked {
    /// The request.
    pub(crate) request: Request,
    /// The object within a review.
    within: Option<Document>,
}

impl Asked {
    /// The same with what an API server fills in; it has done so where a review comes from it.
    pub(crate) fn completed(self) -> Self {
        match self.within {
            None => Self { request: self.request.completed(palisade_kubernetes::admitted), within: None },
            Some(_) => self,
        }
    }

    /// What findings are about: the document, or the object within the review that it is.
    pub(crate) fn about<'d>(&'d self, document: &'d Document) -> &'d Document {
        self.within.as_ref().unwrap_or(document)
    }
}

impl Standing {
    /// The request that stands for `document`: an admission request for a Kubernetes object, what a review says, else the
    /// document itself.
    ///
    /// # Errors
    /// A review that is none.
    pub(crate) fn ask(&self, document: &Document, manifests: &ManifestLookups<'_>) -> Result<Asked, Box<Diagnostic>> {
        if !is_object(&document.value) {
            return Ok(Asked { request: Request::new(Payload::Document(document.value.clone())), within: None });
        }
        let request = AdmissionRequest::of(&document.resource(), self.operation.unwrap_or_default());
        if &*request.kind.kind == "AdmissionReview" && &*request.kind.group == "admission.k8s.io" {
            return reviewed(document);
        }
        Ok(Asked { request: Request::admission(self.placed(request, manifests)), within: None })
    }

    fn placed(&self, mut request: AdmissionRequest, manifests: &ManifestLookups<'_>) -> AdmissionRequest {
        if request.namespace.is_empty() && manifests.is_namespaced(&request.kind) {
            request = request.in_default_namespace();
        }
        if self.operation.is_none() && self.old.has(&request) {
            request.operation = Operation::Update;
        }
        if request.operation == Operation::Update {
            request.old_object = self.old.of(&request);
        }
        request.user = self.user.clone();
        request
    }
}

fn reviewed(document: &Document) -> Result<Asked, Box<Diagnostic>> {
    let refused = |message: String| {
        let diagnostic = Diagnostic::error(codes::INVALID_REVIEW, message)
            .help("write it as the API server sends it: `request` with `operation`, and `object` or `oldObject`");
        Box::new(match document.resource().locate(&Path::root()) {
            Some(place) => diagnostic.at(place, "this document"),
            None => diagnostic,
        })
    };
    let request = Review::written(&document.value)
        .map_err(|trouble| refused(format!("the AdmissionReview cannot be read: {trouble}")))?;
    let object = if request.object.is_null() { "oldObject" } else { "object" };
    let document = document.part(&["request", object]);
    let document =
        document.ok_or_else(|| refused("the AdmissionReview has neither `object` nor `oldObject`".into()))?;
    Ok(Asked { request: Request::admission(request), within: Some(document) })
}
