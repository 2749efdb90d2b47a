//! What stands beside an object among the checked files: what may end up in the same namespace.
//!
//! A namespace that is written, or that a kustomization sets, is known. Where it is not, whoever applies the files decides,
//! and the folder, or the kustomization that holds it, is as far as one can see: objects elsewhere may go anywhere. Rules ask
//! for the global context entry `manifests`: by `PLURAL/NAMESPACE`, by `PLURAL/NAMESPACE/nearby` for no more than the folder or
//! kustomization, and by `whole/` whether all was given that there is.
//! Deliberately absent: rendering kustomizations.

use std::collections::{BTreeSet, HashMap};
use std::path::{Component, Path, PathBuf};

use palisade_document::Document;
use palisade_document::kind::kubernetes::is_object;
use palisade_model::{Str, Value, json, resource::plural};
use palisade_policy::{LookupError, Lookups, forward_lookups};

use crate::lookups::{ENTRY, ManifestLookups};

/// What the question is called whether a run was given all that there is.
const WHOLE: &str = "whole/";

/// How a projection ends that wants no more than the folder or kustomization.
const NEARBY: &str = "/nearby";

/// Kinds without a namespace that rules ask for.
const CLUSTER_WIDE: [&str; 8] = [
    "adminnetworkpolicies",
    "baselineadminnetworkpolicies",
    "ciliumclusterwidenetworkpolicies",
    "clusternetworkpolicies",
    "globalnetworkpolicies",
    "namespaces",
    "persistentvolumes",
    "storageclasses",
];

/// How deep kustomizations may hold each other.
const MAX_DEPTH: usize = 32;

/// Where an object may end up.
#[derive(Clone, Debug, Default)]
struct Place {
    /// The namespaces that are known; none where whoever applies the files decides.
    namespaces: Vec<Str>,
    /// The folder, or the one that stands for all folders of a kustomization.
    group: PathBuf,
}

impl Place {
    fn meets(&self, other: &Self) -> bool {
        if self.namespaces.is_empty() || other.namespaces.is_empty() {
            return self.group == other.group;
        }
        self.namespaces.iter().any(|namespace| other.namespaces.contains(namespace))
    }
}

/// The checked objects by where they may end up.
#[derive(Debug, Default)]
pub(crate) struct Neighbourhood {
    folders: Folders,
    by_kind: HashMap<Str, Vec<(Place, Value)>>,
    /// How many objects there are.
    objects: usize,
}

impl Neighbourhood {
    pub(crate) fn of<'d>(documents: impl Iterator<Item = &'d Document> + Clone) -> Self {
        let folders = Folders::of(documents.clone());
        let mut by_kind: HashMap<Str, Vec<(Place, Value)>> = HashMap::new();
        let mut objects = 0;
        for document in documents.clone() {
            for (kind, object) in generated(document) {
                by_kind.entry(kind).or_default().push((folders.place(document), object));
            }
        }
        for document in documents.filter(|document| is_object(&document.value)) {
            objects += 1;
            let place = folders.place(document);
            by_kind
                .entry(plural(document.resource().kind()).into())
                .or_default()
                .push((place, without_nulls(&document.value)));
        }
        Self { folders, by_kind, objects }
    }

    /// Whether there is more than one object, without which nothing can be said of what is beside.
    pub(crate) fn is_more_than_one(&self) -> bool {
        self.objects > 1
    }

    /// The objects of a kind that `is_meant`.
    fn list(&self, kind: &str, is_meant: impl Fn(&Place) -> bool) -> Value {
        let all = self.by_kind.get(kind).map_or(&[][..], Vec::as_slice);
        Value::array(
            all.iter().filter(|(place, _)| is_meant(place)).map(|(_, object)| object.clone()).collect::<Vec<_>>(),
        )
    }

    /// The objects that a projection names, for whoever is in no folder.
    pub(crate) fn projected(&self, projection: &str) -> Value {
        let (kind, namespace) = projection.split_once('/').unwrap_or((projection, ""));
        self.list(kind, |place| place.namespaces.iter().any(|one| &**one == namespace) || namespace.is_empty())
    }
}

/// What kustomizations say of folders.
#[derive(Debug, Default)]
struct Folders {
    /// The folder that stands for a folder's kustomizations.
    groups: HashMap<PathBuf, PathBuf>,
    /// The namespaces that kustomizations put files into.
    namespaces: HashMap<PathBuf, BTreeSet<Str>>,
}

