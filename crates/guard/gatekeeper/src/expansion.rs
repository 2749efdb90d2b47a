//! Expansion templates: the objects that a workload would make, checked before it makes them.
//!
//! A template takes a part of an object (`spec.template`) for an object of another kind (a Pod). What constraints say of
//! such a resultant is said of the object that it came from.

use std::sync::Arc;

use palisade_cel::admission::Reader;
use palisade_model::{Diagnostic, GroupVersionKind, Map, Path, Resource, Segment, Str, Value};
use palisade_policy::{AdmissionRequest, Enforcement, Environment, Operation, Request};

use crate::codes;
use crate::enforcement::Enforcements;
use crate::matching::{ApplyTo, Origin};
use crate::mutation::Standing;
use crate::mutation::System;

/// How often resultants are expanded in turn.
const MAX_DEPTH: usize = 30;
/// The most expansion templates; each is compared with every other.
const MAX_TEMPLATES: usize = 500;
/// The most objects that one object expands into.
const MAX_RESULTANTS: usize = 1_000;

/// The expansion templates of a folder.
#[derive(Debug, Default)]
pub(crate) struct Expansions {
    templates: Vec<ExpansionTemplate>,
    mutators: Arc<System>,
}

#[derive(Debug)]
struct ExpansionTemplate {
    name: Str,
    apply_to: Vec<ApplyTo>,
    /// The keys that lead to the part that becomes an object.
    source: Vec<Str>,
    generated: GroupVersionKind,
    enforcement: Option<Enforcement>,
    document: Resource,
}

/// An object that an expansion template made.
#[derive(Debug)]
pub(crate) struct Resultant {
    template: Str,
    /// What a violation leads to, where the template decides that.
    pub(crate) enforcement: Option<Enforcement>,
    /// The object, put as if it were created.
    pub(crate) request: Request,
    /// Where its content stands in the object that was put before the policies.
    source: Path,
}

impl Resultant {
    /// A message about the resultant, said of the object that it came from.
    pub(crate) fn implied(&self, message: &str) -> String {
        format!("[Implied by {}] {message}", self.template)
    }

    /// A field of the resultant, as a field of the object that it came from.
    pub(crate) fn in_parent(&self, path: &Path) -> Path {
        Path(self.source.0.iter().chain(&path.0).cloned().collect())
    }
}

/// All that an object expands into.
#[derive(Debug, Default)]
pub(crate) struct Expanded {
    resultants: Vec<Resultant>,
    failure: Option<String>,
}

impl Expanded {
    /// The resultants, those of resultants included.
    pub(crate) fn resultants(&self) -> &[Resultant] {
        &self.resultants
    }

    /// Why the object could not be expanded wholly.
    pub(crate) fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }
}

/// What a request has been expanded into, by whose templates.
struct Cached {
    expansions: Arc<Expansions>,
    expanded: Arc<Expanded>,
}

impl Expansions {
    /// Whether nothing is expanded.
    pub(crate) fn is_empty(&self) -> bool {
        self.templates.is_empty()
    }

    /// Reads expansion templates; those that expand into one another in a circle are left out.
    pub(crate) fn load<'d>(
        documents: impl Iterator<Item = &'d Resource>,
        mutators: Arc<System>,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Self {
        let mut templates = Vec::new();
        for document in documents {
            let mut reader = Reader::with_codes(document, codes::READER);
            templates.extend(ExpansionTemplate::read(&mut reader));
            diagnostics.extend(reader.into_diagnostics());
        }
        // In the order of their names, so that outcomes do not depend on the order of files.
        templates.sort_by(|a, b| a.name.cmp(&b.name));
        if templates.len() > MAX_TEMPLATES {
            let message = format!("there are more than {MAX_TEMPLATES} expansion templates; the rest is not used");
            diagnostics
                .push(Diagnostic::error(codes::INVALID_EXPANSION, message).help("use fewer, with more kinds each"));
            templates.truncate(MAX_TEMPLATES);
        }
        let following: Vec<Vec<usize>> = templates.iter().map(|template| followers(&templates, template)).collect();
        let circular: Vec<bool> = (0..templates.len()).map(|start| returns(&following, start)).collect();
        let mut sound = Vec::new();
        for (template, circular) in templates.into_iter().zip(circular) {
            if circular {
                diagnostics.push(template.circle());
            } else {
                sound.push(template);
            }
        }
        Self { templates: sound, mutators }
    }

