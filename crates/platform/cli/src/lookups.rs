//! The surroundings of a check without a cluster: the manifests that are checked together, and nothing else.
//!
//! A ConfigMap or Namespace that ships in the same folder can be looked up by a policy. Whatever is not among the
//! manifests may still exist in the cluster, so its absence is never reported as "not found" but as unavailable. A list of
//! objects holds those among the manifests, which is told; where none is, it is unavailable as well. A
//! policy that wants to know just what is among them asks for the global context entry `manifests`, with
//! `PLURAL/NAMESPACE` as the projection. What writes no namespace is in `default`, as where it is judged.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use palisade_document::Document;
use palisade_document::kind::kubernetes::is_object;
use palisade_intake::Input;
use palisade_model::{Diagnostic, GroupVersionKind, Level, Map, Resource, Str, Value, resource::plural};
use palisade_policy::lookups::DEFAULT_NAMESPACE;
use palisade_policy::{Address, ApiCall, LookupError, Lookups, Namespace, ObjectQuery, Offline, forward_lookups};
use palisade_runtime::{Network, http};

use crate::beside::Neighbourhood;
use crate::command::codes;

/// The global context entry that stands for the checked manifests.
pub(crate) const ENTRY: &str = "manifests";

/// The checked objects.
#[derive(Debug, Default)]
struct Objects {
    /// By plural resource name, namespace and name.
    by_name: HashMap<(Str, Str, Str), Value>,
    /// By what they stand beside.
    neighbourhood: Neighbourhood,
    /// All of them, as one array.
    all: Value,
    /// Plural resource name and namespace of each.
    places: Vec<(Str, Str)>,
}

impl Objects {
    /// The objects of `documents`, each in the namespace that `placed` finds for it.
    fn of(documents: &[Document], placed: impl Fn(&Resource) -> Str) -> Self {
        let mut objects = Self { neighbourhood: Neighbourhood::of(documents.iter()), ..Self::default() };
        let mut all = Vec::new();
        for document in documents.iter().filter(|document| is_object(&document.value)) {
            let resource = document.resource();
            all.push(resource.object.clone());
            let kind: Str = plural(resource.kind()).into();
            let namespace = placed(&resource);
            objects.places.push((kind.clone(), namespace.clone()));
            if let Some(name) = resource.object.dig(["metadata", "name"]).and_then(Value::as_shared_str) {
                objects.by_name.insert((kind, namespace, name.clone()), resource.object.clone());
            }
        }
        objects.all = Value::array(all);
        objects
    }
}

/// The checked inputs as surroundings. They are only read for this when a policy first looks something up, because
/// most policies never do and holding every document would cost the memory of all of them.
#[derive(Debug)]
pub(crate) struct ManifestLookups<'a> {
    inputs: &'a [Input],
    network: &'a Network,
    /// Whether everything was given that there is, so that absence means something.
    whole: bool,
    objects: OnceLock<Objects>,
    /// Group and kind of what the custom resource definitions among the inputs define without a namespace.
    cluster_scoped: OnceLock<HashSet<(Str, Str)>>,
    /// Namespaces that were asked for and are not among the manifests.
    unknown: Mutex<BTreeSet<Str>>,
    /// Collections that policies listed, of which others may be in the cluster.
    listed: Mutex<BTreeSet<String>>,
}

/// The kind of what defines custom kinds.
const DEFINITION: &str = "CustomResourceDefinition";

impl<'a> ManifestLookups<'a> {
    /// The objects of `inputs`, and the hosts that policies may reach.
    pub(crate) fn new(inputs: &'a [Input], network: &'a Network) -> Self {
        Self {
            inputs,
            network,
            objects: OnceLock::new(),
            cluster_scoped: OnceLock::new(),
            unknown: Mutex::default(),
            listed: Mutex::default(),
            whole: true,
        }
    }

    /// Whether objects of the kind are in namespaces. A custom kind is, unless a definition among the inputs says otherwise.
    pub(crate) fn is_namespaced(&self, kind: &GroupVersionKind) -> bool {
        if kind.is_built_in() || kind.is_cluster_scoped() {
            return !kind.is_cluster_scoped();
        }
        let defined = self.cluster_scoped.get_or_init(|| {
            let definitions = self.inputs.iter().filter(|input| input.mentions(DEFINITION));
            definitions
                .flat_map(|input| input.read().documents)
                .filter_map(|document| cluster_wide(&document.value))
                .collect()
        });
        !defined.contains(&(kind.group.clone(), kind.kind.clone()))
    }

