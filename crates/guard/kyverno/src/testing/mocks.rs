//! What a test puts in place of a cluster, of services and of registries: `context`, `clusterResources`,
//! `apiCallResponses` and `globalContextEntries`.

use jiff::Timestamp;
use palisade_document::Document;
use palisade_jmespath::project;
use palisade_model::{Diagnostic, Map, Str, Value};

use super::Files;
use super::codes;
use super::manifest::Manifest;
use super::material::one;
use super::objects::loaded;
use super::surroundings::{Answer, Surroundings};

type Filling = Result<(), Box<Diagnostic>>;

/// Fills the surroundings with the test's mocks.
pub(super) fn fill(surroundings: &mut Surroundings, manifest: &Manifest, files: &dyn Files) -> Filling {
    if let Some(path) = &manifest.context {
        fill_context(surroundings, &one(files, path)?.object);
    }
    for path in &manifest.cluster_resources {
        fill_cluster(surroundings, &one(files, path)?.object, files)?;
    }
    for (position, entry) in manifest.api_calls.iter().enumerate() {
        fill_call(surroundings, position, entry)?;
    }
    for entry in &manifest.global_context {
        fill_global(surroundings, entry, files)?;
    }
    Ok(())
}

fn list<'a>(value: &'a Value, keys: [&str; 2]) -> &'a [Value] {
    value.dig(keys).and_then(Value::as_array).unwrap_or_default()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default().trim()
}

fn invalid(message: String) -> Diagnostic {
    Diagnostic::error(codes::INVALID_MOCK, message)
}

/// A file of kind `Context`: objects and image data.
fn fill_context(surroundings: &mut Surroundings, context: &Value) {
    surroundings.objects.extend(list(context, ["spec", "resources"]).iter().cloned());
    for image in list(context, ["spec", "images"]) {
        surroundings.images.insert(text(image, "image").to_owned(), image.clone());
    }
}

/// A file of kind `ClusterResource`: objects of a cluster, and definitions of its kinds.
fn fill_cluster(surroundings: &mut Surroundings, cluster: &Value, files: &dyn Files) -> Filling {
    surroundings.live = true;
    surroundings.objects.extend(list(cluster, ["spec", "resources"]).iter().cloned());
    for path in list(cluster, ["spec", "crds"]).iter().filter_map(Value::as_str) {
        for document in files.read(path).map_err(Box::new)? {
            let names = |key| document.value.dig(["spec", "names", key]).and_then(Value::as_shared_str).cloned();
            if let (Some(kind), Some(plural)) = (names("kind"), names("plural")) {
                surroundings.plurals.insert(kind, plural);
            }
            surroundings.objects.push(document.value);
        }
    }
    Ok(())
}

fn fill_call(surroundings: &mut Surroundings, position: usize, entry: &Value) -> Filling {
    let bad = |what: &str| Box::new(invalid(format!("`apiCallResponses[{position}]` {what}")));
    let url = match (text(entry, "url"), text(entry, "urlPath")) {
        ("", "") => return Err(bad("needs `url` or `urlPath`")),
        (url, "") if url.starts_with("http://") || url.starts_with("https://") => url,
        (_, "") => return Err(bad("needs a `url` that begins with http:// or https://")),
        ("", path) if path.starts_with('/') => path,
        ("", _) => return Err(bad("needs a `urlPath` that begins with `/`")),
        _ => return Err(bad("has both `url` and `urlPath`; keep one")),
    };
    let method = text(entry, "method").to_uppercase();
    if !matches!(&*method, "" | "GET" | "POST") {
        return Err(bad("needs GET or POST as `method`"));
    }
    let body = entry.dig(["response", "body"]).filter(|body| body.as_object().is_some());
    let status = entry.dig(["response", "statusCode"]).and_then(Value::as_i64).unwrap_or(200);
    let status = u16::try_from(status).ok().filter(|status| matches!(status, 0 | 100..=599));
    let (Some(body), Some(status)) = (body, status) else {
        return Err(bad("needs an object as `response.body` and a `statusCode` between 100 and 599"));
    };
    let answer = Answer { status: if status == 0 { 200 } else { status }, body: body.clone() };
    let key = if method.is_empty() { url.to_owned() } else { format!("{method}:{url}") };
    match surroundings.calls.insert(key, answer) {
        None => Ok(()),
        Some(_) => Err(bad("repeats an earlier entry; keep one per method and address")),
    }
}

fn fill_global(surroundings: &mut Surroundings, entry: &Value, files: &dyn Files) -> Filling {
    let name = text(entry, "name");
    let bad = |what: &str| Box::new(invalid(format!("`globalContextEntries` entry `{name}` {what}")));
    let data = entry.get("data").filter(|data| !data.is_null());
    let root = match (data, entry.get("resources"), entry.get("resourceFiles")) {
        (Some(data), None, None) => data.clone(),
        (None, Some(resources), None) => resources.clone(),
        (None, None, Some(paths)) => resources_of(paths, files)?,
        _ => return Err(bad("needs one of `data`, `resources` and `resourceFiles`")),
    };
    let search = |path: &str, root: &Value| {
        let found = project(path, root, Timestamp::UNIX_EPOCH);
        found.map_err(|error| bad(&format!("has the path `{path}`: {error}")))
    };
    let root = match text(entry, "fieldPath") {
        "" => root,
        path => search(path, &root)?,
    };
    let projections = entry.get("projections").and_then(Value::as_array).unwrap_or_default();
    let value = if projections.is_empty() {
        root
    } else {
        let mut map = Map::new();
        for projection in projections {
            map.insert(Str::from(text(projection, "name")), search(text(projection, "path"), &root)?);
        }
        Value::object(map)
    };
    match surroundings.global.insert(name.to_owned(), value) {
        None if !name.is_empty() => Ok(()),
        _ => Err(bad("needs a name of its own")),
    }
}

fn resources_of(paths: &Value, files: &dyn Files) -> Result<Value, Box<Diagnostic>> {
    let mut objects = Vec::new();
    for path in paths.as_array().unwrap_or_default().iter().filter_map(Value::as_str) {
        let documents = files.read(path).map_err(Box::new)?;
        let resources = documents.into_iter().map(Document::into_resource);
        objects.extend(resources.map(|resource| loaded(resource).resource.object));
    }
    Ok(objects.into())
}
