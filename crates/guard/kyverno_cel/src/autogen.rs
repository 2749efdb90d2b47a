//! Rules for pods, carried over to what makes pods: Deployments, Jobs, CronJobs and custom workloads.
//!
//! A policy that selects pods and nothing else gets variants. For Kubernetes' own workloads the expressions are
//! rewritten as text (`object.spec` becomes `object.spec.template.spec`), as upstream does it, quirks included. For
//! custom workloads the pod templates are taken out of the object and judged as pods.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use palisade_cel::admission::matching::{MatchResources, ResourcePattern, ResourceRule};
use palisade_cel::admission::{Node, Reader};
use palisade_model::{Resource, Str, Value};
use regex::Regex;

/// How a variant finds the pod template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shape {
    /// At `spec.jobTemplate.spec.template`.
    CronJob,
    /// At `spec.template`.
    Template,
    /// Wherever the object has pod templates.
    Extracted,
}

/// Where a variant applies.
#[derive(Debug)]
pub(super) struct Variant {
    pub(super) shape: Shape,
    pub(super) constraints: MatchResources,
}

const TEMPLATE_KINDS: [(&str, &str); 5] = [
    ("apps", "daemonsets"),
    ("apps", "deployments"),
    ("apps", "replicasets"),
    ("apps", "statefulsets"),
    ("batch", "jobs"),
];

/// The annotation of a policy that is about pods wherever they come from. Upstream knows nothing of it.
const WORKLOADS: &str = "palisade.dev/workloads";

/// A shape with its groups, versions and resources.
type Further = (Shape, &'static [&'static str], &'static [&'static str], &'static [&'static str]);

/// What makes pods beside the kinds that upstream has variants for: groups, versions, resources. Versions that the API
/// server has dropped are among them, since that says nothing of the pod.
const FURTHER: [Further; 6] = [
    (Shape::CronJob, &["batch"], &["v1beta1", "v2alpha1"], &["cronjobs"]),
    (Shape::Template, &[""], &["v1"], &["replicationcontrollers", "deploymentconfigs"]),
    (
        Shape::Template,
        &["apps", "extensions"],
        &["v1beta1", "v1beta2"],
        &["daemonsets", "deployments", "replicasets", "statefulsets"],
    ),
    (Shape::Template, &["apps.openshift.io"], &["*"], &["deploymentconfigs"]),
    (Shape::Template, &["argoproj.io"], &["*"], &["rollouts"]),
    (Shape::Template, &["serving.knative.dev"], &["*"], &["services", "configurations", "revisions"]),
];

/// Whether the policy is about pods wherever they come from, by its annotation `palisade.dev/workloads: all`.
pub(super) fn is_about_all(document: &Resource) -> bool {
    document.object.dig(["metadata", "annotations", WORKLOADS]).and_then(Value::as_str) == Some("all")
}

/// The variants of a policy with these constraints, as `spec.autogen.podControllers` narrows them.
pub(super) fn variants(reader: &mut Reader<'_>, spec: &Node<'_>, constraints: &MatchResources) -> Vec<Variant> {
    // Nobody has asked a namespaced policy to change anything but pods where it does not say so.
    if reader.document().kind() == "NamespacedMutatingPolicy" && spec.get("autogen").is_none() {
        return Vec::new();
    }
    let Some(pods) = pods_only(constraints) else { return Vec::new() };
    let controllers = spec.get("autogen").and_then(|autogen| autogen.get("podControllers"));
    let listed = controllers.filter(|node| node.get("controllers").is_some());
    let names = listed.map(|node| reader.texts(&node, "controllers"));
    let wanted = |name: &str| names.as_ref().is_none_or(|names| names.iter().any(|listed| &**listed == name));

    let mut targets: BTreeMap<Shape, Vec<ResourceRule>> = BTreeMap::new();
    let mut add = |shape, groups: &[&str], versions: &[&str], resources: &[&str]| {
        let texts = |list: &[&str]| list.iter().map(|text| Str::from(*text)).collect();
        targets.entry(shape).or_default().push(ResourceRule {
            groups: texts(groups),
            versions: texts(versions),
            operations: pods.operations,
            resources: resources.iter().map(|resource| ResourcePattern::read(resource)).collect(),
            ..ResourceRule::default()
        });
    };
    if wanted("cronjobs") {
        add(Shape::CronJob, &["batch"], &["v1"], &["cronjobs"]);
    }
    for (group, resource) in TEMPLATE_KINDS.into_iter().filter(|(_, resource)| wanted(resource)) {
        add(Shape::Template, &[group], &["v1"], &[resource]);
    }
    if names.is_none() && is_about_all(reader.document()) {
        for (shape, groups, versions, resources) in FURTHER {
            add(shape, groups, versions, resources);
        }
    }
    for (group, version, resource) in names.iter().flatten().filter_map(|name| custom(name)) {
        add(Shape::Extracted, &[group], &[version], &[resource]);
    }
    let variant = |(shape, rules): (Shape, Vec<_>)| {
        let namespace_selector = constraints.namespace_selector.clone();
        Variant { shape, constraints: MatchResources { rules, namespace_selector, ..MatchResources::default() } }
    };
    targets.into_iter().map(variant).collect()
}

