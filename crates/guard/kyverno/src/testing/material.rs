//! Everything that a test names, loaded: policies, objects, variables, and who asks.

use std::sync::Arc;

use palisade_document::{Document, expand_lists};
use palisade_model::{Diagnostic, Level, Map, Path, Resource, Str, Value};
use palisade_policy::{Language, Payload, Policy, UserInfo, Variables};

use super::codes;
use super::fields::Fields;
use super::manifest::Manifest;
use super::mocks;
use super::objects::{Key, TestObject, loaded};
use super::surroundings::Surroundings;
use super::values;
use super::{Files, Mode};

/// The languages whose policies a test may name.
const LANGUAGES: [&dyn Language; 2] = [crate::LANGUAGE, palisade_cel::admission::LANGUAGE];

/// What a test is made of.
#[derive(Debug)]
pub(super) struct Material {
    pub(super) policies: Vec<TestPolicy>,
    /// Policies that cannot be used, with the reason.
    pub(super) invalid: Vec<(Key, String)>,
    pub(super) objects: Vec<TestObject>,
    pub(super) payloads: Vec<(Key, Payload)>,
    pub(super) targets: Vec<TestObject>,
    pub(super) variables: Variables,
    pub(super) requester: Requester,
    pub(super) surroundings: Surroundings,
}

/// A policy and the document that it was read from.
#[derive(Debug)]
pub(super) struct TestPolicy {
    pub(super) policy: Arc<dyn Policy>,
    pub(super) document: Resource,
}

/// Who asks.
#[derive(Debug, Default)]
pub(super) struct Requester {
    pub(super) user: UserInfo,
    pub(super) roles: Vec<Str>,
    pub(super) cluster_roles: Vec<Str>,
}

type Loading<T> = Result<T, Box<Diagnostic>>;

