//! What modules read beside the desired state of the objects in `input`, from their syntax trees.
//!
//! Rules hand parts of `input` to one another, so that a name counts wherever it is written out. Deliberately absent: names
//! that are computed.

use palisade_policy::Reads;
use palisade_rego_value::Value;

use crate::syntax::ast::{Module, Term, TermKind};
use crate::syntax::visit;

/// What `modules` read, where objects stand at the paths `objects` of `input`.
pub fn of<'m>(modules: impl IntoIterator<Item = &'m Module>, objects: &[&[&str]]) -> Reads {
    let mut reads = Reads::nothing();
    for module in modules {
        for import in module.imports.iter().filter(|import| import.path.first().is_some_and(|root| &**root == "input"))
        {
            let names: Vec<&str> = import.path.iter().skip(1).map(|name| &**name).collect();
            of_input(&names, objects, &mut reads);
        }
        visit::terms(module, &mut |term| of_term(term, objects, &mut reads));
    }
    reads
}

fn of_term(term: &Term, objects: &[&[&str]], reads: &mut Reads) -> bool {
    match &term.kind {
        TermKind::Scalar(Value::String(text)) => {
            reads.name(text);
            reads.namespace |= &**text == "_unstable";
            true
        }
        TermKind::Variable(name) => {
            if &**name == "input" {
                of_input(&[], objects, reads);
            }
            true
        }
        TermKind::Call(callee, _) => {
            if let TermKind::Reference(head, parts) = &callee.kind
                && is_variable(head, "http")
                && names_of(parts) == ["send"]
            {
                reads.look_up_anything();
            }
            true
        }
        TermKind::Reference(head, parts) => {
            let names = names_of(parts);
            if is_variable(head, "input") {
                of_input(&names, objects, reads);
                return false;
            }
            // A review that was handed over.
            if let ["object" | "oldObject", rest @ ..] = &names[..] {
                reads.field(rest.iter().copied());
            }
            true
        }
        _ => true,
    }
}

fn of_input(names: &[&str], objects: &[&[&str]], reads: &mut Reads) {
    for rest in objects.iter().filter_map(|object| names.strip_prefix(*object)) {
        reads.field(rest.iter().copied());
    }
}

fn is_variable(term: &Term, name: &str) -> bool {
    matches!(&term.kind, TermKind::Variable(found) if &**found == name)
}

/// The parts of a reference that are written out, up to the first that is not.
fn names_of(parts: &[Term]) -> Vec<&str> {
    let name = |part| match part {
        &Term { kind: TermKind::Scalar(Value::String(ref name)), .. } => Some(&**name),
        _ => None,
    };
    parts.iter().map_while(name).collect()
}

#[cfg(test)]
mod tests {
    use palisade_model::Source;

    use super::*;
    use crate::syntax::ast::Version;
    use crate::syntax::parse;

    fn reads(rule: &str, objects: &[&[&str]]) -> Reads {
        let source = Source::new("a.rego", format!("package a\n{rule}\n"));
        let (module, diagnostics) = parse(source, Version::V1);
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        of(&module, objects)
    }

    #[test]
    fn names_and_whole_objects_tell_what_is_read() {
        let review: &[&[&str]] = &[&["review", "object"], &["review", "oldObject"]];
        let plain = "deny if input.review.object.spec.containers[_].image == \"a\"";
        assert_eq!(reads(plain, review), Reads::nothing());
        assert!(reads("deny if input.review.object.status.phase == \"a\"", review).status);
        assert!(reads("deny if json.marshal(input.review.object) == \"a\"", review).status);
        assert!(
            reads("deny if f(input.review)\nf(review) if review.object.metadata.generation > 1", review).server_fields
        );
        assert!(!reads("deny if f(input.review)\nf(review) if review.operation == \"UPDATE\"", review).status);
        assert!(reads("deny if input.review.namespaceObject.metadata.name == \"a\"", review).namespace);
        assert!(reads("deny if count(input) > 1", &[&[]]).status);
        assert!(!reads("deny if input.kind == \"Pod\"", &[&[]]).status);
    }

    #[test]
    fn other_hosts_may_say_anything() {
        let asking =
            reads("deny if http.send({\"method\": \"GET\", \"url\": \"https://a.example\"}).status_code == 200", &[]);
        assert!(asking.looks_up("Secret"));
    }
}
