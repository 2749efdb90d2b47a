//! Documents among policies that no language claims and that were meant for one.
//!
//! A policy with a slip in its kind, its group or a key is no policy to anybody, and what it forbids is allowed without a
//! word. What is near to a policy is therefore an error; parameters, namespaces and definitions of kinds stay what they
//! are. Deliberately absent: documents without any kind, which are data.

use palisade_model::{Diagnostic, Path, Resource, Value, nearest};

/// A document looks like a policy and is none.
pub const UNCLAIMED: &str = "PAL-P0021";

/// Kinds that languages claim, by their groups; `*` for any kind.
const KINDS: [(&str, &[&str]); 9] = [
    ("kyverno.io", &["ClusterPolicy", "Policy", "PolicyException", "ClusterCleanupPolicy", "CleanupPolicy"]),
    (
        "policies.kyverno.io",
        &[
            "ValidatingPolicy",
            "NamespacedValidatingPolicy",
            "MutatingPolicy",
            "NamespacedMutatingPolicy",
            "GeneratingPolicy",
            "NamespacedGeneratingPolicy",
            "DeletingPolicy",
            "NamespacedDeletingPolicy",
            "ImageValidatingPolicy",
            "NamespacedImageValidatingPolicy",
            "PolicyException",
        ],
    ),
    (
        "admissionregistration.k8s.io",
        &[
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
        ],
    ),
    ("templates.gatekeeper.sh", &["ConstraintTemplate"]),
    ("constraints.gatekeeper.sh", &["*"]),
    ("mutations.gatekeeper.sh", &["Assign", "AssignImage", "AssignMetadata", "ModifySet"]),
    ("expansion.gatekeeper.sh", &["ExpansionTemplate"]),
    ("config.gatekeeper.sh", &["Config"]),
    ("syncset.gatekeeper.sh", &["SyncSet"]),
];

/// What is wrong with a document that no language claims, if it was meant for one.
pub(crate) fn doubt(document: &Resource) -> Option<Diagnostic> {
    let (version_key, version) = text(document, "apiVersion");
    let (kind_key, kind) = text(document, "kind");
    let (group, _) = version.split_once('/').unwrap_or_default();
    let of_group = KINDS.iter().find(|(known, _)| *known == group).map(|(_, kinds)| *kinds);
    let near_group = nearest(group, KINDS.iter().map(|(known, _)| *known));
    let meant = |at: &str, what: &str, help: String| Some(error(document, at, what, help));
    if let Some(kinds) = of_group {
        return match (kind, nearest(kind, kinds.iter().copied())) {
            ("", _) => meant("", "it has no `kind`", "give it the `kind` of a policy".to_owned()),
            _ if kind_key != "kind" => Some(slip(document, kind_key, "kind")),
            _ if version_key != "apiVersion" => Some(slip(document, version_key, "apiVersion")),
            (_, Some(near)) if near != kind => {
                meant("kind", &format!("`{group}` has no kind `{kind}`"), format!("did you mean `{near}`?"))
            }
            (_, near) if near.is_some() || kinds == ["*"] => {
                let what = format!("the version of `{version}` is not known");
                meant("apiVersion", &what, "write a version that the project serves, such as `v1`".to_owned())
            }
            _ => of_other_group(document, group, kind),
        };
    }
    if let Some(near) = near_group {
        return meant("apiVersion", &format!("the group `{group}` is not known"), format!("did you mean `{near}`?"));
    }
    let (owner, near) = group.is_empty().then(|| of_kind(document, kind))??;
    if version.is_empty() {
        return meant("", "it has no `apiVersion`", format!("add `apiVersion: {owner}/` and the version"));
    }
    let what = format!("`{version}` has no kind `{kind}`");
    meant("apiVersion", &what, format!("`{near}` is a kind of `{owner}`"))
}

/// The value of a key, or of a key that was meant for it, and how the key is written.
fn text<'a>(document: &'a Resource, key: &'a str) -> (&'a str, &'a str) {
    let value = |key: &str| document.object.get(key).and_then(Value::as_str);
    if let Some(found) = value(key) {
        return (key, found);
    }
    let keys = document.object.as_object().into_iter().flat_map(|map| map.keys().map(|key| &**key));
    let mut near = keys.filter(|written| nearest(written, [key].into_iter()).is_some());
    near.find_map(|written| Some((written, value(written)?))).unwrap_or((key, ""))
}

fn slip(document: &Resource, written: &str, key: &str) -> Diagnostic {
    let what = format!("it has a key `{written}` and no `{key}`");
    error(document, written, &what, format!("did you mean `{key}`?"))
}

/// A kind that the group does not have: another group's, or nobody's, of which it is enough to be told.
fn of_other_group(document: &Resource, group: &str, kind: &str) -> Option<Diagnostic> {
    let owner = KINDS.iter().find(|(_, kinds)| kinds.contains(&kind));
    if let Some((owner, _)) = owner {
        let what = format!("`{group}` has no kind `{kind}`");
        return Some(error(document, "apiVersion", &what, format!("`{kind}` is a kind of `{owner}`")));
    }
    // The API server's own group has kinds that are no policies.
    let is_policies = group != "admissionregistration.k8s.io";
    let message = format!("`{kind}` of `{group}` is no kind of policy that is known: it is left alone");
    is_policies.then(|| place(document, "kind", Diagnostic::warning(UNCLAIMED, message)))
}