impl Material {
    /// Loads what `manifest` names; the error is why the test cannot be run.
    pub(super) fn load(
        manifest: &Manifest,
        files: &dyn Files,
        mode: Mode,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Loading<Self> {
        let mut variables = Variables::default();
        read_values(manifest, files, &mut variables, diagnostics)?;
        let requester = match &manifest.user {
            Some(path) => requester(&one(files, path)?, diagnostics),
            None => Requester::default(),
        };
        let objects = distinct(objects(files, &manifest.resources, mode, diagnostics)?, diagnostics);
        let targets = self::objects(files, &manifest.targets, mode, diagnostics)?;
        let params = self::objects(files, &manifest.params, mode, diagnostics)?;
        let mut surroundings =
            Surroundings { namespaces: whole_namespaces(manifest, files), ..Surroundings::default() };
        // What is known in full is looked up, so that policies see more than labels.
        let whole: Vec<Str> = surroundings.namespaces.iter().map(|namespace| Key::of(namespace).name).collect();
        variables.namespace_labels.retain(|name, _| !whole.contains(name));
        mocks::fill(&mut surroundings, manifest, files)?;
        let clones = clone_sources(manifest, files)?;
        let all = targets.iter().chain(&objects).chain(&params).chain(&clones);
        surroundings.objects.extend(all.map(|object| object.resource.object.clone()));
        let params: Vec<Resource> = params.into_iter().map(|param| param.resource).collect();
        let (policies, invalid) = policies(manifest, files, &params, diagnostics)?;
        let payloads = payloads(manifest, files)?;
        Ok(Self { policies, invalid, objects, payloads, targets, variables, requester, surroundings })
    }
}

fn read_all(files: &dyn Files, paths: &[String]) -> Loading<Vec<Document>> {
    let mut documents = Vec::new();
    for path in paths {
        documents.extend(files.read(path).map_err(Box::new)?);
    }
    Ok(documents)
}

/// The single document of a file.
pub(super) fn one(files: &dyn Files, path: &str) -> Loading<Resource> {
    let document = files.read(path).map_err(Box::new)?.into_iter().next();
    document.map(Document::into_resource).ok_or_else(|| {
        Box::new(
            Diagnostic::error(codes::INVALID_TEST, format!("`{path}` is empty"))
                .help("write the document or drop the reference"),
        )
    })
}

fn read_values(
    manifest: &Manifest,
    files: &dyn Files,
    variables: &mut Variables,
    diagnostics: &mut Vec<Diagnostic>,
) -> Loading<()> {
    // Values in the test itself stand in for a file.
    if manifest.has_values {
        values::read_inline(&manifest.document, variables, diagnostics);
        return Ok(());
    }
    let Some(path) = &manifest.variables else { return Ok(()) };
    let mut found = values::read(&one(files, path)?, variables);
    match found.iter().position(|diagnostic| diagnostic.level == Level::Error) {
        Some(at) => Err(Box::new(found.swap_remove(at))),
        None => Ok(()),
    }
}

/// Namespaces that the values give in full, with more than labels.
fn whole_namespaces(manifest: &Manifest, files: &dyn Files) -> Vec<Value> {
    let namespaces = |document: &Value| document.get("namespaces").and_then(Value::as_array).map(<[Value]>::to_vec);
    let inline = manifest.document.object.get("values").filter(|_| manifest.has_values);
    let found = match (inline, &manifest.variables) {
        (Some(values), _) => namespaces(values),
        (None, Some(path)) => one(files, path).ok().and_then(|file| namespaces(&file.object)),
        (None, None) => None,
    };
    found.unwrap_or_default()
}

/// The objects of files. Upstream stops at a first file that is missing and passes over later ones.
fn objects(
    files: &dyn Files,
    paths: &[String],
    mode: Mode,
    diagnostics: &mut Vec<Diagnostic>,
) -> Loading<Vec<TestObject>> {
    let mut objects = Vec::new();
    for (position, path) in paths.iter().enumerate() {
        match files.read(path) {
            Ok(documents) => {
                let resources = documents.into_iter().flat_map(expand_lists).map(Document::into_resource);
                objects.extend(resources.map(loaded));
            }
            Err(diagnostic) if mode == Mode::Strict || position == 0 => return Err(Box::new(diagnostic)),
            Err(diagnostic) => diagnostics.push(Diagnostic { level: Level::Warning, ..diagnostic }),
        }
    }
    Ok(objects)
}

/// The first object of each group, kind, namespace and name.
fn distinct(objects: Vec<TestObject>, diagnostics: &mut Vec<Diagnostic>) -> Vec<TestObject> {
    fn identity(object: &TestObject) -> (&str, &Str, &Str, &Str) {
        let key = &object.key;
        (key.api_version.split_once('/').map_or("", |(group, _)| group), &key.kind, &key.namespace, &key.name)
    }
    let mut distinct: Vec<TestObject> = Vec::with_capacity(objects.len());
    for object in objects {
        if distinct.iter().any(|known| identity(known) == identity(&object)) {
            let message = format!("`{}` is declared twice; the first one is judged", object.resource);
            let diagnostic = Diagnostic::warning(codes::DUPLICATE_RESOURCE, message);
            diagnostics.push(match object.resource.locate(&Path::from_pointer("/metadata/name")) {
                Some(location) => diagnostic.at(location, "not judged"),
                None => diagnostic,
            });
        } else {
            distinct.push(object);
        }
    }
    distinct
}

fn clone_sources(manifest: &Manifest, files: &dyn Files) -> Loading<Vec<TestObject>> {
    let mut paths: Vec<String> = manifest.expectations.iter().filter_map(|entry| entry.clone_source.clone()).collect();
    paths.dedup();
    Ok(read_all(files, &paths)?.into_iter().map(|document| loaded(document.into_resource())).collect())
}

type Policies = (Vec<TestPolicy>, Vec<(Key, String)>);

/// Compiles the policies with the exceptions, language by language, in the order of the documents.
fn policies(
    manifest: &Manifest,
    files: &dyn Files,
    params: &[Resource],
    diagnostics: &mut Vec<Diagnostic>,
) -> Loading<Policies> {
    let mut documents = read_all(files, &manifest.policies)?;
    documents.extend(read_all(files, &manifest.exceptions)?);
    let documents: Vec<Resource> = documents.into_iter().flat_map(expand_lists).map(Document::into_resource).collect();
    let (mut policies, mut invalid) = (Vec::new(), Vec::new());
    for language in LANGUAGES {
        let claimed: Vec<Resource> = documents.iter().filter(|document| language.claims(document)).cloned().collect();
        let loaded = language.load(&claimed, params);
        for document in claimed.into_iter().filter(is_policy) {
            match loaded.policies.iter().find(|policy| is_of(policy, &document)) {
                Some(policy) => policies.push(TestPolicy { policy: policy.clone(), document }),
                None => invalid.push((Key::of(&document.object), reason(&document, &loaded.diagnostics))),
            }
        }
        diagnostics.extend(loaded.diagnostics);
    }
    Ok((policies, invalid))
}

fn is_policy(document: &Resource) -> bool {
    document.kind().ends_with("Policy")
}

fn is_of(policy: &Arc<dyn Policy>, document: &Resource) -> bool {
    let reference = policy.reference();
    &*reference.kind == document.kind()
        && &*reference.name == document.name()
        && reference.namespace.as_deref().unwrap_or_default() == document.namespace()
}

/// Why a document did not become a policy: the first error about its file.
fn reason(document: &Resource, diagnostics: &[Diagnostic]) -> String {
    let source =
        |diagnostic: &Diagnostic| diagnostic.labels.first().map(|label| label.location.source.name().to_owned());
    let own = document.locate(&Path::root()).map(|location| location.source.name().to_owned());
    let errors = || diagnostics.iter().filter(|diagnostic| diagnostic.level == Level::Error);
    let found = errors().find(|diagnostic| source(diagnostic) == own).or_else(|| errors().next());
    found.map_or_else(|| "the policy cannot be used".to_owned(), |diagnostic| diagnostic.message.clone())
}

/// Payloads that are no Kubernetes objects. JSON goes by the path as written, the others by their place, as upstream
/// has it.
fn payloads(manifest: &Manifest, files: &dyn Files) -> Loading<Vec<(Key, Payload)>> {
    let mut payloads = Vec::new();
    for path in &manifest.json_payloads {
        payloads.push((Key::of_file(path), Payload::Document(payload(files, path)?)));
    }
    for path in &manifest.http_payloads {
        payloads.push((Key::of_file(&place(manifest, path)), Payload::Http(payload(files, path)?)));
    }
    for path in &manifest.envoy_payloads {
        payloads.push((Key::of_file(&place(manifest, path)), Payload::Envoy(payload(files, path)?)));
    }
    Ok(payloads)
}

fn payload(files: &dyn Files, path: &str) -> Loading<Value> {
    let document = one(files, path)?.object;
    if document.as_object().is_some() {
        return Ok(document);
    }
    let message = format!("the payload `{path}` must be an object, not {}", document.type_name());
    Err(Box::new(Diagnostic::error(codes::INVALID_TEST, message)))
}

/// A path beside the test file.
fn place(manifest: &Manifest, path: &str) -> String {
    let path = path.trim_start_matches("./");
    manifest.file.rsplit_once('/').map_or_else(|| path.to_owned(), |(folder, _)| format!("{folder}/{path}"))
}

/// Reads a file of kind `UserInfo`.
fn requester(document: &Resource, diagnostics: &mut Vec<Diagnostic>) -> Requester {
    let known = &["apiVersion", "kind", "metadata", "roles", "clusterRoles", "userInfo"];
    let mut fields = Fields::new(document, Path::root(), known, diagnostics);
    let shared = |texts: Vec<String>| texts.into_iter().map(Str::from).collect();
    let (roles, cluster_roles) = (shared(fields.texts("roles")), shared(fields.texts("clusterRoles")));
    let user = &mut fields.below(Path::root().child("userInfo"), &["username", "uid", "groups", "extra"]);
    let user = UserInfo {
        username: user.text("username").unwrap_or_default().into(),
        uid: user.text("uid").unwrap_or_default().into(),
        groups: shared(user.texts("groups")),
        extra: user.get("extra").and_then(Value::as_object).cloned().unwrap_or_else(Map::new),
    };
    Requester { user, roles, cluster_roles }
}