/// `<resource>.<version>.<group>`.
fn custom(name: &str) -> Option<(&str, &str, &str)> {
    let mut parts = name.splitn(3, '.');
    let (resource, version, group) = (parts.next()?, parts.next()?, parts.next()?);
    let complete = !resource.is_empty() && !version.is_empty() && !group.is_empty();
    complete.then_some((group, version, resource))
}

/// The one rule of constraints that select pods by nothing but operation and namespace.
fn pods_only(constraints: &MatchResources) -> Option<&ResourceRule> {
    let [rule] = constraints.rules.as_slice() else { return None };
    let only = |list: &[Str], text: &str| matches!(list, [one] if &**one == text);
    let plain = constraints.exclude.is_empty() && constraints.object_selector.is_empty() && rule.names.is_empty();
    let pods =
        only(&rule.groups, "") && only(&rule.versions, "v1") && rule.resources == [ResourcePattern::read("pods")];
    (plain && pods).then_some(rule)
}

/// The spec of a variant of a policy that judges: every text is rewritten.
pub(super) fn rewrite_spec(spec: &Value, shape: Shape) -> Value {
    let (from_spec, from_metadata) = match shape {
        Shape::Extracted => return spec.clone(),
        Shape::Template => ("spec.template.spec", "spec.template.metadata"),
        Shape::CronJob => ("spec.jobTemplate.spec.template.spec", "spec.jobTemplate.spec.template.metadata"),
    };
    rewrite_texts(spec, &["namespace"], &|text, own| {
        [("spec", from_spec), ("metadata", from_metadata)].into_iter().fold(text.to_owned(), |text, (from, to)| {
            let text = replace(&text, &format!("object.{from}"), &format!("object.{to}"), own);
            replace(&text, &format!("oldObject.{from}"), &format!("oldObject.{to}"), own)
        })
    })
}

/// What a message names is the workload: templates have no names.
const NAMED: &[&str] = &["namespace", "name", "generateName", "uid"];

/// Rewrites every text, with the members of the metadata that are the workload's own there.
fn rewrite_texts(value: &Value, own: &[&str], rewrite: &dyn Fn(&str, &[&str]) -> String) -> Value {
    let member = |(key, value): (&Str, &Value)| {
        let own = if &**key == "messageExpression" { NAMED } else { own };
        (key.clone(), rewrite_texts(value, own, rewrite))
    };
    match value {
        Value::String(text) => Value::from(rewrite(text, own)),
        Value::Array(items) => {
            Value::array(items.iter().map(|item| rewrite_texts(item, own, rewrite)).collect::<Vec<_>>())
        }
        Value::Object(map) => Value::object(map.iter().map(member).collect()),
        other => other.clone(),
    }
}

/// Every `from` becomes `to`, save where a member follows that is the workload's own.
fn replace(text: &str, from: &str, to: &str, own: &[&str]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(from) {
        out.push_str(before);
        let member = after.strip_prefix('.').unwrap_or_default();
        let end = member.find(|next: char| !next.is_ascii_alphanumeric() && next != '_').unwrap_or(member.len());
        let kept = member.get(..end).is_some_and(|member| own.contains(&member));
        out.push_str(if kept { from } else { to });
        rest = after;
    }
    out.push_str(rest);
    out
}

/// An expression of a policy that mutates, for a variant: fields and the names of their types are moved, and whole
/// `Object{...}`s are put into the template, wherever in the expression they are.
pub(super) fn rewrite_mutation(expression: &str, shape: Shape) -> String {
    static SPEC: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?-u:\b)(object|oldObject|Object)\.spec").ok());
    static LABELS: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?-u:\b)(object|oldObject)\.metadata\.(labels|annotations)").ok());
    static TYPES: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?-u:\b)Object\.metadata(?-u:\b)").ok());
    let (template, open, close) = match shape {
        Shape::Extracted => return expression.to_owned(),
        Shape::Template => ("spec.template", "Object{spec: Object.spec{template: Object.spec.template{", "}}}"),
        Shape::CronJob => (
            "spec.jobTemplate.spec.template",
            "Object{spec: Object.spec{jobTemplate: Object.spec.jobTemplate{spec: Object.spec.jobTemplate.spec{\
             template: Object.spec.jobTemplate.spec.template{",
            "}}}}}",
        ),
    };
    let (Some(spec), Some(labels), Some(types)) = (&*SPEC, &*LABELS, &*TYPES) else { return expression.to_owned() };
    let moved = spec.replace_all(expression, format!("${{1}}.{template}.spec"));
    let moved = labels.replace_all(&moved, format!("${{1}}.{template}.metadata.${{2}}"));
    let moved = types.replace_all(&moved, format!("Object.{template}.metadata"));
    let mut wrapped = String::with_capacity(moved.len());
    let mut rest = &*moved;
    while let Some((before, inner, behind)) = whole_object(rest) {
        wrapped.push_str(before);
        match inner.trim() {
            "" => wrapped.push_str("Object{}"),
            _ => wrapped.extend([open, inner, close]),
        }
        rest = behind;
    }
    wrapped + rest
}

