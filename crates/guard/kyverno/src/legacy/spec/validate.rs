//! `validate`: what a rule demands of the resource.

use palisade_model::{Str, Value};
use palisade_pod_security::Exclusion;

use super::context_entry::ContextEntry;
use super::manifests::Manifests;
use super::{FailureAction, LabelSelector, NamedExpression, conditions, failure_action};
use super::{Node, Reader};
use crate::legacy::codes;
use crate::legacy::condition::Conditions;

/// The body of a validate rule.
#[derive(Clone, Debug)]
pub struct Validation {
    /// What to say of a violation; may hold variables.
    pub message: Str,
    /// What a violation leads to; the policy's setting where absent.
    pub failure_action: Option<FailureAction>,
    /// Other actions for some namespaces.
    pub failure_action_overrides: Vec<FailureActionOverride>,
    /// Whether an update of an object that violated the rule before is let pass.
    pub allow_existing_violations: bool,
    /// The demand itself.
    pub check: Check,
}

/// Another failure action for some namespaces.
#[derive(Clone, Debug)]
pub struct FailureActionOverride {
    /// The action.
    pub action: FailureAction,
    /// Namespaces, with wildcards.
    pub namespaces: Vec<Str>,
    /// Labels of the namespace.
    pub namespace_selector: Option<LabelSelector>,
}

/// A demand. Patterns and conditions may hold variables.
#[derive(Clone, Debug)]
pub enum Check {
    /// The resource must match a pattern.
    Pattern(Value),
    /// The resource must match one of the patterns of a list.
    AnyPattern(Value),
    /// The conditions must not hold; without conditions everything is denied.
    Deny(Option<Conditions>),
    /// Every element of the lists must satisfy a demand.
    ForEach(Vec<ForEachValidation>),
    /// The Pod Security Standards.
    PodSecurity(PodSecurity),
    /// CEL expressions.
    Cel(Box<CelCheck>),
    /// Signed manifests.
    Manifests(Manifests),
    /// An assertion tree of kyverno-json, as written.
    Assert(Value),
}

/// A demand on the elements of a list.
#[derive(Clone, Debug)]
pub struct ForEachValidation {
    /// A query that gives the elements.
    pub list: Str,
    /// Whether patterns are about the element; `None` where that depends on its type.
    pub element_scope: Option<bool>,
    /// Entries that are loaded anew for each element.
    pub context: Vec<ContextEntry>,
    /// Which elements are looked at.
    pub preconditions: Option<Conditions>,
    /// The demand; `None` where there is none, which passes.
    pub check: Option<Check>,
}

/// The body of a `podSecurity` rule.
#[derive(Clone, Debug)]
pub struct PodSecurity {
    /// `baseline`, `restricted` or `privileged`.
    pub level: Str,
    /// `latest` or `v1.29`.
    pub version: Str,
    /// What is let pass.
    pub exclude: Vec<Exclusion>,
}

/// The body of a `cel` rule.
#[derive(Clone, Debug, Default)]
pub struct CelCheck {
    /// Expressions that must hold.
    pub expressions: Vec<CelValidation>,
    /// Named expressions that the others may use.
    pub variables: Vec<NamedExpression>,
    /// API version and kind of parameter objects.
    pub param_kind: Option<(Str, Str)>,
    /// Which parameter objects, as written: `name`, `namespace`, `selector`, `parameterNotFoundAction`.
    pub param_ref: Value,
    /// Facts for the audit log: key and expression.
    pub audit_annotations: Vec<NamedExpression>,
}

/// An expression that must hold.
#[derive(Clone, Debug, Default)]
pub struct CelValidation {
    /// The expression.
    pub expression: Str,
    /// What to say when it does not.
    pub message: Str,
    /// An expression that says it; wins over the message.
    pub message_expression: Str,
}

/// The members of a `validate` block, of which exactly one makes the demand.
const CHECKS: [&str; 8] = ["pattern", "anyPattern", "deny", "foreach", "podSecurity", "cel", "manifests", "assert"];

impl Validation {
    pub(super) fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self> {
        let settings = ["message", "failureAction", "failureActionOverrides", "allowExistingViolations"];
        reader.known_fields(node, &[&CHECKS[..], &settings[..]].concat());
        let mut given = CHECKS.iter().filter_map(|key| Some((*key, node.get(key)?)));
        let (Some((key, check)), None) = (given.next(), given.next()) else {
            let message = format!("a validate rule needs exactly one of {}", CHECKS.join(", "));
            reader.error(codes::INVALID_RULE, &node.path, message, "split it into one rule per check");
            return None;
        };
        Some(Self {
            message: reader.text(node, "message").unwrap_or_default(),
            failure_action: failure_action(reader, node, "failureAction"),
            failure_action_overrides: FailureActionOverride::read_all(reader, node, "failureActionOverrides"),
            allow_existing_violations: reader.flag(node, "allowExistingViolations").unwrap_or(true),
            check: Check::read(reader, key, &check)?,
        })
    }
}

