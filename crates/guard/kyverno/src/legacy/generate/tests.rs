#![expect(clippy::needless_pass_by_value, reason = "literals read better without a borrow")]

use jiff::Timestamp;
use palisade_model::{Resource, json};
use palisade_policy::{
    AdmissionRequest, Environment, LookupError, Lookups, ObjectQuery, Offline, Operation, Variables, forward_lookups,
};

use super::*;
use crate::legacy::codes;
use crate::legacy::context::Names;
use crate::legacy::spec::{Body, Reader, Rule};
use crate::legacy::variables::Queries;

/// A cluster of a few objects.
struct Objects(Vec<Value>);

impl Objects {
    fn matching<'a>(&'a self, query: &'a ObjectQuery) -> impl Iterator<Item = &'a Value> {
        let is = |object: &Value, path: [&str; 2], text: &str| {
            text.is_empty() || object.dig(path).and_then(Value::as_str) == Some(text)
        };
        self.0.iter().filter(move |object| {
            object.get("kind").and_then(Value::as_str) == Some(&*query.resource)
                && is(object, ["metadata", "namespace"], &query.namespace)
                && is(object, ["metadata", "name"], &query.name)
        })
    }
}

impl Lookups for Objects {
    forward_lookups!(|_this| Offline; objects, call, http, send, global_context, image, namespace);

    fn get(&self, query: &ObjectQuery) -> Result<Value, LookupError> {
        self.matching(query).next().cloned().ok_or_else(|| LookupError::NotFound(query.name.to_string()))
    }

    fn list(&self, query: &ObjectQuery) -> Result<Vec<Value>, LookupError> {
        Ok(self.matching(query).cloned().collect())
    }
}

fn generated(generate: Value, lookups: &dyn Lookups) -> Generated {
    let document = Resource::in_memory(json!({
        "name": "rule",
        "match": {"any": [{"resources": {"kinds": ["Namespace"]}}]},
        "generate": generate
    }));
    let mut reader = Reader::with_codes(&document, codes::READER);
    let node = reader.root();
    let rule = Rule::read(&mut reader, &node).unwrap();
    let Body::Generate(generation) = &rule.body else { panic!("not a generate rule") };
    let trigger = json!({
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": "shop", "annotations": {"teams": "a,b"}}
    });
    let admission = AdmissionRequest::of(&Resource::in_memory(trigger.clone()), Operation::Create);
    let (variables, queries) = (Variables::default(), Queries::default());
    let environment = Environment::new(Timestamp::UNIX_EPOCH, lookups, &variables);
    let names = Names { policy: "policy", namespace: "", rule: "rule" };
    let context = RuleContext::new(names, &admission, &environment, &queries);
    apply_rule(generation, &trigger, &context)
}

fn objects(generate: Value, lookups: &dyn Lookups) -> Vec<Value> {
    let outcome = generated(generate, lookups);
    assert_eq!((outcome.verdict, outcome.message.as_str()), (Verdict::Pass, ""));
    match outcome.effect {
        Effect::Generated(objects) => objects,
        Effect::None => Vec::new(),
        other => panic!("{other:?}"),
    }
}

fn data(synchronize: bool) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap", "name": "defaults", "synchronize": synchronize,
        "namespace": "{{ request.object.metadata.name }}",
        "data": {"metadata": {"labels": {"a": "b"}}, "data": {"of": "{{ request.object.metadata.name }}"}}
    })
}

#[test]
fn data_becomes_an_object_with_identity_and_labels() {
    let [object] = objects(data(false), &Offline).try_into().unwrap();
    let identity: Vec<_> = ["apiVersion", "kind"].iter().filter_map(|key| object.get(key)?.as_str()).collect();
    assert_eq!(identity, ["v1", "ConfigMap"]);
    assert_eq!(object.dig(["metadata", "namespace"]), Some(&Value::from("shop")));
    assert_eq!(object.dig(["data", "of"]), Some(&Value::from("shop")));
    let label = |key: &str| object.dig(["metadata", "labels", key]).and_then(Value::as_str);
    assert_eq!(label("a"), Some("b"));
    assert_eq!(label("app.kubernetes.io/managed-by"), Some("kyverno"));
    assert_eq!(label("generate.kyverno.io/trigger-kind"), Some("Namespace"));
}

#[test]
fn what_exists_is_only_touched_where_it_is_to_be_kept_in_step() {
    let existing =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "defaults", "namespace": "shop"}});
    let cluster = Objects(vec![existing]);
    assert_eq!(objects(data(false), &cluster).len(), 0);
    assert_eq!(objects(data(true), &cluster).len(), 1);
}

#[test]
fn a_clone_leaves_behind_what_the_api_server_wrote() {
    let source = json!({
        "apiVersion": "v1", "kind": "Secret", "data": {"k": "dg=="},
        "metadata": {"name": "regcred", "namespace": "default", "uid": "1", "resourceVersion": "2", "ownerReferences": []}
    });
    let clone = json!({
        "apiVersion": "v1", "kind": "Secret", "name": "regcred", "namespace": "shop",
        "clone": {"namespace": "default", "name": "regcred"}
    });
    let [object] = objects(clone.clone(), &Objects(vec![source])).try_into().unwrap();
    assert_eq!(object.get("data"), Some(&json!({"k": "dg=="})));
    assert_eq!(object.dig(["metadata", "namespace"]), Some(&Value::from("shop")));
    for key in ["uid", "resourceVersion", "ownerReferences"] {
        assert_eq!(object.dig(["metadata", key]), None, "{key}");
    }
    assert_eq!(generated(clone, &Objects(Vec::new())).verdict, Verdict::Error);
}

#[test]
fn a_list_of_kinds_clones_what_its_selector_selects() {
    let object = |kind: &str, name: &str, namespace: &str| json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": namespace, "labels": {"sync": name}}});
    let cluster =
        Objects(vec![object("Secret", "a", "base"), object("Secret", "b", "base"), object("ConfigMap", "a", "base")]);
    let list = json!({
        "namespace": "shop",
        "cloneList": {
            "namespace": "base", "kinds": ["v1/Secret", "v1/ConfigMap"],
            "selector": {"matchLabels": {"sync": "a"}}
        }
    });
    let kinds: Vec<_> =
        objects(list, &cluster).iter().map(|object| Resource::in_memory(object.clone()).to_string()).collect();
    assert_eq!(kinds, ["Secret shop/a", "ConfigMap shop/a"]);
}

#[test]
fn loops_generate_for_each_element_that_meets_the_preconditions() {
    let generate = json!({"foreach": [{
        "list": "request.object.metadata.annotations.teams | split(@, ',')",
        "preconditions": {"any": [{"key": "{{ element }}", "operator": "NotEquals", "value": "a"}]},
        "apiVersion": "v1", "kind": "ConfigMap", "name": "team-{{ element }}", "namespace": "shop",
        "data": {"data": {"index": "{{ elementIndex }}"}}
    }]});
    let [object] = objects(generate, &Offline).try_into().unwrap();
    assert_eq!(object.dig(["metadata", "name"]), Some(&Value::from("team-b")));
    assert_eq!(object.get("data"), Some(&json!({"index": 1})));
}

#[test]
fn an_unset_variable_is_an_error() {
    let generate = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "{{ none }}", "data": {}});
    assert_eq!(generated(generate, &Offline).verdict, Verdict::Error);
}
