//! What rules do: anchors where they have a meaning, labels that are texts, controls that exist.

use palisade_model::{GroupVersionKind, Path, Segment, Value};

use super::{Checked, additions};
use crate::legacy::codes;
use crate::legacy::mutate::json_patch_problem;
use crate::legacy::pattern::{Anchor, AnchorKind};
use crate::legacy::spec::{
    Body, CelCheck, Check, ForEachValidation, GeneratePattern, Generation, Mutation, Patch, PodSecurity, Reader, Rule,
};

pub(super) fn rule(reader: &mut Reader<'_>, policy: &Checked<'_>, rule: &Rule, path: &Path) {
    let judges_otherwise = match &rule.body {
        Body::Validate(validation) => !matches!(validation.check, Check::Cel(_)),
        Body::Mutate(_) => true,
        Body::Generate(_) | Body::VerifyImages(_) => false,
    };
    if !rule.cel_preconditions.is_empty() && judges_otherwise {
        let message = "`celPreconditions` belong to rules with `validate.cel`";
        reader.error(codes::INVALID_RULE, &path.child("celPreconditions"), message, "write `preconditions`");
    }
    if !rule.image_extractors.is_null() && !matches!(rule.body, Body::VerifyImages(_)) {
        let message = "`imageExtractors` belong to verifyImages rules";
        reader.error(codes::INVALID_RULE, &path.child("imageExtractors"), message, "remove them");
    }
    match &rule.body {
        Body::Validate(validation) => check(reader, &validation.check, &path.child("validate")),
        Body::Mutate(mutation) => mutate(reader, policy, mutation, &path.child("mutate")),
        Body::Generate(generation) => generate(reader, policy, rule, generation, &path.child("generate")),
        Body::VerifyImages(_) => {}
    }
}

fn check(reader: &mut Reader<'_>, check: &Check, path: &Path) {
    match check {
        Check::Pattern(pattern) => validation_pattern(reader, pattern, &path.child("pattern")),
        Check::AnyPattern(patterns) => {
            let path = path.child("anyPattern");
            let Some(items) = patterns.as_array() else {
                return reader.error(codes::WRONG_TYPE, &path, "`anyPattern` must be a list", "put `- ` before it");
            };
            for (index, pattern) in items.iter().enumerate() {
                validation_pattern(reader, pattern, &path.child(Segment::Index(index)));
            }
        }
        Check::ForEach(loops) => loops_of(reader, loops, &path.child("foreach")),
        Check::PodSecurity(spec) => pod_security(reader, spec, &path.child("podSecurity")),
        Check::Cel(spec) => cel(reader, spec, &path.child("cel")),
        Check::Assert(_) => {
            let message = "`validate.assert` was withdrawn from Kyverno, which rejects rules that have nothing else";
            let help = "write `validate.cel`, `validate.pattern` or a ValidatingPolicy instead";
            reader.error(codes::NOT_EVALUATED, &path.child("assert"), message, help);
        }
        Check::Deny(_) | Check::Manifests(_) => {}
    }
}

fn loops_of(reader: &mut Reader<'_>, loops: &[ForEachValidation], path: &Path) {
    for (index, item) in loops.iter().enumerate() {
        let path = path.child(Segment::Index(index));
        if item.list.is_empty() {
            reader.error(codes::INVALID_RULE, &path, "a foreach needs `list`", "name the elements with an expression");
        }
        match &item.check {
            None => {
                let message = "a foreach needs one of pattern, anyPattern, deny, foreach";
                reader.error(codes::INVALID_RULE, &path, message, "say what holds for each element");
            }
            Some(Check::Pattern(pattern)) if !has_text_labels(pattern) => labels(reader, &path),
            Some(_) => {}
        }
    }
}

fn validation_pattern(reader: &mut Reader<'_>, pattern: &Value, path: &Path) {
    anchors(reader, pattern, path, &|kind| kind != AnchorKind::AddIfAbsent);
    if !has_text_labels(pattern) {
        labels(reader, path);
    }
}

fn labels(reader: &mut Reader<'_>, path: &Path) {
    let message = "labels and annotations are texts";
    reader.error(codes::INVALID_RULE, path, message, "put double quotes around the values");
}