/// A kustomization, as far as it matters here.
#[derive(Debug)]
struct Kustomization {
    namespace: Option<Str>,
    /// Files and folders.
    entries: Vec<PathBuf>,
}

impl Folders {
    fn of<'d>(documents: impl Iterator<Item = &'d Document>) -> Self {
        let kustomizations: HashMap<PathBuf, Kustomization> = documents.filter_map(kustomization).collect();
        let held: BTreeSet<&PathBuf> = kustomizations.values().flat_map(|one| &one.entries).collect();
        let mut roots: Vec<&PathBuf> = kustomizations.keys().filter(|folder| !held.contains(folder)).collect();
        roots.sort();
        let mut folders = Self::default();
        for root in roots {
            folders.enter(root, root, None, &kustomizations, 0);
        }
        folders
    }

    fn enter(
        &mut self,
        root: &Path,
        folder: &Path,
        outer: Option<&Str>,
        all: &HashMap<PathBuf, Kustomization>,
        depth: usize,
    ) {
        let Some(this) = all.get(folder).filter(|_| depth < MAX_DEPTH) else { return };
        let namespace = outer.or(this.namespace.as_ref());
        self.join(folder, root);
        for entry in &this.entries {
            if all.contains_key(entry) {
                self.enter(root, entry, namespace, all, depth + 1);
                continue;
            }
            self.join(entry.parent().unwrap_or(entry), root);
            if let Some(namespace) = namespace {
                self.namespaces.entry(entry.clone()).or_default().insert(namespace.clone());
            }
        }
    }

    fn group(&self, folder: &Path) -> PathBuf {
        let mut here = folder;
        while let Some(next) = self.groups.get(here) {
            here = next;
        }
        here.to_owned()
    }

    fn join(&mut self, folder: &Path, other: &Path) {
        let (folder, other) = (self.group(folder), self.group(other));
        if folder != other {
            self.groups.insert(folder, other);
        }
    }

    fn place(&self, document: &Document) -> Place {
        let file = cleaned(Path::new(document.source.name()));
        let written = document.value.dig(["metadata", "namespace"]).and_then(Value::as_shared_str).cloned();
        let namespaces = match self.namespaces.get(&file) {
            Some(set) => set.iter().cloned().collect(),
            None => written.into_iter().filter(|namespace| !namespace.is_empty()).collect(),
        };
        Place { namespaces, group: self.group(file.parent().unwrap_or(&file)) }
    }
}

fn kustomization(document: &Document) -> Option<(PathBuf, Kustomization)> {
    let file = Path::new(document.source.name());
    let called = file.file_name()?.to_str()?;
    matches!(called, "kustomization.yaml" | "kustomization.yml" | "Kustomization").then_some(())?;
    let folder = cleaned(file.parent()?);
    let listed = ["resources", "bases", "components"].into_iter();
    let listed = listed.filter_map(|key| document.value.get(key)?.as_array()).flatten().filter_map(Value::as_str);
    let entries = listed.filter(|entry| !entry.contains("://")).map(|entry| cleaned(&folder.join(entry))).collect();
    let namespace = document.value.get("namespace").and_then(Value::as_shared_str).cloned();
    Some((folder, Kustomization { namespace: namespace.filter(|namespace| !namespace.is_empty()), entries }))
}

/// The object as the API server keeps it, without members that are null.
fn without_nulls(object: &Value) -> Value {
    if object.has_null_members() { object.without_null_members() } else { object.clone() }
}

/// What a kustomization generates: ConfigMaps and Secrets of which only the names are known.
fn generated(document: &Document) -> Vec<(Str, Value)> {
    if kustomization(document).is_none() {
        return Vec::new();
    }
    let of = |key: &str, kind: &str| -> Vec<(Str, Value)> {
        let entries = document.value.get(key).and_then(Value::as_array).unwrap_or_default();
        let names = entries.iter().filter_map(|entry| entry.get("name")?.as_shared_str().cloned());
        names.map(|name| (plural(kind).into(), json!({"kind": kind, "metadata": {"name": name}}))).collect()
    };
    let mut all = of("configMapGenerator", "ConfigMap");
    all.extend(of("secretGenerator", "Secret"));
    all
}

/// The path without `.` and, where they can be resolved, `..`.
fn cleaned(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if matches!(cleaned.components().next_back(), Some(Component::Normal(_))) => {
                cleaned.pop();
            }
            other => cleaned.push(other),
        }
    }
    cleaned
}

