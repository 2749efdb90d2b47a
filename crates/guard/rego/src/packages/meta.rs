//! What a package and its rules say of themselves, from metadata annotations
//! (<https://www.openpolicyagent.org/docs/policy-language#metadata>).
//!
//! `title`, `description` are OPA's own; `custom.severity`, `custom.remediation`, `custom.controls` (a list of
//! `framework:id`) and `custom.id` are what policy libraries agree on.

use std::sync::Arc;

use palisade_model::{Control, Location, Str, Value};
use palisade_policy::PolicyMeta;

use crate::syntax::ast::{Annotation, Module, Scope};

/// The metadata of the rule at `index` of a module over that of its package; both are at `location`.
pub(super) fn of_rule(module: &Module, index: usize, package: &PolicyMeta, location: Location) -> Arc<PolicyMeta> {
    let about = |annotation: &&Annotation| {
        annotation.rule == Some(index) && matches!(annotation.scope, Scope::Rule | Scope::Document)
    };
    let own: Vec<_> = module.annotations.iter().filter(about).map(|annotation| &annotation.value).collect();
    Arc::new(PolicyMeta { location: Some(location), ..over(&own, package) })
}

/// The identifier that a rule gives itself, `custom.id`.
pub(super) fn id_of_rule(module: &Module, index: usize) -> Option<Str> {
    let own = module.annotations.iter().find(|annotation| annotation.rule == Some(index))?;
    own.value.dig(["custom", "id"])?.as_shared_str().cloned()
}

/// The metadata of a package, from all of its modules.
pub(super) fn of_package(modules: &[&Module]) -> PolicyMeta {
    let about = |annotation: &&Annotation| matches!(annotation.scope, Scope::Package | Scope::Subpackages);
    let own: Vec<_> =
        modules.iter().flat_map(|module| &module.annotations).filter(about).map(|entry| &entry.value).collect();
    let location = modules.first().map(|module| Location { source: module.source.clone(), span: module.package_span });
    PolicyMeta { location, ..over(&own, &PolicyMeta::default()) }
}

/// What `blocks` say, the first that says something winning, over `base`.
fn over(blocks: &[&Value], base: &PolicyMeta) -> PolicyMeta {
    let find =
        |path: &[&str]| blocks.iter().find_map(|block| path.iter().try_fold(*block, |value, key| value.get(key)));
    let text = |path: &[&str]| find(path).and_then(Value::as_str).map(|text| text.trim().to_owned());
    let severity = text(&["custom", "severity"]).and_then(|text| text.to_lowercase().parse().ok());
    // Trivy's checks know the second of these names.
    let remedy = text(&["custom", "remediation"]).or_else(|| text(&["custom", "recommended_action"]));
    PolicyMeta {
        title: text(&["title"]).or_else(|| base.title.clone()),
        description: text(&["description"]).or_else(|| base.description.clone()),
        category: text(&["custom", "category"]).or_else(|| base.category.clone()),
        severity: severity.unwrap_or(base.severity),
        remediation: remedy.map(Str::from).or_else(|| base.remediation.clone()),
        controls: find(&["custom", "controls"]).map_or_else(|| base.controls.clone(), controls),
        ..base.clone()
    }
}

/// `["nist-800-53:AC-6", ..]`
fn controls(list: &Value) -> Arc<[Control]> {
    let control = |entry: &Value| {
        let (framework, id) = entry.as_str()?.split_once(':')?;
        Some(Control { framework: framework.trim().into(), id: id.trim().into() })
    };
    list.as_array().unwrap_or_default().iter().filter_map(control).collect()
}