    /// Says what policies looked up of which the manifests may not be all.
    pub(crate) fn told(&self) -> Vec<Diagnostic> {
        self.told_of_lists().into_iter().chain(self.told_of_namespaces()).collect()
    }

    fn told_of_lists(&self) -> Option<Diagnostic> {
        let listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        let first = listed.first()?;
        let more = match listed.len() {
            1 => String::new(),
            number => format!(" and {} more", number - 1),
        };
        let message = format!("policies list {first}{more}, of which only the checked files are known");
        let help = "check all manifests of the cluster together, or give what policies look up with `--values`";
        Some(Diagnostic::new(codes::LISTED_FILES, Level::Note, message).help(help))
    }

    /// Says which namespaces policies asked for of which nothing but the name is known.
    fn told_of_namespaces(&self) -> Option<Diagnostic> {
        let unknown = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        let first = unknown.first()?;
        let more = match unknown.len() {
            1 => String::new(),
            number => format!(" and {} more", number - 1),
        };
        let message = format!("policies ask about namespace `{first}`{more}, of which only the name is known");
        let help = "check the manifest of the Namespace together with these, or give its labels with `--values`";
        Some(Diagnostic::new(codes::UNKNOWN_NAMESPACE, Level::Note, message).help(help))
    }

    /// The same of a run that was given `paths`: where files are named, and others of their folder are not, something is
    /// missing of which nobody can say what it is.
    #[must_use]
    pub(crate) fn given(self, paths: &[PathBuf]) -> Self {
        Self { whole: is_all(paths), ..self }
    }

    /// Whether absence means something: all was given, and that is more than one object.
    pub(crate) fn is_whole(&self) -> bool {
        self.whole && self.neighbourhood().is_more_than_one()
    }

    /// The objects by what they stand beside.
    pub(crate) fn neighbourhood(&self) -> &Neighbourhood {
        &self.objects().neighbourhood
    }

    fn objects(&self) -> &Objects {
        self.objects.get_or_init(|| {
            let documents: Vec<_> = self.inputs.iter().flat_map(|input| input.read().documents).collect();
            Objects::of(&documents, |resource| self.placed(resource))
        })
    }

    /// What may be looked up of an object: as an API server would return it.
    fn stored(object: &Value) -> Value {
        palisade_kubernetes::admitted(object).unwrap_or_else(|| object.clone())
    }

    /// The namespace that an object is in: the one that it writes, `default` where it writes none and its kind has one.
    fn placed(&self, resource: &Resource) -> Str {
        match resource.namespace() {
            "" if resource.gvk().is_some_and(|kind| self.is_namespaced(&kind)) => DEFAULT_NAMESPACE.into(),
            written => written.into(),
        }
    }
}

/// Group and kind of what a definition defines without a namespace.
fn cluster_wide(definition: &Value) -> Option<(Str, Str)> {
    let is = |value: Option<&Value>, wanted: &str| value.and_then(Value::as_str) == Some(wanted);
    let cluster = is(definition.get("kind"), DEFINITION) && is(definition.dig(["spec", "scope"]), "Cluster");
    let group = definition.dig(["spec", "group"])?.as_shared_str()?;
    let kind = definition.dig(["spec", "names", "kind"])?.as_shared_str()?;
    cluster.then(|| (group.clone(), kind.clone()))
}

/// The plural name of what is asked for, by whatever name.
fn resource(query: &ObjectQuery) -> Str {
    let is_kind = query.resource.chars().any(char::is_uppercase);
    if is_kind { plural(&query.resource).into() } else { query.resource.clone() }
}

fn is_of_group(object: &Value, group: &str) -> bool {
    group == "*" || GroupVersionKind::of(object).is_some_and(|of| *of.group == *group)
}

/// Whether nothing is beside the files of `paths` that looks like a manifest and is not among them.
fn is_all(paths: &[PathBuf]) -> bool {
    let given: HashSet<&Path> = paths.iter().map(PathBuf::as_path).collect();
    let mut folders: Vec<&Path> = paths.iter().filter(|path| path.is_file()).filter_map(|path| path.parent()).collect();
    folders.dedup();
    let is_missing = |folder: &Path, path: &Path, name: &Path| {
        let named = if folder.as_os_str().is_empty() { name } else { path };
        !given.contains(named) && !given.contains(path) && is_manifest(path)
    };
    let lacks = |folder: &Path| {
        let entered = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let entries = std::fs::read_dir(entered).into_iter().flatten().flatten();
        entries.into_iter().any(|entry| is_missing(folder, &entry.path(), Path::new(&entry.file_name())))
    };
    given.iter().any(|path| path.is_dir()) || !folders.into_iter().any(lacks)
}