/// What stands before the first `Object{...}`, its inside, and what follows it.
fn whole_object(expression: &str) -> Option<(&str, &str, &str)> {
    let mut quote = None;
    let mut found: Option<(usize, usize)> = None;
    let mut depth = 0_usize;
    let mut escaped = false;
    for (at, character) in expression.char_indices() {
        match (quote, character) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), _) if open == character => quote = None,
            (None, '"' | '\'') => quote = Some(character),
            (None, '{') => {
                let before = expression.get(..at)?;
                match found {
                    Some(_) => depth += 1,
                    None => found = names_whole_object(before).map(|start| (start, at + 1)),
                }
            }
            (None, '}') if depth > 0 => depth -= 1,
            (None, '}') => {
                if let Some((start, inner)) = found {
                    return Some((expression.get(..start)?, expression.get(inner..at)?, expression.get(at + 1..)?));
                }
            }
            _ => {}
        }
    }
    None
}

/// Where a text ends with the type `Object` itself, the place at which it begins.
fn names_whole_object(text: &str) -> Option<usize> {
    let before = text.trim_end().strip_suffix("Object")?;
    let part_of_name = |last: char| last == '.' || last == '_' || last.is_ascii_alphanumeric();
    (!before.ends_with(part_of_name)).then_some(before.len())
}

#[cfg(test)]
mod tests {
    use palisade_model::json;

    use super::*;

    #[test]
    fn judging_expressions_move_into_the_template_but_for_the_namespace() {
        let spec =
            json!({"a": "object.spec.x && oldObject.metadata.labels.y", "b": ["object.metadata.namespace == 'x'"]});
        let rewritten = rewrite_spec(&spec, Shape::Template);
        let expected = json!({
            "a": "object.spec.template.spec.x && oldObject.spec.template.metadata.labels.y",
            "b": ["object.metadata.namespace == 'x'"],
        });
        assert_eq!(rewritten, expected);
        let text = replace("object.metadata.namespaceX", "object.metadata", "object.m", &["namespace"]);
        assert_eq!(text, "object.m.namespaceX");
    }

    #[test]
    fn messages_name_the_workload() {
        let spec = json!({"expression": "object.metadata.name == 'a'",
            "messageExpression": "object.kind + object.metadata.name + object.metadata.labels.x + object.spec.y"});
        let expected = json!({"expression": "object.spec.template.metadata.name == 'a'", "messageExpression":
            "object.kind + object.metadata.name + object.spec.template.metadata.labels.x + object.spec.template.spec.y"});
        assert_eq!(rewrite_spec(&spec, Shape::Template), expected);
    }

    #[test]
    fn a_whole_object_is_put_into_the_template() {
        let rewritten = rewrite_mutation("Object { spec: Object.spec{x: object.spec.x} }", Shape::Template);
        assert_eq!(
            rewritten,
            "Object{spec: Object.spec{template: Object.spec.template{ spec: \
             Object.spec.template.spec{x: object.spec.template.spec.x} }}}"
        );
        let types = rewrite_mutation(
            "has(object.spec.x) ? Object{metadata: Object.metadata{labels: Object.metadata.labels{a: '}'}}} : Object{}",
            Shape::Template,
        );
        assert_eq!(
            types,
            "has(object.spec.template.spec.x) ? Object{spec: Object.spec{template: Object.spec.template{metadata: \
             Object.spec.template.metadata{labels: Object.spec.template.metadata.labels{a: '}'}}}}} : Object{}"
        );
        let labels = rewrite_mutation("has(object.metadata.labels)", Shape::CronJob);
        assert_eq!(labels, "has(object.spec.jobTemplate.spec.template.metadata.labels)");
    }

    fn shapes(spec: &Value) -> Vec<Shape> {
        let document = Resource::in_memory(json!({}));
        let mut reader = Reader::new(&document);
        let node = Node { value: spec, path: palisade_model::Path::root() };
        let constraints = reader.object(&node, "matchConstraints").unwrap();
        let constraints = MatchResources::read(&mut reader, &constraints);
        variants(&mut reader, &node, &constraints).into_iter().map(|variant| variant.shape).collect()
    }

    #[test]
    fn only_policies_about_pods_alone_get_variants() {
        let with = |resources: &str, controllers: &str| {
            Value::from_json(&format!(
                r#"{{"matchConstraints":{{"resourceRules":[{{"apiGroups":[""],"apiVersions":["v1"],
                    "operations":["CREATE"],"resources":{resources}}}]}},
                    "autogen":{{"podControllers":{{"controllers":{controllers}}}}}}}"#
            ))
            .unwrap()
        };
        assert_eq!(shapes(&with(r#"["pods"]"#, "null")), [Shape::CronJob, Shape::Template]);
        assert_eq!(shapes(&with(r#"["pods"]"#, "[]")), []);
        assert_eq!(shapes(&with(r#"["pods"]"#, r#"["jobs","x.v1.y.io"]"#)), [Shape::Template, Shape::Extracted]);
        assert_eq!(shapes(&with(r#"["pods","services"]"#, "null")), []);
    }
}
