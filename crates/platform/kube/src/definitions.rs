//! CustomResourceDefinitions of the kinds that Palisade reads and writes, for clusters where nobody else brings them.
//!
//! Where Kyverno, Gatekeeper or a report viewer is installed, its own definitions are used and these are not needed. They
//! are deliberately open: what a policy may say is checked by the engine that judges it, which says on the object what is
//! wrong. Palisade has no kinds of its own.

use palisade_model::{Str, Value};
use serde_json::{Value as Json, json};

use crate::api::value;

/// A kind to define.
struct Definition {
    group: &'static str,
    versions: &'static [&'static str],
    kind: &'static str,
    plural: &'static str,
    namespaced: bool,
    columns: Columns,
}

/// What `kubectl get` shows beside name and age.
#[derive(Clone, Copy)]
enum Columns {
    None,
    Ready,
    ConditionStatus,
    Summary,
}

const fn of(
    group: &'static str,
    versions: &'static [&'static str],
    kind: &'static str,
    plural: &'static str,
    namespaced: bool,
    columns: Columns,
) -> Definition {
    Definition { group, versions, kind, plural, namespaced, columns }
}

const KYVERNO: &[Definition] = &[
    of("kyverno.io", &["v1"], "ClusterPolicy", "clusterpolicies", false, Columns::Ready),
    of("kyverno.io", &["v1"], "Policy", "policies", true, Columns::Ready),
    of("kyverno.io", &["v2"], "PolicyException", "policyexceptions", true, Columns::None),
    of("kyverno.io", &["v2"], "ClusterCleanupPolicy", "clustercleanuppolicies", false, Columns::Ready),
    of("kyverno.io", &["v2"], "CleanupPolicy", "cleanuppolicies", true, Columns::Ready),
    of("kyverno.io", &["v2alpha1"], "GlobalContextEntry", "globalcontextentries", false, Columns::Ready),
    of("policies.kyverno.io", CEL, "ValidatingPolicy", "validatingpolicies", false, Columns::ConditionStatus),
    of("policies.kyverno.io", CEL, "MutatingPolicy", "mutatingpolicies", false, Columns::ConditionStatus),
    of("policies.kyverno.io", CEL, "GeneratingPolicy", "generatingpolicies", false, Columns::ConditionStatus),
    of("policies.kyverno.io", CEL, "DeletingPolicy", "deletingpolicies", false, Columns::ConditionStatus),
    of("policies.kyverno.io", CEL, "ImageValidatingPolicy", "imagevalidatingpolicies", false, Columns::ConditionStatus),
    of("policies.kyverno.io", CEL, "PolicyException", "policyexceptions", true, Columns::None),
];

/// The newest version is stored.
const CEL: &[&str] = &["v1", "v1beta1", "v1alpha1"];

const GATEKEEPER: &[Definition] = &[
    of(
        "templates.gatekeeper.sh",
        &["v1", "v1beta1", "v1alpha1"],
        "ConstraintTemplate",
        "constrainttemplates",
        false,
        Columns::Ready,
    ),
    of("config.gatekeeper.sh", &["v1alpha1"], "Config", "configs", true, Columns::None),
    of("syncset.gatekeeper.sh", &["v1alpha1"], "SyncSet", "syncsets", false, Columns::None),
    of(
        "expansion.gatekeeper.sh",
        &["v1beta1", "v1alpha1"],
        "ExpansionTemplate",
        "expansiontemplate",
        false,
        Columns::Ready,
    ),
    of("mutations.gatekeeper.sh", MUTATION, "Assign", "assign", false, Columns::Ready),
    of("mutations.gatekeeper.sh", MUTATION, "AssignImage", "assignimage", false, Columns::Ready),
    of("mutations.gatekeeper.sh", MUTATION, "AssignMetadata", "assignmetadata", false, Columns::Ready),
    of("mutations.gatekeeper.sh", MUTATION, "ModifySet", "modifyset", false, Columns::Ready),
];

const MUTATION: &[&str] = &["v1", "v1beta1", "v1alpha1"];