/// Whether a file looks like a manifest by its first bytes.
fn is_manifest(path: &Path) -> bool {
    let named = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
    let mut head = Vec::new();
    let file = named.then(|| std::fs::File::open(path).ok()).flatten();
    file.is_some_and(|file| file.take(4_096).read_to_end(&mut head).is_ok())
        && head.windows(11).any(|window| window == b"apiVersion:")
}

impl Lookups for ManifestLookups<'_> {
    forward_lookups!(|_this| Offline; http, image);

    fn get(&self, query: &ObjectQuery) -> Result<Value, LookupError> {
        let key = (resource(query), query.namespace.clone(), query.name.clone());
        match self.objects().by_name.get(&key).filter(|object| is_of_group(object, &query.group)) {
            Some(object) => Ok(Self::stored(object)),
            None => Offline.get(query),
        }
    }

    /// Those among the manifests. Where none is, there may be some in the cluster: whoever counts them must not hear 0. Nor
    /// does an object that is checked alone stand for a cluster.
    fn list(&self, query: &ObjectQuery) -> Result<Vec<Value>, LookupError> {
        let resource = resource(query);
        let objects = self.objects();
        let all = objects.all.as_array().unwrap_or_default().iter().zip(&objects.places);
        let found: Vec<Value> = all
            .filter(|(_, (kind, _))| *kind == resource)
            .filter(|(_, (_, namespace))| query.namespace.is_empty() || *namespace == query.namespace)
            .filter(|(object, _)| is_of_group(object, &query.group))
            .map(|(object, _)| Self::stored(object))
            .collect();
        if found.is_empty() || !self.neighbourhood().is_more_than_one() {
            return Offline.list(query);
        }
        let place = if query.namespace.is_empty() { String::new() } else { format!(" in `{}`", query.namespace) };
        self.listed.lock().unwrap_or_else(PoisonError::into_inner).insert(format!("`{resource}`{place}"));
        Ok(found)
    }

    /// What an API server answers of its own objects: one of them, or a collection.
    fn call(&self, call: &ApiCall) -> Result<Value, LookupError> {
        let is_read = matches!(&*call.method, "" | "GET");
        let Some(address) = Address::parse(&call.url).filter(|_| is_read) else { return Offline.call(call) };
        let query = ObjectQuery {
            group: address.group.into(),
            version: address.version.into(),
            resource: address.plural.into(),
            namespace: address.namespace.into(),
            name: address.name.into(),
        };
        if !address.name.is_empty() {
            return self.get(&query).or_else(|_| Offline.call(call));
        }
        let items = self.list(&query).or_else(|_| Offline.call(call).map(|_| Vec::new()))?;
        let of = |key: &str| items.first().and_then(|item| item.get(key)).and_then(Value::as_str).unwrap_or_default();
        let mut list = Map::new();
        list.insert("apiVersion", of("apiVersion"));
        list.insert("kind", format!("{}List", of("kind")));
        list.insert("metadata", Map::new());
        list.insert("items", items.clone());
        Ok(list.into())
    }

    /// The manifests are all that is known here.
    fn objects(&self) -> Result<Value, LookupError> {
        Ok(self.objects().all.clone())
    }

    fn send(&self, request: &Value) -> Result<Value, LookupError> {
        http::send::send(request, self.network).map_err(LookupError::Failed)
    }

    /// Every cluster has the namespace `default`, and it carries no labels of interest until somebody adds them.
    fn namespace(&self, name: &str) -> Namespace {
        let found = self.get(&ObjectQuery::namespace(name)).into();
        if !matches!(found, Namespace::Unknown(_)) {
            return found;
        }
        self.unknown.lock().unwrap_or_else(PoisonError::into_inner).insert(name.into());
        if name == DEFAULT_NAMESPACE {
            return Namespace::named(name);
        }
        Namespace::Unknown(LookupError::Unavailable {
            what: format!("namespace `{name}`"),
            remedy: "check its manifest together with these".into(),
        })
    }

    fn global_context(&self, name: &str, projection: &str) -> Result<Value, LookupError> {
        if name != ENTRY {
            return Offline.global_context(name, projection);
        }
        Ok(self.neighbourhood().projected(projection))
    }
}
