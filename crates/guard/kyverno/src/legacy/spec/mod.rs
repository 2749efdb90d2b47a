//! The legacy policy kinds as types: what a ClusterPolicy or Policy says, read once.
//!
//! Reading reports every unknown field, wrong type and contradiction with its place. Deliberately absent: judging,
//! variables (they stay in texts and values as written) and the rules that autogen derives.

mod context_entry;
mod generate;
mod manifests;
mod matching;
mod mutate;
mod validate;

use palisade_model::{Str, Value};

use crate::legacy::codes;
use crate::legacy::condition::Conditions;

pub use context_entry::{ContextEntry, EntrySource};
pub use generate::{ForEachGeneration, GeneratePattern, Generation};
pub use manifests::{Attestor, AttestorSet, Authority, FieldBinding, Manifests, ObjectReference};
pub use matching::{
    KindSelector, LabelSelector, MatchBlock, Requirement, ResourceDescription, ResourceFilter, Subject,
};
pub use mutate::{ForEachMutation, Mutation, Patch, Target};
pub use palisade_cel::admission::{Node, Reader};
pub(crate) use validate::exclusion;
pub use validate::{CelCheck, CelValidation, Check, FailureActionOverride, ForEachValidation, PodSecurity, Validation};

/// `spec` of a policy, without its rules.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "the settings of the policy kinds, one by one")]
pub struct PolicySpec {
    /// Whether rules end at the first one that applies.
    pub apply_one: bool,
    /// What a violation leads to where a rule does not say.
    pub failure_action: FailureAction,
    /// Other actions for some namespaces.
    pub failure_action_overrides: Vec<FailureActionOverride>,
    /// Whether violations are also shown as warnings.
    pub emit_warning: bool,
    /// Whether the policy judges admission requests.
    pub admission: bool,
    /// Whether the policy judges existing objects.
    pub background: bool,
    /// CEL expressions that requests must satisfy to be judged.
    pub match_conditions: Vec<NamedExpression>,
}

/// A rule, as written or as derived by autogen.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name.
    pub name: Str,
    /// Which resources it selects.
    pub matches: MatchBlock,
    /// Which of them it leaves out.
    pub exclude: Option<MatchBlock>,
    /// Named values.
    pub context: Vec<ContextEntry>,
    /// Facts for reports; values may hold variables.
    pub report_properties: Vec<(Str, Str)>,
    /// Custom places of images, as written.
    pub image_extractors: Value,
    /// What must hold for the rule to judge.
    pub preconditions: Option<Conditions>,
    /// CEL expressions that must hold for a `cel` rule to judge.
    pub cel_preconditions: Vec<NamedExpression>,
    /// Whether requests of Kyverno's own background controller are left out.
    pub skip_background_requests: bool,
    /// What the rule does.
    pub body: Body,
}

/// What a rule does.
#[derive(Clone, Debug)]
pub enum Body {
    /// Judges.
    Validate(Box<Validation>),
    /// Changes.
    Mutate(Box<Mutation>),
    /// Creates.
    Generate(Box<Generation>),
    /// Verifies image signatures; the list as written.
    VerifyImages(Value),
}

/// A CEL expression with a name.
#[derive(Clone, Debug, Default)]
pub struct NamedExpression {
    /// The name.
    pub name: Str,
    /// The expression.
    pub expression: Str,
}

/// What a violation leads to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailureAction {
    /// The request is denied.
    Enforce,
    /// The violation is reported.
    #[default]
    Audit,
}

impl PolicySpec {
    /// Reads `spec`, without its rules.
    pub fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Self {
        reader.known_fields(node, &FIELDS);
        let webhook = node.get("webhookConfiguration");
        if let Some(webhook) = &webhook {
            reader.known_fields(webhook, &["failurePolicy", "timeoutSeconds", "matchConditions"]);
        }
        let apply = reader.text(node, "applyRules");
        if let Some(other) = apply.as_deref().filter(|text| !matches!(*text, "One" | "All")) {
            let message = format!("unknown value `{other}` of applyRules");
            reader.error(codes::UNKNOWN_NAME, &node.path.child("applyRules"), message, "one of All, One");
        }
        Self {
            apply_one: apply.as_deref() == Some("One"),
            failure_action: failure_action(reader, node, "validationFailureAction").unwrap_or_default(),
            failure_action_overrides: FailureActionOverride::read_all(reader, node, "validationFailureActionOverrides"),
            emit_warning: reader.flag(node, "emitWarning").unwrap_or(false),
            admission: reader.flag(node, "admission").unwrap_or(true),
            background: reader.flag(node, "background").unwrap_or(true),
            match_conditions: webhook
                .map(|webhook| NamedExpression::read_all(reader, &webhook, "matchConditions"))
                .unwrap_or_default(),
        }
    }
}

const FIELDS: [&str; 16] = [
    "rules",
    "applyRules",
    "failurePolicy",
    "validationFailureAction",
    "validationFailureActionOverrides",
    "emitWarning",
    "admission",
    "background",
    "schemaValidation",
    "webhookTimeoutSeconds",
    "mutateExistingOnPolicyUpdate",
    "generateExistingOnPolicyUpdate",
    "generateExisting",
    "useServerSideApply",
    "webhookConfiguration",
    "autogen",
];

