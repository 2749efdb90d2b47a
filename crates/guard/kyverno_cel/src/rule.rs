//! The rules that one policy comes to: the policy as written, and its variants for what makes pods.

use palisade_cel::admission::{MatchResources, Node, Reader};
use palisade_model::Value;
use palisade_policy::{AdmissionRequest, Matched};

use super::autogen::{Shape, variants};
use super::judging::{self, Gate};

/// The policy as written, or a variant of it.
#[derive(Debug)]
pub(super) struct Rule<W> {
    pub(super) constraints: MatchResources,
    /// Whether the pods are taken out of the object and judged one by one.
    pub(super) extracts: bool,
    pub(super) gate: Gate,
    /// What the kind does with what is selected and let through.
    pub(super) work: W,
}

impl<W> Rule<W> {
    /// The rules of a policy about Kubernetes objects: what `compile` makes of its spec, and of the specs that
    /// `rewrite` writes for its variants.
    pub(super) fn about_objects(
        reader: &mut Reader<'_>,
        spec: &Node<'_>,
        rewrite: fn(&Value, Shape) -> Value,
        compile: impl Fn(&mut Reader<'_>, &Node<'_>) -> (Gate, W),
    ) -> Vec<Self> {
        let constraints = judging::constraints(reader, spec);
        let variants = variants(reader, spec, &constraints);
        let (gate, work) = compile(reader, spec);
        let mut rules = vec![Self { constraints, extracts: false, gate, work }];
        for variant in variants {
            // What is wrong with the policy would be said again of every variant.
            if reader.failed() {
                break;
            }
            let rewritten = rewrite(spec.value, variant.shape);
            let (gate, work) = compile(reader, &Node { value: &rewritten, path: spec.path.clone() });
            let extracts = variant.shape == Shape::Extracted;
            rules.push(Self { constraints: variant.constraints, extracts, gate, work });
        }
        rules
    }

    /// The requests that the rules may select.
    pub(super) fn reach(rules: &[Self]) -> Vec<Matched> {
        rules.iter().flat_map(|rule| rule.constraints.reach()).collect()
    }

    /// The one rule of a policy about JSON documents, which have nothing to select them by.
    pub(super) fn about_documents((gate, work): (Gate, W)) -> Vec<Self> {
        vec![Self { constraints: MatchResources::default(), extracts: false, gate, work }]
    }

    /// Whether kind and operation alone allow the rule to select the request.
    pub(super) fn may_select(&self, request: &AdmissionRequest) -> bool {
        self.constraints.may_match(request)
    }
}