/// The surroundings of one document.
pub(crate) struct Beside<'a> {
    manifests: &'a ManifestLookups<'a>,
    document: &'a Document,
    /// The namespace of the request that stands for it.
    namespace: Str,
}

impl<'a> Beside<'a> {
    /// What surrounds `document`, whose request is about `namespace`.
    pub(crate) fn new(manifests: &'a ManifestLookups<'a>, document: &'a Document, namespace: Str) -> Self {
        Self { manifests, document, namespace }
    }
}

impl Lookups for Beside<'_> {
    forward_lookups!(|this| this.manifests; get, list, objects, call, http, send, image, namespace);

    fn global_context(&self, name: &str, projection: &str) -> Result<Value, LookupError> {
        if name != ENTRY {
            return self.manifests.global_context(name, projection);
        }
        if projection == WHOLE {
            return Ok(Value::Bool(self.manifests.is_whole()));
        }
        let (projection, nearby) = match projection.strip_suffix(NEARBY) {
            Some(projection) => (projection, true),
            None => (projection, false),
        };
        let (kind, namespace) = projection.split_once('/').unwrap_or((projection, ""));
        let all = self.manifests.neighbourhood();
        if CLUSTER_WIDE.contains(&kind) {
            return Ok(all.list(kind, |_| true));
        }
        let own = all.folders.place(self.document);
        let asked = if namespace == &*self.namespace || namespace.is_empty() {
            own
        } else {
            Place { namespaces: vec![namespace.into()], ..own }
        };
        Ok(all.list(kind, |place| place.meets(&asked) && (!nearby || place.group == asked.group)))
    }
}

#[cfg(test)]
mod tests {
    use palisade_document::{Limits, parse};

    use super::*;

    fn documents(files: &[(&str, &str)]) -> Vec<Document> {
        files.iter().flat_map(|(name, text)| parse(name, text.as_bytes(), &Limits::default()).documents).collect()
    }

    const POLICY: &str = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: deny}}";
    const WEB: &str = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}}";

    /// How many policies stand beside the workload of the first file.
    fn beside(files: &[(&str, &str)]) -> usize {
        let documents = documents(files);
        let all = Neighbourhood::of(documents.iter());
        let own = all.folders.place(&documents[0]);
        all.list("networkpolicies", |place| place.meets(&own)).as_array().unwrap().len()
    }

    #[test]
    fn an_unknown_namespace_ends_with_the_folder() {
        assert_eq!(beside(&[("a/web.yaml", WEB), ("a/deny.yaml", POLICY)]), 1);
        assert_eq!(beside(&[("a/web.yaml", WEB), ("b/deny.yaml", POLICY)]), 0);
        let written = POLICY.replace("name: deny", "name: deny, namespace: shop");
        assert_eq!(beside(&[("a/web.yaml", WEB), ("b/deny.yaml", &written)]), 0);
    }

    #[test]
    fn a_kustomization_joins_folders_and_sets_the_namespace() {
        let overlay = ("over/kustomization.yaml", "resources: [../base, deny.yaml]");
        let base = ("base/kustomization.yaml", "{namespace: inner, resources: [web.yaml]}");
        assert_eq!(beside(&[("base/web.yaml", WEB), ("over/deny.yaml", POLICY), overlay]), 0);
        assert_eq!(beside(&[("base/web.yaml", WEB), ("over/deny.yaml", POLICY), overlay, base]), 1);
        let set =
            |name, namespace: &str| (name, format!("{{namespace: {namespace}, resources: [web.yaml, deny.yaml]}}"));
        let ((a, one), (b, two)) = (set("a/kustomization.yaml", "team-a"), set("b/kustomization.yaml", "team-b"));
        assert_eq!(beside(&[("a/web.yaml", WEB), ("b/deny.yaml", POLICY), (a, &one), (b, &two)]), 0);
        assert_eq!(beside(&[("a/web.yaml", WEB), ("b/deny.yaml", POLICY), (a, &one), (b, &one)]), 1);
    }

    #[test]
    fn what_a_kustomization_generates_is_there() {
        let documents = documents(&[("a/kustomization.yaml", "configMapGenerator: [{name: settings}]")]);
        let all = Neighbourhood::of(documents.iter());
        let names = all.list("configmaps", |_| true);
        assert_eq!(names.as_array().unwrap()[0].dig(["metadata", "name"]).and_then(Value::as_str), Some("settings"));
    }
}