/// The kind that was meant, and its group. Short names (`Policy`, `Config`) are many people's; rules make it a policy.
fn of_kind(document: &Resource, kind: &str) -> Option<(&'static str, &'static str)> {
    let names = |kinds: &'static [&'static str]| kinds.iter().copied().filter(|name| *name != "*");
    let has_rules = document.object.dig(["spec", "rules"]).is_some();
    KINDS.iter().find_map(|(group, kinds)| {
        let near = nearest(kind, names(kinds))?;
        (near.len() > "AssignImage".len() || (near == "Policy" && has_rules)).then_some((*group, near))
    })
}

fn error(document: &Resource, at: &str, what: &str, help: String) -> Diagnostic {
    let message = format!("this looks like a policy and is none: {what}");
    place(document, at, Diagnostic::error(UNCLAIMED, message).help(help))
}

fn place(document: &Resource, at: &str, told: Diagnostic) -> Diagnostic {
    let path: Path = if at.is_empty() { Path::root() } else { [at].into_iter().collect() };
    match document.locate(&path) {
        Some(location) => told.at(location, ""),
        None => told,
    }
}

#[cfg(test)]
mod tests {
    use palisade_document::{Limits, parse};
    use palisade_model::Level;

    use super::*;
    use crate::languages::LANGUAGES;

    fn told(text: &str) -> Option<(Level, String)> {
        let document = parse("p.yaml", text.as_bytes(), &Limits::default()).documents.remove(0).into_resource();
        assert!(!LANGUAGES.iter().any(|language| language.claims(&document)), "{text}");
        let told = doubt(&document)?;
        Some((told.level, told.help.concat()))
    }

    #[test]
    fn what_was_meant_for_a_policy_is_an_error() {
        for (text, help) in [
            ("{apiVersion: kyverno.io/v1, kind: ClusterPolcy}", "did you mean `ClusterPolicy`?"),
            ("{apiVersion: kyvern.io/v1, kind: ClusterPolicy}", "did you mean `kyverno.io`?"),
            ("{apiVersion: kyverno.io/v1, Kind: ClusterPolicy}", "did you mean `kind`?"),
            ("{apiversion: kyverno.io/v1, kind: ClusterPolicy}", "did you mean `apiVersion`?"),
            ("{apiVersion: kyverno.io/v1, metadata: {name: a}}", "give it the `kind` of a policy"),
            ("{kind: ClusterPolicy}", "add `apiVersion: kyverno.io/` and the version"),
            ("{kind: Policy, spec: {rules: []}}", "add `apiVersion: kyverno.io/` and the version"),
            (
                "{apiVersion: v1, kind: ConstraintTemplate}",
                "`ConstraintTemplate` is a kind of `templates.gatekeeper.sh`",
            ),
            ("{apiVersion: policies.kyverno.io/v1, kind: ClusterPolicy}", "`ClusterPolicy` is a kind of `kyverno.io`"),
            ("{apiVersion: constraint.gatekeeper.sh/v1beta1, kind: Own}", "did you mean `constraints.gatekeeper.sh`?"),
            (
                "{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmisionPolicy}",
                "did you mean `ValidatingAdmissionPolicy`?",
            ),
        ] {
            assert_eq!(told(text), Some((Level::Error, help.to_owned())), "{text}");
        }
    }

    #[test]
    fn what_stands_beside_policies_is_left_alone() {
        for text in [
            "{apiVersion: v1, kind: ConfigMap}",
            "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition}",
            "{apiVersion: nvidia.com/v1, kind: ClusterPolicy}",
            "{apiVersion: cli.kyverno.io/v1alpha1, kind: Test}",
            "{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration}",
            "{apiVersion: rules.example.com/v1, kind: ReplicaLimit}",
            "{kind: Policy, name: iam}",
            "{name: values, policies: []}",
        ] {
            assert_eq!(told(text), None, "{text}");
        }
        let record = told("{apiVersion: kyverno.io/v2, kind: UpdateRequest}").unwrap();
        assert_eq!(record.0, Level::Warning);
    }

    #[test]
    fn the_kinds_are_those_that_languages_claim() {
        for (group, kinds) in KINDS {
            for kind in kinds {
                let claimed = ["v1", "v1beta1", "v1alpha1", "v2"].iter().any(|version| {
                    let text = format!(r#"{{"apiVersion":"{group}/{version}","kind":"{kind}"}}"#);
                    let document = Resource::in_memory(Value::from_json(&text).unwrap());
                    LANGUAGES.iter().any(|language| language.claims(&document))
                });
                assert!(claimed, "{group} {kind}");
            }
        }
    }
}