    /// Whether any template expands objects of the kind.
    pub(crate) fn applies_to(&self, gvk: &GroupVersionKind) -> bool {
        self.templates.iter().any(|template| template.names(gvk))
    }

    /// Whether an object of the kind could expand into one that is `wanted`.
    pub(crate) fn yields(&self, gvk: &GroupVersionKind, wanted: impl Fn(&GroupVersionKind) -> bool) -> bool {
        // Templates form no circles, so every one is met at most once on the way down.
        let mut ahead: Vec<&ExpansionTemplate> = self.templates.iter().filter(|template| template.names(gvk)).collect();
        let mut seen = 0;
        while let Some(template) = ahead.pop() {
            seen += 1;
            if wanted(&template.generated) || seen > MAX_RESULTANTS {
                return true;
            }
            ahead.extend(self.templates.iter().filter(|next| next.names(&template.generated)));
        }
        false
    }

    /// The kinds that could expand into one that is `wanted`.
    pub(crate) fn leading_to(&self, wanted: impl Fn(&GroupVersionKind) -> bool) -> Vec<GroupVersionKind> {
        let all = self.templates.iter().flat_map(|template| &template.apply_to).flat_map(ApplyTo::combinations);
        all.filter(|gvk| self.yields(gvk, &wanted)).collect()
    }

    /// What a request about an object expands into: worked out once, however many constraints ask.
    pub(crate) fn expanded(self: &Arc<Self>, request: &Request, environment: &Environment<'_>) -> Arc<Expanded> {
        let cached = request.derived(|request| Cached {
            expansions: self.clone(),
            expanded: Arc::new(self.expand(request, environment)),
        });
        if Arc::ptr_eq(&cached.expansions, self) {
            return cached.expanded.clone();
        }
        Arc::new(self.expand(request, environment))
    }

    fn expand(&self, request: &Request, environment: &Environment<'_>) -> Expanded {
        let Some(admission) = request.as_admission().filter(|request| request.operation != Operation::Delete) else {
            return Expanded::default();
        };
        let mut work = Work { expansions: self, request: admission, environment, expanded: Expanded::default() };
        if let Err(message) = work.expand(&admission.object, &admission.kind, &Path::root(), 0) {
            work.expanded.failure = Some(message);
        }
        work.expanded
    }
}

/// The expansion of one object.
struct Work<'a> {
    expansions: &'a Expansions,
    request: &'a AdmissionRequest,
    environment: &'a Environment<'a>,
    expanded: Expanded,
}

impl Work<'_> {
    fn expand(&mut self, object: &Value, gvk: &GroupVersionKind, at: &Path, depth: usize) -> Result<(), String> {
        let expansions = self.expansions;
        for template in expansions.templates.iter().filter(|template| template.names(gvk)) {
            if depth >= MAX_DEPTH || self.expanded.resultants.len() >= MAX_RESULTANTS {
                return Err(format!("expansion template `{}` expands into too many objects", template.name));
            }
            let made = template.make(object, &self.request.namespace)?;
            let standing = Standing {
                gvk: &template.generated,
                namespace: &self.request.namespace,
                origin: Origin::Generated,
                operation: None,
                environment: self.environment,
            };
            let (made, _) = self.expansions.mutators.settle(&made, &standing)?;
            let source = Path(at.0.iter().cloned().chain(template.source.iter().cloned().map(Segment::Key)).collect());
            self.expanded.resultants.push(Resultant {
                template: template.name.clone(),
                enforcement: template.enforcement,
                request: request_about(made.clone(), self.request),
                source: source.clone(),
            });
            self.expand(&made, &template.generated, &source, depth + 1)?;
        }
        Ok(())
    }
}

