//! The schema of a whole constraint: Gatekeeper's own fields around the parameters of the template.

use palisade_gotext::go_regex;
use palisade_model::Value;

use super::{Additional, Schema};

/// Names of namespaces and objects with an optional star in front or behind.
const WILDCARD: &str = r"^\*?[-:a-z0-9]*\*?$";

/// The schema of a constraint whose parameters are described by `parameters`; `None` where the template declares none.
pub(crate) fn constraint_schema(parameters: Option<Schema>) -> Schema {
    let point = Schema::object(vec![("name", Schema::string())]);
    let scoped = Schema::object(vec![("action", Schema::string()), ("enforcementPoints", Schema::array(point))]);
    let action = Schema { default: Some(Value::from("deny")), ..Schema::string() };
    let mut spec = Schema::object(vec![
        ("match", match_schema()),
        ("enforcementAction", action),
        ("scopedEnforcementActions", Schema::array(scoped)),
    ]);
    spec.properties.extend(parameters.map(|schema| ("parameters".into(), schema)));
    let name = Schema {
        sizes: [super::Bounds { least: None, most: Some(63) }, <_>::default(), <_>::default()],
        ..Schema::string()
    };
    let metadata = Schema { preserve_unknown: true, ..Schema::object(vec![("name", name)]) };
    Schema::object(vec![
        ("apiVersion", Schema::string()),
        ("kind", Schema::string()),
        ("metadata", metadata),
        ("spec", spec),
        ("status", Schema::anything()),
    ])
}

fn match_schema() -> Schema {
    let texts = || Schema::array(Schema { nullable: true, ..Schema::string() });
    let wildcard = || Schema { pattern: go_regex::compile(WILDCARD).ok(), ..Schema::string() };
    Schema::object(vec![
        ("kinds", Schema::array(Schema::object(vec![("apiGroups", texts()), ("kinds", texts())]))),
        ("namespaces", Schema::array(wildcard())),
        ("excludedNamespaces", Schema::array(wildcard())),
        ("labelSelector", selector_schema()),
        ("namespaceSelector", selector_schema()),
        ("scope", Schema::string()),
        ("source", Schema::one_text_of(&["All", "Generated", "Original"])),
        ("name", wildcard()),
    ])
}

fn selector_schema() -> Schema {
    let expression = Schema {
        required: vec!["key".into(), "operator".into()],
        ..Schema::object(vec![
            ("key", Schema::string()),
            ("operator", Schema::string()),
            ("values", Schema::array(Schema::string())),
        ])
    };
    let labels = Schema { additional: Additional::Of(Box::new(Schema::string())), ..Schema::object(Vec::new()) };
    Schema::object(vec![("matchLabels", labels), ("matchExpressions", Schema::array(expression))])
}
