//! What a package and its rules say of themselves, from metadata annotations
//! (<https://www.openpolicyagent.org/docs/policy-language#metadata>).
//!
//! `title`, `description` are OPA's own; `custom.severity`, `custom.remediation`, `custom.controls` (a list of
//! `framework:id`) and `custom.id` are what policy libraries agree on.

use std::cmp::Reverse;
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

/// The metadata of the package at `path`: what its modules say of it, then what packages above say of those below them,
/// the nearest first.
pub(super) fn of_package(path: &[Str], modules: &[Module]) -> PolicyMeta {
    let entries =
        modules.iter().flat_map(|module| module.annotations.iter().map(move |entry| (&*module.package, entry)));
    let mut about: Vec<_> = entries
        .filter(|(package, entry)| match entry.scope {
            Scope::Package => *package == path,
            Scope::Subpackages => path.starts_with(package),
            Scope::Rule | Scope::Document => false,
        })
        .collect();
    about.sort_by_key(|(package, entry)| Reverse((package.len(), entry.scope == Scope::Package)));
    let blocks: Vec<_> = about.into_iter().map(|(_, entry)| &entry.value).collect();
    let first = modules.iter().find(|module| *module.package == *path);
    let location = first.map(|module| Location { source: module.source.clone(), span: module.package_span });
    PolicyMeta { location, ..over(&blocks, &PolicyMeta::default()) }
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

#[cfg(test)]
mod tests {
    use palisade_model::{Severity, Source};

    use super::*;
    use crate::syntax::ast::Version;
    use crate::syntax::parse;

    #[test]
    fn packages_take_over_what_those_above_say_of_subpackages() {
        let module = |text: &str| parse(Source::new("a.rego", text), Version::V1).0.unwrap();
        let about = |scope: &str, rest: &str, package: &str| {
            module(&format!("# METADATA\n# {{scope: {scope}, {rest}}}\npackage {package}\n"))
        };
        let modules = [
            about("subpackages", "title: all, description: far, custom: {severity: low}", "k8s"),
            about("subpackages", "title: nearer, custom: {severity: high}", "k8s.pods"),
            about("package", "description: of k8s.pods alone", "k8s.pods"),
            about("package", "title: own", "k8s.pods.ports"),
            about("package", "title: other", "k8sother"),
        ];
        let meta = |path: &[&str]| {
            let path: Vec<Str> = path.iter().map(|part| Str::from(*part)).collect();
            let meta = of_package(&path, &modules);
            (meta.title.unwrap_or_default(), meta.description.unwrap_or_default(), meta.severity)
        };
        assert_eq!(meta(&["k8s", "pods", "ports"]), ("own".into(), "far".into(), Severity::High));
        assert_eq!(meta(&["k8s", "pods"]), ("nearer".into(), "of k8s.pods alone".into(), Severity::High));
        assert_eq!(meta(&["k8s", "jobs"]), ("all".into(), "far".into(), Severity::Low));
        assert_eq!(meta(&["k8sother"]).0, "other");
    }
}