/// The request that would bring a resultant about, by the same user in the same namespace.
fn request_about(object: Value, parent: &AdmissionRequest) -> Request {
    Request::admission(AdmissionRequest {
        operation: parent.operation,
        namespace: parent.namespace.clone(),
        user: parent.user.clone(),
        dry_run: parent.dry_run,
        ..AdmissionRequest::of(&Resource::in_memory(object), Operation::Create)
    })
}

impl ExpansionTemplate {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let root = reader.root();
        let Some(spec) = reader.object(&root, "spec") else {
            reader.missing(&root, "spec");
            return None;
        };
        reader.known_fields(&spec, &["applyTo", "templateSource", "generatedGVK", "enforcementAction"]);
        let source = reader.required_text(&spec, "templateSource").filter(|source| !source.is_empty());
        let gvk = reader.object(&spec, "generatedGVK");
        if gvk.is_none() {
            reader.missing(&spec, "generatedGVK");
        }
        let gvk = gvk?;
        let mut text = |key| reader.text(&gvk, key).unwrap_or_default();
        let generated = GroupVersionKind { group: text("group"), version: text("version"), kind: text("kind") };
        let template = Self {
            name: reader.document().name().into(),
            apply_to: ApplyTo::read(reader, &spec, codes::INVALID_EXPANSION),
            source: source?.split('.').map(Str::from).collect(),
            generated,
            enforcement: Enforcements::read_override(reader, &spec),
            document: reader.document().clone(),
        };
        (!reader.failed()).then_some(template)
    }

    fn names(&self, gvk: &GroupVersionKind) -> bool {
        self.apply_to.iter().any(|entry| entry.names(gvk))
    }

    /// The object that this template makes of another.
    fn make(&self, object: &Value, namespace: &str) -> Result<Value, String> {
        let part = self.source.iter().try_fold(object, |value, key| value.get(key));
        let Some(part) = part.and_then(Value::as_object) else {
            let source = self.source.join(".");
            return Err(format!("expansion template `{}` finds no object at `{source}`", self.name));
        };
        let text =
            |key: &str| object.dig(["metadata", key]).and_then(Value::as_shared_str).cloned().unwrap_or_default();
        let parent = text("name");
        let mut map = part.clone();
        map.insert("apiVersion", self.generated.api_version());
        map.insert("kind", self.generated.kind.clone());
        let mut metadata = part.get("metadata").and_then(Value::as_object).cloned().unwrap_or_else(Map::new);
        metadata.insert("name", format!("{parent}-{}", self.generated.kind).to_lowercase());
        if namespace.is_empty() {
            metadata.remove("namespace");
        } else {
            metadata.insert("namespace", namespace);
        }
        let mut owner = Map::new();
        for key in ["apiVersion", "kind"] {
            owner.insert(key, object.get(key).cloned().unwrap_or_default());
        }
        owner.insert("name", parent);
        owner.insert("uid", text("uid"));
        metadata.insert("ownerReferences", vec![Value::object(owner)]);
        map.insert("metadata", metadata);
        Ok(Value::object(map))
    }

    fn circle(&self) -> Diagnostic {
        let message = format!("expansion template `{}` leads back to the kinds that it expands", self.name);
        let diagnostic = Diagnostic::error(codes::INVALID_EXPANSION, message)
            .help("let no template generate a kind that leads to it");
        match self.document.locate(&Path::from_pointer("/spec/generatedGVK")) {
            Some(location) => diagnostic.at(location, ""),
            None => diagnostic,
        }
    }
}

/// The templates that expand what a template generates.
fn followers(templates: &[ExpansionTemplate], template: &ExpansionTemplate) -> Vec<usize> {
    let follow = |(_, next): &(usize, &ExpansionTemplate)| next.names(&template.generated);
    templates.iter().enumerate().filter(follow).map(|(index, _)| index).collect()
}