impl Rule {
    /// Reads a rule; `None` where it has no body that could run.
    pub fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self> {
        const SETTINGS: [&str; 9] = [
            "name",
            "match",
            "exclude",
            "context",
            "reportProperties",
            "imageExtractors",
            "preconditions",
            "celPreconditions",
            "skipBackgroundRequests",
        ];
        reader.known_fields(node, &[&SETTINGS[..], &BODIES[..]].concat());
        let name = reader.text(node, "name").unwrap_or_default();
        let block = |reader: &mut Reader<'_>, key: &str| node.get(key).map(|node| MatchBlock::read(reader, &node));
        Some(Self {
            name,
            matches: block(reader, "match").unwrap_or_default(),
            exclude: block(reader, "exclude"),
            context: ContextEntry::read_all(reader, node),
            report_properties: reader.text_map(node, "reportProperties"),
            image_extractors: node.get("imageExtractors").map(|node| node.value.clone()).unwrap_or_default(),
            preconditions: conditions(reader, node, "preconditions"),
            cel_preconditions: NamedExpression::read_all(reader, node, "celPreconditions"),
            skip_background_requests: reader.flag(node, "skipBackgroundRequests").unwrap_or(true),
            body: Body::read(reader, node)?,
        })
    }
}

impl Rule {
    /// The queries of the rule's loops.
    pub fn lists(&self) -> Vec<&str> {
        fn of_validation<'r>(loops: &'r [ForEachValidation], lists: &mut Vec<&'r str>) {
            for item in loops {
                lists.push(&item.list);
                if let Some(Check::ForEach(loops)) = &item.check {
                    of_validation(loops, lists);
                }
            }
        }
        fn of_mutation<'r>(loops: &'r [ForEachMutation], lists: &mut Vec<&'r str>) {
            for item in loops {
                lists.push(&item.list);
                of_mutation(&item.foreach, lists);
            }
        }
        let mut lists = Vec::new();
        match &self.body {
            Body::Validate(validation) => {
                if let Check::ForEach(loops) = &validation.check {
                    of_validation(loops, &mut lists);
                }
            }
            Body::Mutate(mutation) => of_mutation(&mutation.foreach, &mut lists),
            Body::Generate(generation) => lists.extend(generation.foreach.iter().map(|item| &*item.list)),
            Body::VerifyImages(_) => {}
        }
        lists
    }
}

/// The members of a rule, of which exactly one says what it does.
const BODIES: [&str; 4] = ["validate", "mutate", "generate", "verifyImages"];

impl Body {
    fn read(reader: &mut Reader<'_>, rule: &Node<'_>) -> Option<Self> {
        let mut given = BODIES.iter().filter_map(|key| Some((*key, rule.get(key)?)));
        let (Some((key, node)), None) = (given.next(), given.next()) else {
            let message = format!("a rule needs exactly one of {}", BODIES.join(", "));
            reader.error(codes::INVALID_RULE, &rule.path, message, "split it into one rule per action");
            return None;
        };
        Some(match key {
            "validate" => Self::Validate(Box::new(Validation::read(reader, &node)?)),
            "mutate" => Self::Mutate(Box::new(Mutation::read(reader, &node))),
            "generate" => Self::Generate(Box::new(Generation::read(reader, &node))),
            _ => Self::VerifyImages(node.value.clone()),
        })
    }
}

impl NamedExpression {
    /// Reads a list of `{name, expression}`.
    pub fn read_all(reader: &mut Reader<'_>, parent: &Node<'_>, key: &str) -> Vec<Self> {
        let nodes = reader.list(parent, key);
        let read = |node: &Node<'_>| {
            reader.known_fields(node, &["name", "expression"]);
            Self {
                name: reader.text(node, "name").unwrap_or_default(),
                expression: reader.text(node, "expression").unwrap_or_default(),
            }
        };
        nodes.iter().map(read).collect()
    }
}

/// Reads conditions; `None` where they are absent or wrong.
pub(crate) fn conditions(reader: &mut Reader<'_>, parent: &Node<'_>, key: &str) -> Option<Conditions> {
    let node = parent.get(key)?;
    match Conditions::parse(node.value) {
        Ok(conditions) => Some(conditions),
        Err(message) => {
            reader.error(
                codes::INVALID_CONDITION,
                &node.path,
                message,
                "write `any` or `all` with key, operator, value",
            );
            None
        }
    }
}

/// Reads a failure action in any of its spellings.
fn failure_action(reader: &mut Reader<'_>, parent: &Node<'_>, key: &str) -> Option<FailureAction> {
    let text = reader.text(parent, key)?;
    match &*text {
        "Enforce" | "enforce" => Some(FailureAction::Enforce),
        "Audit" | "audit" => Some(FailureAction::Audit),
        other => {
            let message = format!("unknown failure action `{other}`");
            reader.error(codes::UNKNOWN_NAME, &parent.path.child(key), message, "one of Enforce, Audit");
            None
        }
    }
}