fn has_text_labels(pattern: &Value) -> bool {
    let texts = |metadata: Option<&Value>| {
        ["labels", "annotations"].iter().all(|key| {
            let map = metadata.and_then(|metadata| metadata.get(key)).and_then(Value::as_object);
            map.is_none_or(|map| map.values().all(|value| value.as_str().is_some()))
        })
    };
    texts(pattern.get("metadata")) && texts(pattern.dig(["spec", "template", "metadata"]))
}

fn anchors(reader: &mut Reader<'_>, pattern: &Value, path: &Path, allowed: &dyn Fn(AnchorKind) -> bool) {
    match pattern {
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(at, item)| anchors(reader, item, &path.child(Segment::Index(at)), allowed));
        }
        Value::Object(map) => {
            for (key, value) in map.iter() {
                let path = path.child(&**key);
                if let Some(anchor) = Anchor::parse(key) {
                    anchor_at(reader, anchor.kind, value, &path, allowed);
                }
                anchors(reader, value, &path, allowed);
            }
        }
        _ => {}
    }
}

fn anchor_at(
    reader: &mut Reader<'_>,
    kind: AnchorKind,
    value: &Value,
    path: &Path,
    allowed: &dyn Fn(AnchorKind) -> bool,
) {
    if !allowed(kind) {
        reader.error(codes::INVALID_RULE, path, "this anchor has no meaning here", "remove it");
    }
    if kind == AnchorKind::Existence && value.as_array().is_none_or(<[Value]>::is_empty) {
        reader.error(codes::INVALID_RULE, path, "an existence anchor `^()` needs a list with an element", "add one");
    }
}

fn pod_security(reader: &mut Reader<'_>, spec: &PodSecurity, path: &Path) {
    const OF_CONTAINERS: [&str; 5] =
        ["Capabilities", "Privileged Containers", "Host Ports", "/proc Mount Type", "Privilege Escalation"];
    const OF_PODS: [&str; 4] = ["Host Namespaces", "HostPath Volumes", "Sysctls", "Volume Types"];
    const RESTRICTED: [&str; 4] =
        ["Volume Types", "Privilege Escalation", "Running as Non-root", "Running as Non-root user"];
    for (index, exclude) in spec.exclude.iter().enumerate() {
        let path = path.child("exclude").child(index);
        let control = &*exclude.control;
        let problem = if OF_CONTAINERS.contains(&control) && exclude.images.is_empty() {
            Some("this control is about containers and needs `images`")
        } else if OF_PODS.contains(&control) && !exclude.images.is_empty() {
            Some("this control is about pods and takes no `images`")
        } else if exclude.restricted_field.is_empty() != exclude.values.is_empty() {
            Some("`restrictedField` and `values` belong together")
        } else if &*spec.level == "baseline" && RESTRICTED.contains(&control) {
            Some("this control is not part of the baseline level")
        } else {
            None
        };
        if let Some(problem) = problem {
            reader.error(codes::INVALID_RULE, &path, problem, "correct the exclusion");
        }
    }
}

fn cel(reader: &mut Reader<'_>, spec: &CelCheck, path: &Path) {
    let reference = &spec.param_ref;
    let given = |key: &str| reference.get(key).is_some_and(|value| !value.is_null());
    let problem = if spec.expressions.iter().any(|item| item.expression.is_empty()) {
        Some("every one of `expressions` needs an `expression`")
    } else if spec.param_kind.is_some() == reference.is_null() {
        Some("`paramKind` and `paramRef` belong together")
    } else if !reference.is_null() && given("name") == given("selector") {
        Some("`paramRef` needs either `name` or `selector`")
    } else if !reference.is_null() && !given("parameterNotFoundAction") {
        Some("`paramRef` needs `parameterNotFoundAction`")
    } else if spec.audit_annotations.iter().any(|item| item.name.is_empty() || item.expression.is_empty()) {
        Some("an audit annotation needs `key` and `valueExpression`")
    } else {
        None
    };
    if let Some(problem) = problem {
        reader.error(codes::INVALID_RULE, path, problem, "complete the block");
    }
}