/// Whether the templates lead from one back to itself.
fn returns(following: &[Vec<usize>], start: usize) -> bool {
    let mut seen = vec![false; following.len()];
    let mut ahead = vec![start];
    while let Some(here) = ahead.pop() {
        for next in following.get(here).into_iter().flatten().copied() {
            if next == start {
                return true;
            }
            if let Some(seen) = seen.get_mut(next).filter(|seen| !**seen) {
                *seen = true;
                ahead.push(next);
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use palisade_model::json;
    use palisade_policy::{Offline, Variables};

    use super::*;

    fn template(name: &str, from: &str, to: &str) -> Resource {
        Resource::in_memory(json!({
            "apiVersion": "expansion.gatekeeper.sh/v1beta1", "kind": "ExpansionTemplate", "metadata": {"name": name},
            "spec": {
                "applyTo": [{"groups": ["x"], "versions": ["v1"], "kinds": [from]}],
                "templateSource": "spec.template",
                "generatedGVK": {"group": "x", "version": "v1", "kind": to},
            },
        }))
    }

    fn load(templates: &[Resource]) -> (Arc<Expansions>, Vec<Diagnostic>) {
        let mut diagnostics = Vec::new();
        let expansions = Expansions::load(templates.iter(), Arc::default(), &mut diagnostics);
        (Arc::new(expansions), diagnostics)
    }

    #[test]
    fn resultants_are_expanded_in_turn() {
        let (expansions, diagnostics) = load(&[template("jobs", "Cron", "Job"), template("pods", "Job", "Pod")]);
        assert!(diagnostics.is_empty());
        let cron = json!({"apiVersion": "x/v1", "kind": "Cron", "metadata": {"name": "Nightly", "namespace": "shop"},
            "spec": {"template": {"spec": {"template": {"metadata": {"labels": {"a": "b"}}, "spec": {"host": true}}}}}});
        let request = Request::admission(AdmissionRequest::of(&Resource::in_memory(cron), Operation::Create));
        let variables = Variables::default();
        let environment = Environment::new(Timestamp::UNIX_EPOCH, &Offline, &variables);
        let expanded = expansions.expanded(&request, &environment);
        assert!(Arc::ptr_eq(&expanded, &expansions.expanded(&request, &environment)), "expanded once per request");
        let pod = &expanded.resultants()[1];
        let object = &pod.request.as_admission().unwrap().object;
        assert_eq!(object.dig(["metadata", "name"]), Some(&"nightly-job-pod".into()));
        assert_eq!(object.dig(["metadata", "namespace"]), Some(&"shop".into()));
        assert_eq!(object.dig(["metadata", "labels", "a"]), Some(&"b".into()));
        assert_eq!(pod.implied("no"), "[Implied by pods] no");
        let path = pod.in_parent(&Path::from_pointer("/spec/host"));
        assert_eq!(path.to_string(), "spec.template.spec.template.spec.host");
        let gvk = |kind: &str| GroupVersionKind::new("x/v1", kind);
        assert!(expansions.yields(&gvk("Cron"), |found| *found == gvk("Pod")));
        assert!(!expansions.yields(&gvk("Pod"), |_| true));
    }

    #[test]
    fn circles_are_left_out() {
        let (expansions, diagnostics) = load(&[
            template("a", "A", "B"),
            template("b", "B", "A"),
            template("self", "S", "S"),
            template("c", "C", "A"),
        ]);
        assert_eq!(diagnostics.len(), 3, "{diagnostics:?}");
        assert_eq!(expansions.templates.len(), 1);
    }

    #[test]
    fn a_missing_source_is_told() {
        let (expansions, _) = load(&[template("a", "A", "B")]);
        let object = json!({"apiVersion": "x/v1", "kind": "A", "metadata": {"name": "a"}});
        let request = Request::admission(AdmissionRequest::of(&Resource::in_memory(object), Operation::Create));
        let variables = Variables::default();
        let environment = Environment::new(Timestamp::UNIX_EPOCH, &Offline, &variables);
        assert!(expansions.expanded(&request, &environment).failure().unwrap().contains("`spec.template`"));
    }
}
