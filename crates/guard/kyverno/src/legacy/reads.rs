//! What a policy reads beside the desired state of the object: its look-ups by what names them, its queries by their syntax
//! trees, its patterns by their keys.
//!
//! Deliberately absent: what selectors of namespaces and `cel` rules read, which is noted where these are read.

use palisade_jmespath::Query;
use palisade_model::Value;
use palisade_policy::Reads;

use super::variables::Queries;

/// Of a context entry whose source is `key`.
pub(crate) fn of_entry(key: &str, source: &Value, reads: &mut Reads) {
    if let Some(text) = source.get("jmesPath").and_then(Value::as_str) {
        match Query::parse(text) {
            Ok(query) => query.paths().iter().flatten().for_each(|name| reads.name(name)),
            Err(_) => reads.field([]),
        }
    }
    match key {
        "variable" => {}
        "configMap" => reads.look_up("ConfigMap"),
        "apiCall" => match source.get("urlPath").and_then(Value::as_str).and_then(resource_of) {
            Some(resource) if source.get("method").is_none_or(|method| method.as_str() == Some("GET")) => {
                reads.look_up(resource);
            }
            _ => reads.look_up_anything(),
        },
        _ => reads.look_up_anything(),
    }
}

/// Of what a generate rule creates: the objects that it copies.
pub(crate) fn of_pattern(pattern: &Value, reads: &mut Reads) {
    if pattern.get("clone").is_some() {
        reads.look_up(pattern.get("kind").and_then(Value::as_str).unwrap_or_default());
    }
    for kind in pattern.dig(["cloneList", "kinds"]).and_then(Value::as_array).unwrap_or_default() {
        let kind = kind.as_str().unwrap_or_default();
        reads.look_up(kind.rsplit_once('/').map_or(kind, |(_, kind)| kind));
    }
}

/// Of queries, and of the document that they stand in.
pub(super) fn of_document(document: &Value, queries: &Queries, reads: &mut Reads) {
    queries.iter().for_each(|query| of_query(query, reads));
    of_value(document, reads);
}

fn of_query(query: &Query, reads: &mut Reads) {
    for path in query.paths() {
        match &path[..] {
            ["request", "object" | "oldObject", names @ ..] | ["target", names @ ..] => {
                reads.field(names.iter().copied());
            }
            ["request" | "@"] => reads.field([]),
            names => names.iter().for_each(|name| reads.name(name)),
        }
    }
}

/// Keys of patterns, without their anchors, and variables that are only known once others are.
fn of_value(value: &Value, reads: &mut Reads) {
    match value {
        Value::Object(map) => {
            for (key, value) in map.iter() {
                let bare = key.trim_end_matches(')').rsplit('(').next().unwrap_or_default();
                reads.name(bare);
                if is_nested(key) {
                    reads.field([]);
                }
                of_value(value, reads);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| of_value(item, reads)),
        Value::String(text) if is_nested(text) => reads.field([]),
        _ => {}
    }
}

/// Whether a variable holds another.
fn is_nested(text: &str) -> bool {
    let mut depth = 0_usize;
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let after = rest.get(at..).unwrap_or_default();
        let (token, opens) = if after.starts_with("{{") { (2, true) } else { (1, false) };
        if opens {
            depth += 1;
        } else if after.starts_with("}}") {
            depth = depth.saturating_sub(1);
        }
        if depth > 1 {
            return true;
        }
        rest = after.get(if after.starts_with("}}") { 2 } else { token }..).unwrap_or_default();
    }
    false
}

/// The resource that a path of the API server is about; none where that is not written out.
fn resource_of(path: &str) -> Option<&str> {
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let (["api", _, rest @ ..] | ["apis", _, _, rest @ ..]) = &parts[..] else { return None };
    match rest {
        ["namespaces", _, resource, ..] | [resource, ..] => Some(*resource).filter(|part| !part.contains(['{', '}'])),
        [] => None,
    }
}

#[cfg(test)]
mod tests {
    use palisade_model::json;

    use super::*;

    #[test]
    fn paths_of_the_api_name_their_resource() {
        for (path, resource) in [
            ("/api/v1/namespaces/{{ns}}/configmaps/a", Some("configmaps")),
            ("/apis/networking.k8s.io/v1/ingresses?limit=1", Some("ingresses")),
            ("/api/v1/namespaces/shop", Some("namespaces")),
            ("/api/v1/{{ kind }}", None),
            ("/api/v1/namespaces/{{ split(x, '/')[0] }}/pods", None),
            ("/version", None),
        ] {
            assert_eq!(resource_of(path), resource, "{path}");
        }
    }

    #[test]
    fn queries_and_patterns_tell_which_fields_are_read() {
        let of = |document: &Value| {
            let mut queries = Queries::default();
            queries.add_all(document);
            let mut reads = Reads::nothing();
            of_document(document, &queries, &mut reads);
            (reads.status, reads.server_fields)
        };
        assert_eq!(
            of(&json!({"key": "{{ request.object.spec.status }}", "list": "{{ request.operation }}"})),
            (false, false)
        );
        assert_eq!(of(&json!({"key": "{{ request.object.status.phase || \'\' }}"})), (true, false));
        assert_eq!(of(&json!({"key": "{{ to_string(request.object) }}"})), (true, true));
        assert_eq!(of(&json!({"key": "{{ request.oldObject.metadata.resourceVersion }}"})), (false, true));
        assert_eq!(of(&json!({"pattern": {"=(status)": {"phase": "Running"}}})), (true, false));
        assert_eq!(of(&json!({"key": "{{ request.object.{{ field }} }}"})), (true, true));
        assert_eq!(of(&json!({"key": "{{ element.image }} and {{ images.containers.*.tag }}"})), (false, false));
    }
}
