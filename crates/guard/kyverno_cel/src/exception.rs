//! `PolicyException` of `policies.kyverno.io`: who is exempted from which policies, wholly or for some images and
//! values.

use jiff::Timestamp;
use palisade_cel::admission::{Compiler, Conditions, Dialect, Evaluation, Purpose, Reader, codes, environment};
use palisade_model::{Diagnostic, Path, Resource, Str, Value};
use palisade_policy::Reads;

/// An exception document, and which policies it names.
#[derive(Debug)]
pub(super) struct ExceptionDocument<'d> {
    document: &'d Resource,
    references: Vec<(Str, Str)>,
    exception: Exception,
}

/// An exception as one policy applies it.
#[derive(Clone, Debug)]
pub(super) struct Exception {
    /// `namespace/name`.
    pub(super) key: Str,
    /// Whether an exempted request is reported as passed.
    pub(super) passes: bool,
    /// Of several exceptions, the one with the highest decides.
    pub(super) priority: i64,
    conditions: Conditions,
    /// What its conditions depend on.
    pub(super) reads: Reads,
    images: Vec<Str>,
    values: Vec<Str>,
    expires: Option<Timestamp>,
}

/// What applies to one request.
pub(super) struct Applied<'e> {
    /// Exceptions from the policy as a whole, with the partial ones that came before; none where nothing exempts.
    pub(super) exempting: Vec<&'e Exception>,
    /// Images that are allowed.
    pub(super) images: Vec<Str>,
    /// Values that are allowed.
    pub(super) values: Vec<Str>,
}

/// What partial exceptions allow.
#[derive(Debug, Default)]
pub(super) struct Exemption {
    pub(super) images: Vec<Str>,
    pub(super) values: Vec<Str>,
}

/// The label that orders exceptions.
const PRIORITY: &str = "polex.kyverno.io/priority";

impl<'d> ExceptionDocument<'d> {
    /// Reads an exception; problems go to `diagnostics`.
    pub(super) fn read(document: &'d Resource, diagnostics: &mut Vec<Diagnostic>) -> Option<Self> {
        let mut reader = Reader::new(document);
        let read = Self::read_with(&mut reader);
        let failed = reader.failed();
        diagnostics.extend(reader.into_diagnostics());
        read.filter(|_| !failed)
    }

    fn read_with(reader: &mut Reader<'d>) -> Option<Self> {
        let root = reader.root();
        let Some(spec) = reader.object(&root, "spec") else {
            reader.missing(&root, "spec");
            return None;
        };
        let nodes = reader.list(&spec, "policyRefs");
        let references: Vec<(Str, Str)> = nodes
            .iter()
            .filter_map(|node| Some((reader.required_text(node, "kind")?, reader.required_text(node, "name")?)))
            .collect();
        if references.is_empty() {
            reader.missing(&spec, "policyRefs");
        }
        let expires = reader.text(&spec, "expiresAt").and_then(|text| {
            let moment = text.parse().ok();
            if moment.is_none() {
                let help = "write it as RFC 3339, such as 2026-12-31T23:59:59Z";
                let path = spec.path.child("expiresAt");
                reader.error(codes::WRONG_TYPE, &path, format!("`{text}` is not a moment"), help);
            }
            moment
        });
        let mut compiler = Compiler::new(reader, environment(Dialect::Kyverno, Purpose::Validation));
        let conditions = Conditions::compile(&mut compiler, &spec, "matchConditions");
        let document = reader.document();
        let key = match document.namespace() {
            "" => document.name().into(),
            namespace => format!("{namespace}/{}", document.name()).into(),
        };
        let label = document.object.dig(["metadata", "labels", PRIORITY]).and_then(Value::as_str);
        let exception = Exception {
            key,
            passes: reader.text(&spec, "reportResult").is_some_and(|result| &*result == "pass"),
            priority: label.and_then(|text| text.parse().ok()).unwrap_or_default(),
            conditions,
            reads: reader.reads().clone(),
            images: reader.texts(&spec, "images"),
            values: reader.texts(&spec, "allowedValues"),
            expires,
        };
        Some(Self { document, references, exception })
    }

    /// Whether the exception names the policy.
    fn names(&self, kind: &str, name: &str) -> bool {
        self.references.iter().any(|(of, policy)| &**of == kind && &**policy == name)
    }

    /// The exceptions from a policy.
    pub(super) fn of_policy(documents: &[Self], policy: &Resource) -> Vec<Exception> {
        let named = documents.iter().filter(|document| document.names(policy.kind(), policy.name()));
        named.map(|document| document.exception.clone()).collect()
    }

    /// Warns of references to policies that are not loaded.
    pub(super) fn dangling(&self, policies: &[&Resource], diagnostics: &mut Vec<Diagnostic>) {
        for (index, (kind, name)) in self.references.iter().enumerate() {
            if policies.iter().any(|policy| policy.kind() == &**kind && policy.name() == &**name) {
                continue;
            }
            let message = format!("exception `{}` names {kind} `{name}`, which is not loaded", self.exception.key);
            let warning = Diagnostic::warning(codes::DANGLING_REFERENCE, message)
                .help("load the policy's file too, or correct `spec.policyRefs`");
            let path = Path::from_pointer(&format!("/spec/policyRefs/{index}"));
            diagnostics.push(match self.document.locate(&path) {
                Some(location) => warning.at(location, ""),
                None => warning,
            });
        }
    }
}

impl Exception {
    /// The exceptions that apply to a request, whatever they are limited to.
    pub(super) fn matching<'e>(exceptions: &'e [Self], evaluation: &Evaluation<'_>) -> Result<Vec<&'e Self>, String> {
        let mut matched = Vec::new();
        for exception in exceptions.iter().filter(|exception| exception.in_force(evaluation)) {
            let holds = exception.conditions.hold(evaluation);
            if holds.map_err(|message| format!("policy exception `{}`: {message}", exception.key))? {
                matched.push(exception);
            }
        }
        Ok(matched)
    }

    fn in_force(&self, evaluation: &Evaluation<'_>) -> bool {
        self.expires.is_none_or(|moment| evaluation.environment().now <= moment)
    }

    /// What the exceptions say of a request. An exception that cannot be evaluated is an error, unless another has
    /// exempted the request already.
    pub(super) fn apply<'e>(
        exceptions: &'e [Self],
        evaluation: &Evaluation<'_>,
        ignore_failures: bool,
    ) -> Result<Applied<'e>, String> {
        let mut matched = Vec::new();
        let mut whole = false;
        let mut applied = Applied { exempting: Vec::new(), images: Vec::new(), values: Vec::new() };
        for exception in exceptions.iter().filter(|exception| exception.in_force(evaluation)) {
            match exception.conditions.hold(evaluation) {
                Ok(false) => continue,
                Err(_) if whole || ignore_failures => continue,
                Err(message) => return Err(format!("policy exception `{}`: {message}", exception.key)),
                Ok(true) => matched.push(exception),
            }
            if exception.images.is_empty() && exception.values.is_empty() {
                whole = true;
            } else if !whole {
                applied.images.extend(exception.images.iter().cloned());
                applied.values.extend(exception.values.iter().cloned());
            }
        }
        if whole {
            applied.exempting = matched;
        }
        Ok(applied)
    }
}