const REPORTS: &[Definition] = &[
    of("wgpolicyk8s.io", &["v1alpha2"], "PolicyReport", "policyreports", true, Columns::Summary),
    of("wgpolicyk8s.io", &["v1alpha2"], "ClusterPolicyReport", "clusterpolicyreports", false, Columns::Summary),
];

/// Kyverno's kinds, both generations.
pub fn kyverno() -> Vec<Value> {
    KYVERNO.iter().map(Definition::render).collect()
}

/// Gatekeeper's kinds; those of constraints follow from their templates, see [`constraint`].
pub fn gatekeeper() -> Vec<Value> {
    GATEKEEPER.iter().map(Definition::render).collect()
}

/// The kinds of reports of the policy working group.
pub fn reports() -> Vec<Value> {
    REPORTS.iter().map(Definition::render).collect()
}

impl Definition {
    fn render(&self) -> Value {
        let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        let mut properties = json!({"spec": open, "status": open});
        if matches!(self.columns, Columns::Summary) {
            let any = json!({"type": "array", "items": open});
            properties = json!({"scope": open, "scopeSelector": open, "summary": open, "source": {"type": "string"}, "results": any});
        }
        let schema = json!({"type": "object", "properties": properties});
        let version = |(at, name): (usize, &&str)| {
            let mut version = json!({
                "name": name,
                "served": true,
                "storage": at == 0,
                "schema": {"openAPIV3Schema": schema},
                "additionalPrinterColumns": self.columns.render(),
            });
            if !matches!(self.columns, Columns::Summary)
                && let Some(members) = version.as_object_mut()
            {
                members.insert("subresources".into(), json!({"status": {}}));
            }
            version
        };
        let versions: Vec<Json> = self.versions.iter().enumerate().map(version).collect();
        value(&definition(self.group, self.kind, self.plural, self.namespaced, &versions))
    }
}

impl Columns {
    fn render(self) -> Json {
        let column = |name: &str, kind: &str, path: &str| json!({"name": name, "type": kind, "jsonPath": path});
        let age = column("Age", "date", ".metadata.creationTimestamp");
        let shown = match self {
            Self::None => Vec::new(),
            Self::Ready => vec![
                column("Ready", "string", ".status.conditions[?(@.type==\"Ready\")].status"),
                column("Message", "string", ".status.conditions[?(@.type==\"Ready\")].message"),
            ],
            Self::ConditionStatus => vec![
                column("Ready", "boolean", ".status.conditionStatus.ready"),
                column("Message", "string", ".status.conditionStatus.message"),
            ],
            Self::Summary => ["pass", "fail", "warn", "error", "skip"]
                .map(|verdict| column(&capitalized(verdict), "integer", &format!(".summary.{verdict}")))
                .to_vec(),
        };
        Json::Array(shown.into_iter().chain([age]).collect())
    }
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

fn definition(group: &str, kind: &str, plural: &str, namespaced: bool, versions: &[Json]) -> Json {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{group}"), "labels": {"app.kubernetes.io/managed-by": "palisade"}},
        "spec": {
            "group": group,
            "names": {
                "kind": kind,
                "listKind": format!("{kind}List"),
                "plural": plural,
                "singular": kind.to_lowercase(),
            },
            "scope": if namespaced { "Namespaced" } else { "Cluster" },
            "versions": versions,
        },
    })
}