impl FailureActionOverride {
    pub(super) fn read_all(reader: &mut Reader<'_>, parent: &Node<'_>, key: &str) -> Vec<Self> {
        let nodes = reader.list(parent, key);
        nodes.iter().filter_map(|node| Self::read(reader, node)).collect()
    }

    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self> {
        reader.known_fields(node, &["action", "namespaces", "namespaceSelector"]);
        reader.reads().namespace |= node.get("namespaceSelector").is_some();
        Some(Self {
            action: failure_action(reader, node, "action")?,
            namespaces: reader.texts(node, "namespaces"),
            namespace_selector: node.get("namespaceSelector").map(|node| LabelSelector::read(reader, &node)),
        })
    }
}

impl Check {
    fn read(reader: &mut Reader<'_>, key: &str, node: &Node<'_>) -> Option<Self> {
        Some(match key {
            "pattern" => Self::Pattern(node.value.clone()),
            "anyPattern" => Self::AnyPattern(node.value.clone()),
            "deny" => {
                reader.known_fields(node, &["conditions"]);
                Self::Deny(conditions(reader, node, "conditions"))
            }
            "foreach" => {
                Self::ForEach(node.elements().iter().map(|node| ForEachValidation::read(reader, node)).collect())
            }
            "podSecurity" => Self::PodSecurity(PodSecurity::read(reader, node)),
            "cel" => Self::Cel(Box::new(CelCheck::read(reader, node))),
            "manifests" => Self::Manifests(Manifests::read(reader, node)),
            "assert" => Self::Assert(node.value.clone()),
            _ => return None,
        })
    }
}

impl ForEachValidation {
    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Self {
        let settings = ["list", "elementScope", "context", "preconditions"];
        let checks = ["pattern", "anyPattern", "deny", "foreach"];
        reader.known_fields(node, &[&settings[..], &checks[..]].concat());
        let list = reader.text(node, "list").unwrap_or_default();
        let mut given = checks.iter().filter_map(|key| Some((*key, node.get(key)?)));
        let first = given.next();
        if given.next().is_some() {
            let message = format!("a foreach needs one of {}", checks.join(", "));
            reader.error(codes::INVALID_RULE, &node.path, message, "split it into one foreach per check");
        }
        Self {
            list,
            element_scope: reader.flag(node, "elementScope"),
            context: ContextEntry::read_all(reader, node),
            preconditions: conditions(reader, node, "preconditions"),
            check: first.and_then(|(key, node)| Check::read(reader, key, &node)),
        }
    }
}

impl PodSecurity {
    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Self {
        reader.known_fields(node, &["level", "version", "exclude"]);
        let exclude = reader.list(node, "exclude");
        Self {
            level: reader.text(node, "level").unwrap_or_default(),
            version: reader.text(node, "version").unwrap_or_default(),
            exclude: exclude.iter().map(|node| exclusion(reader, node)).collect(),
        }
    }
}

/// Reads a control that is let pass.
pub(crate) fn exclusion(reader: &mut Reader<'_>, node: &Node<'_>) -> Exclusion {
    reader.known_fields(node, &["controlName", "images", "restrictedField", "values"]);
    Exclusion {
        control: reader.text(node, "controlName").unwrap_or_default(),
        images: reader.texts(node, "images"),
        restricted_field: reader.text(node, "restrictedField").unwrap_or_default(),
        values: reader.texts(node, "values"),
    }
}

impl CelCheck {
    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Self {
        let known = ["generate", "expressions", "paramKind", "paramRef", "auditAnnotations", "variables"];
        reader.known_fields(node, &known);
        let expressions = reader.list(node, "expressions");
        let annotations = reader.list(node, "auditAnnotations");
        let param_kind = node.get("paramKind").map(|node| {
            reader.known_fields(&node, &["apiVersion", "kind"]);
            let api_version = reader.text(&node, "apiVersion").unwrap_or_default();
            (api_version, reader.text(&node, "kind").unwrap_or_default())
        });
        Self {
            expressions: expressions.iter().map(|node| CelValidation::read(reader, node)).collect(),
            variables: NamedExpression::read_all(reader, node, "variables"),
            param_kind,
            param_ref: node.get("paramRef").map(|node| node.value.clone()).unwrap_or_default(),
            audit_annotations: annotations
                .iter()
                .map(|node| NamedExpression {
                    name: reader.text(node, "key").unwrap_or_default(),
                    expression: reader.text(node, "valueExpression").unwrap_or_default(),
                })
                .collect(),
        }
    }
}

impl CelValidation {
    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Self {
        reader.known_fields(node, &["expression", "message", "messageExpression", "reason"]);
        Self {
            expression: reader.text(node, "expression").unwrap_or_default(),
            message: reader.text(node, "message").unwrap_or_default(),
            message_expression: reader.text(node, "messageExpression").unwrap_or_default(),
        }
    }
}