fn mutate(reader: &mut Reader<'_>, policy: &Checked<'_>, mutation: &Mutation, path: &Path) {
    let on_update = [Path::from_pointer("/spec"), path.clone()].iter().any(|path| {
        let flag = path.child("mutateExistingOnPolicyUpdate");
        flag.resolve(&policy.document.object).and_then(Value::as_bool) == Some(true)
    });
    if on_update && mutation.targets.is_empty() {
        let message = "`mutateExistingOnPolicyUpdate` is for rules with `targets`";
        reader.error(codes::INVALID_RULE, path, message, "name the targets, or turn it off");
    }
    if let Some(Patch::Json6902(text)) = &mutation.patch
        && let Some(problem) = json_patch_problem(text)
    {
        let help = "write a list of operations with `op`, `path` and `value`";
        reader.error(codes::INVALID_RULE, &path.child("patchesJson6902"), problem, help);
    }
    if let Some(Patch::StrategicMerge(patch)) = &mutation.patch {
        additions::shared(reader, patch, &path.child("patchStrategicMerge"));
    }
    let patch = mutation.patch.iter().chain(mutation.foreach.first().and_then(|item| item.patch.as_ref()));
    for patch in patch {
        match patch {
            Patch::StrategicMerge(patch) if !has_text_labels(patch) => labels(reader, path),
            _ => {}
        }
    }
}

fn generate(reader: &mut Reader<'_>, policy: &Checked<'_>, rule: &Rule, generation: &Generation, path: &Path) {
    for (index, item) in generation.foreach.iter().enumerate() {
        generated(reader, policy, &item.pattern, &path.child("foreach").child(index));
    }
    let Some(pattern) = &generation.pattern else { return };
    generated(reader, policy, pattern, path);
    let kind = pattern.source.get("kind").and_then(Value::as_str).unwrap_or_default();
    if rule.matches.direct.resources.kinds.iter().any(|selector| &*selector.text == kind) {
        let message = format!("the rule would create `{kind}` objects for `{kind}` objects, without end");
        reader.error(codes::INVALID_RULE, path, message, "match another kind");
    }
}

fn generated(reader: &mut Reader<'_>, policy: &Checked<'_>, pattern: &GeneratePattern, path: &Path) {
    let source = &pattern.source;
    let text = |key: &str| source.get(key).and_then(Value::as_str).unwrap_or_default();
    let text_at = |key: &str, below: &str| source.dig([key, below]).and_then(Value::as_str).unwrap_or_default();
    let needs_namespace =
        |kind: &str| kind.rsplit_once('/').is_some_and(|(version, kind)| is_namespaced(version, kind));
    let sources = ["data", "clone", "cloneList"].iter().filter(|key| source.get(key).is_some()).count();
    let kinds = source.dig(["cloneList", "kinds"]).and_then(Value::as_array).unwrap_or_default();
    let own = policy.document.namespace();
    let elsewhere = |namespace: Option<&Value>| namespace.and_then(Value::as_str).unwrap_or_default() != own;
    let problem = if sources > 1 {
        Some("a generate rule needs one of data, clone, cloneList")
    } else if kinds.is_empty() && ["apiVersion", "kind", "name"].iter().any(|key| text(key).is_empty()) {
        Some("what is generated needs `apiVersion`, `kind` and `name`")
    } else if kinds.is_empty() && text("namespace").is_empty() && is_namespaced(text("apiVersion"), text("kind")) {
        Some("what is generated needs `namespace`")
    } else if policy.namespaced && elsewhere(source.get("namespace")) {
        Some("a Policy generates into its own namespace only")
    } else if policy.namespaced
        && ["clone", "cloneList"].iter().any(|key| source.get(key).is_some_and(|from| elsewhere(from.get("namespace"))))
    {
        Some("a Policy clones from its own namespace only")
    } else if kinds.iter().filter_map(Value::as_str).any(needs_namespace)
        && text_at("cloneList", "namespace").is_empty()
    {
        Some("`cloneList` needs `namespace`")
    } else {
        None
    };
    if let Some(problem) = problem {
        reader.error(codes::INVALID_RULE, path, problem, "complete the rule");
    }
    if let Some(data) = source.get("data") {
        anchors(reader, data, &path.child("data"), &|_| false);
    }
}

/// Whether objects of a kind that every cluster has are in namespaces. Custom kinds get the benefit of the doubt.
fn is_namespaced(api_version: &str, kind: &str) -> bool {
    let gvk = GroupVersionKind::new(api_version, kind);
    gvk.is_built_in() && !gvk.is_cluster_scoped()
}