/// The definition of the constraints of a template: its parameters checked by the template's own schema, named and grouped
/// as Gatekeeper does, owned by the template. `None` where the template names no kind.
pub fn constraint(template: &Value) -> Option<Value> {
    let spec = template.dig(["spec", "crd", "spec"])?;
    let kind = spec.dig(["names", "kind"])?.as_str()?;
    let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let schema = spec.dig(["validation", "openAPIV3Schema"]);
    // A schema of the beta versions need not be structural, and then the API server would refuse all of it.
    let legacy = spec.dig(["validation", "legacySchema"]).and_then(Value::as_bool).unwrap_or(false);
    let structural = schema.filter(|schema| !legacy && schema.get("type").is_some());
    let parameters = structural.and_then(|schema| serde_json::to_value(schema).ok()).unwrap_or_else(|| open.clone());
    let properties = json!({
        "metadata": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 63}}},
        "spec": {
            "type": "object",
            "properties": {
                "enforcementAction": {"type": "string"},
                "scopedEnforcementActions": {"type": "array", "items": open},
                "match": open,
                "parameters": parameters,
            },
        },
        "status": open,
    });
    let mut columns = Columns::Ready.render();
    if let Some(columns) = columns.as_array_mut() {
        let action = json!({"name": "Enforcement-Action", "type": "string", "jsonPath": ".spec.enforcementAction"});
        columns.insert(0, action);
    }
    let version = json!({
        "name": "v1beta1",
        "served": true,
        "storage": true,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": properties}},
        "subresources": {"status": {}},
        "additionalPrinterColumns": columns,
    });
    let mut crd = definition("constraints.gatekeeper.sh", kind, &kind.to_lowercase(), false, &[version]);
    let text = |keys: [&str; 2]| template.dig(keys).and_then(Value::as_str).unwrap_or_default();
    let owner = json!([{
        "apiVersion": template.get("apiVersion").and_then(Value::as_str).unwrap_or_default(),
        "kind": "ConstraintTemplate",
        "name": text(["metadata", "name"]),
        "uid": text(["metadata", "uid"]),
    }]);
    let metadata = crd.get_mut("metadata").and_then(Json::as_object_mut)?;
    metadata.insert("ownerReferences".into(), owner);
    metadata.insert(
        "labels".into(),
        json!({"app.kubernetes.io/managed-by": "palisade", "gatekeeper.sh/constraint": "yes"}),
    );
    crd.pointer_mut("/spec/names")?.as_object_mut()?.insert("categories".into(), json!(["constraint", "constraints"]));
    Some(value(&crd))
}

/// The name of a definition.
pub fn name_of(definition: &Value) -> Option<&Str> {
    definition.dig(["metadata", "name"])?.as_shared_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_resource_and_group_and_one_version_is_stored() {
        for definition in kyverno().into_iter().chain(gatekeeper()).chain(reports()) {
            let text = |keys: [&str; 3]| definition.dig(keys).and_then(Value::as_str).unwrap_or_default().to_owned();
            let group = definition.dig(["spec", "group"]).and_then(Value::as_str).unwrap_or_default();
            assert_eq!(&**name_of(&definition).unwrap(), format!("{}.{group}", text(["spec", "names", "plural"])));
            let versions = definition.dig(["spec", "versions"]).and_then(Value::as_array).unwrap();
            assert_eq!(versions.iter().filter(|one| one.get("storage") == Some(&Value::Bool(true))).count(), 1);
        }
    }

    #[test]
    fn a_constraint_is_checked_by_the_schema_of_its_template() {
        let template = |validation: &str| {
            let text = format!(
                r#"{{"apiVersion":"templates.gatekeeper.sh/v1","metadata":{{"name":"needs","uid":"u"}},
                    "spec":{{"crd":{{"spec":{{"names":{{"kind":"Needs"}},"validation":{validation}}}}}}}}}"#
            );
            constraint(&Value::from_json(&text).unwrap()).unwrap()
        };
        let parameters = |crd: &Value| {
            let version = crd.dig(["spec", "versions"]).and_then(|all| all.at(0)).unwrap().clone();
            let schema = version.dig(["schema", "openAPIV3Schema", "properties", "spec", "properties", "parameters"]);
            schema.unwrap().to_json()
        };
        let structural = template(r#"{"openAPIV3Schema":{"type":"object","properties":{"labels":{"type":"array"}}}}"#);
        assert_eq!(&**name_of(&structural).unwrap(), "needs.constraints.gatekeeper.sh");
        assert!(parameters(&structural).contains("labels"));
        let loose = template(r#"{"openAPIV3Schema":{"properties":{"labels":{"type":"array"}}}}"#);
        assert!(parameters(&loose).contains("preserve-unknown-fields"));
        assert!(constraint(&Value::from_json("{}").unwrap()).is_none());
    }
}
