//! `images`: the images that a resource names, taken apart.

use palisade_model::image_reference::ImageReference;
use palisade_model::{Map, Path, Segment, Str, Value};

use super::RuleContext;

/// A place of images within objects of a kind.
struct Extractor {
    name: Str,
    fields: Vec<Str>,
    key: Str,
    value: Str,
    jmes_path: Option<Str>,
}

/// The images by group (`containers`, `initContainers`, a custom name) and key; `None` where there are none.
pub(super) fn extract(object: &Value, custom: &Value, context: &RuleContext<'_>) -> Result<Option<Value>, String> {
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
    let mut groups = Map::new();
    for extractor in extractors(kind, custom) {
        let mut found = Map::new();
        walk(object, &extractor, &extractor.fields, &Path::root(), context, &mut found)?;
        if !found.is_empty() {
            groups.insert(extractor.name.clone(), found);
        }
    }
    Ok((!groups.is_empty()).then(|| Value::object(groups)))
}

fn extractors(kind: &str, custom: &Value) -> Vec<Extractor> {
    if let Some(configured) = custom.get(kind).and_then(Value::as_array) {
        return configured.iter().filter_map(configured_extractor).collect();
    }
    let prefix: &[&str] = match kind {
        "Pod" => &["spec"],
        "CronJob" => &["spec", "jobTemplate", "spec", "template", "spec"],
        "DaemonSet" | "Deployment" | "ReplicaSet" | "ReplicationController" | "StatefulSet" | "Job" => {
            &["spec", "template", "spec"]
        }
        _ => return Vec::new(),
    };
    let standard = |group: &str| Extractor {
        name: group.into(),
        fields: prefix.iter().copied().chain([group, "*"]).map(Str::from).collect(),
        key: "name".into(),
        value: "image".into(),
        jmes_path: None,
    };
    ["initContainers", "containers", "ephemeralContainers"].map(standard).into()
}

fn configured_extractor(config: &Value) -> Option<Extractor> {
    let text = |key: &str| config.get(key).and_then(Value::as_shared_str).filter(|text| !text.is_empty()).cloned();
    let path = text("path")?;
    let mut fields: Vec<Str> = path.split('/').map(str::trim).filter(|part| !part.is_empty()).map(Str::from).collect();
    let value = match text("value") {
        Some(value) => value,
        None => fields.pop()?,
    };
    Some(Extractor {
        name: text("name").unwrap_or_else(|| "custom".into()),
        fields,
        key: text("key").unwrap_or_default(),
        value,
        jmes_path: text("jmesPath"),
    })
}

fn walk(
    value: &Value,
    extractor: &Extractor,
    fields: &[Str],
    path: &Path,
    context: &RuleContext<'_>,
    found: &mut Map,
) -> Result<(), String> {
    context.spend(1).map_err(|error| error.to_string())?;
    let Some((field, rest)) = fields.split_first() else {
        return take(value, extractor, path, context, found);
    };
    match value {
        Value::Null => Ok(()),
        Value::Array(items) if &**field == "*" => {
            for (index, item) in items.iter().enumerate() {
                // A list in a list is gone through in the same way.
                let below = if item.as_array().is_some() { fields } else { rest };
                if item.as_array().is_some() || item.as_object().is_some() {
                    walk(item, extractor, below, &path.child(Segment::Index(index)), context, found)?;
                }
            }
            Ok(())
        }
        Value::Object(map) if &**field == "*" => {
            for (key, item) in map.iter().filter(|(_, item)| item.as_array().is_some() || item.as_object().is_some()) {
                walk(item, extractor, rest, &path.child(&**key), context, found)?;
            }
            Ok(())
        }
        Value::Object(map) => {
            let below = map.get(field).unwrap_or(&Value::Null);
            walk(below, extractor, rest, &path.child(&**field), context, found)
        }
        _ => Err("invalid image config".into()),
    }
}

fn take(
    value: &Value,
    extractor: &Extractor,
    path: &Path,
    context: &RuleContext<'_>,
    found: &mut Map,
) -> Result<(), String> {
    if value.is_null() {
        return Ok(());
    }
    let map = value.as_object().ok_or("invalid image config")?;
    let pointer = format!("{}/{}", pointer(path), extractor.value);
    let key = if extractor.key.is_empty() {
        Str::from(&*pointer)
    } else {
        map.get(&extractor.key).and_then(Value::as_shared_str).cloned().ok_or("invalid key")?
    };
    let image = map.get(&extractor.value).and_then(Value::as_str).filter(|image| !image.trim().is_empty());
    let Some(image) = image else { return Ok(()) };
    let image = match &extractor.jmes_path {
        None => image.to_owned(),
        Some(query) => match context.query_value(query, &Value::from(image)) {
            Ok(Value::String(text)) => text.to_string(),
            Ok(other) => return Err(format!("jmespath {query} must produce a string, but produced {other}")),
            Err(error) => return Err(format!("failed to apply jmespath {query}: {error}")),
        },
    };
    let reference = ImageReference::parse(&image).map_err(|reason| format!("invalid image '{image}' ({reason})"))?;
    let mut info = reference.to_map();
    info.insert("jsonPointer", pointer);
    found.insert(key, info);
    Ok(())
}

fn pointer(path: &Path) -> String {
    let segment = |segment: &Segment| match segment {
        Segment::Key(key) => format!("/{key}"),
        Segment::Index(index) => format!("/{index}"),
    };
    path.0.iter().map(segment).collect()
}
