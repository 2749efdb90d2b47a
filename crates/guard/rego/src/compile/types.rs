//! Finds calls, comparisons and references that can never give an answer because of their types.
//!
//! It goes through bodies in their final order, as OPA's type checker does, and knows less than it: parameters and base
//! documents may be anything. So it accepts whatever OPA accepts. Deliberately absent: schemas.

use palisade_model::Str;

use super::codes::TYPE;
use super::report::Report;
use super::resolve::{Branch, Gives, Resolved};
use super::resolved::{Body, Comprehension, Expression, Function, Head, Kind, Target, Term, TermKind, Var};
use super::shape::Shape;
use super::tree::Tree;
use crate::plan::{Collect, NodeId, RuleId, RuleKind};

/// Shapes of what rules and functions give; `None` while unknown.
pub(super) type RuleShapes = Vec<Option<Shape>>;

/// Checks all definitions of a rule and tells the shape of its value. Rules that it refers to come before it.
pub(super) fn check_rule<'a>(
    tree: &Tree,
    rule: RuleId,
    definitions: impl Iterator<Item = &'a Resolved>,
    rules: &RuleShapes,
    report: &mut Report,
) -> Shape {
    let (mut keys, mut values) = (Vec::new(), Vec::new());
    for definition in definitions {
        for branch in &definition.branches {
            let (key, value) = check_branch(tree, branch, definition.source, rules, report);
            keys.push(key);
            values.push(value);
        }
    }
    let hidden = tree.group(rule).is_some_and(|group| group.has_hidden);
    let value = if hidden { Shape::Any } else { Shape::one_of(values) };
    match tree.group(rule).map(|group| group.kind) {
        Some(RuleKind::Set) => Shape::Set(Box::new(value)),
        Some(RuleKind::Object) if hidden => Shape::object(Shape::Any, value),
        Some(RuleKind::Object) => Shape::object(Shape::one_of(keys), value),
        _ => value,
    }
    .shallow(0)
}

/// Checks a branch and tells the shapes of what it gives: of a member's key, and of the value where that is not nested.
pub(super) fn check_branch(
    tree: &Tree,
    branch: &Branch,
    source: usize,
    rules: &RuleShapes,
    report: &mut Report,
) -> (Shape, Shape) {
    let mut checker = Checker {
        tree,
        rules,
        report,
        source,
        known: vec![None; branch.variables.len()],
        learned: Vec::new(),
        replaced: Vec::new(),
    };
    for parameter in &branch.parameters {
        checker.set(*parameter, Shape::Any);
    }
    checker.body(&branch.body);
    match &branch.gives {
        Gives::Value(term) | Gives::Element(term) => (Shape::Any, checker.shape(term)),
        Gives::Member(path, term) | Gives::Nested(path, term) => {
            let key = path.first().map_or(Shape::Any, |key| checker.shape(key));
            let is_member = path.len() == 1 && matches!(branch.gives, Gives::Member(..));
            (key, if is_member { checker.shape(term) } else { Shape::Any })
        }
        Gives::Bindings(_) => (Shape::Any, Shape::Any),
    }
}

struct Checker<'a> {
    tree: &'a Tree,
    rules: &'a RuleShapes,
    report: &'a mut Report,
    source: usize,
    known: Vec<Option<Shape>>,
    /// Variables in the order in which they got their shapes.
    learned: Vec<Var>,
    /// Paths of documents that the condition replaces, so that nothing is known of them.
    replaced: Vec<Vec<Str>>,
}

impl Checker<'_> {
    fn set(&mut self, var: Var, shape: Shape) {
        if let Some(known) = self.known.get_mut(var as usize) {
            *known = Some(shape.shallow(0));
            self.learned.push(var);
        }
    }

    fn get(&self, var: Var) -> Option<&Shape> {
        self.known.get(var as usize).and_then(Option::as_ref)
    }

    fn body(&mut self, body: &Body) {
        for expression in body {
            self.condition(expression);
        }
    }

    /// A body whose variables are its own.
    fn closure(&mut self, work: impl FnOnce(&mut Self)) {
        let mark = self.learned.len();
        work(self);
        for var in self.learned.split_off(mark) {
            if let Some(known) = self.known.get_mut(var as usize) {
                *known = None;
            }
        }
    }

    fn condition(&mut self, expression: &Expression) {
        let mark = self.replaced.len();
        for with in expression.with.iter().flat_map(|with| with.iter()) {
            if let Target::Data(path) = &with.target {
                self.replaced.push(path.clone());
            }
        }
        self.kind(expression);
        self.replaced.truncate(mark);
    }

    fn kind(&mut self, expression: &Expression) {
        match &expression.kind {
            Kind::Term(term) => _ = self.shape(term),
            Kind::Unify(left, right) => self.match_terms(left, right, expression),
            Kind::Call(function, arguments) => self.call(*function, arguments, expression),
            Kind::Every { key, value, collection, body } => {
                let shape = self.shape(collection);
                let (keys, values) = shape.entries().unwrap_or((Shape::Any, Shape::Any));
                self.closure(|checker| {
                    if let Some(key) = key {
                        checker.set(*key, keys);
                    }
                    checker.set(*value, values);
                    checker.body(body);
                });
            }
            Kind::Not { body, .. } => self.closure(|checker| checker.body(body)),
            Kind::Print(arguments) => arguments.iter().for_each(|argument| _ = self.shape(argument)),
        }
    }

    fn match_terms(&mut self, left: &Term, right: &Term, expression: &Expression) {
        let right_shape = self.shape(right);
        let left_shape = self.shape(left);
        // The left side may have told what a variable on the right is.
        let right_shape = if matches!(right.kind, TermKind::Var(_)) { self.shape(right) } else { right_shape };
        if !left_shape.fits(&right_shape) {
            self.mismatch(&left_shape, &right_shape, expression);
        }
        self.learn(left, &right_shape);
        self.learn(right, &left_shape);
    }

    fn mismatch(&mut self, left: &Shape, right: &Shape, expression: &Expression) {
        let message = format!("match error: {} never equals {}", left.name(), right.name());
        let help = "compare values of the same type: convert one of them, or correct the term";
        self.report.error(TYPE, (self.source, expression.span), message, help);
    }

    fn call(&mut self, function: Function, arguments: &[Term], expression: &Expression) {
        if function.is_builtin("equal")
            && let [left, right] = arguments
        {
            return self.match_terms(left, right, expression);
        }
        let shapes: Vec<Shape> = arguments.iter().map(|argument| self.shape(argument)).collect();
        if function.is_builtin("internal.member_2")
            && let [element, collection, ..] = shapes.as_slice()
            && let Some((_, values)) = collection.entries()
            && !element.fits(&values)
        {
            self.mismatch(element, &values, expression);
        }
        let result = match function {
            Function::Builtin(builtin) => {
                for (number, (declared, shape)) in builtin.arguments.iter().zip(&shapes).enumerate() {
                    let wanted = Shape::from(declared);
                    if !shape.fits(&wanted) {
                        self.misfit(builtin.name, number, shape, &wanted, arguments);
                    }
                }
                Shape::from(&builtin.result)
            }
            Function::Rule { rule, .. } => self.rule(rule),
        };
        if let (Some(given), Some(term)) = (shapes.get(function.arity()), arguments.get(function.arity())) {
            if !given.fits(&result) {
                let name = match function {
                    Function::Builtin(builtin) => builtin.name.to_owned(),
                    Function::Rule { rule, .. } => {
                        self.tree.group(rule).map(|group| super::tree::show(&group.path)).unwrap_or_default()
                    }
                };
                let message =
                    format!("{name}: invalid argument(s): the result is {}, not {}", result.name(), given.name());
                self.report.error(TYPE, (self.source, term.span), message, "correct what the result is compared with");
            }
            self.learn(term, &result);
        }
    }

    fn misfit(&mut self, name: &str, number: usize, given: &Shape, wanted: &Shape, arguments: &[Term]) {
        let span = arguments.get(number).map_or_else(Default::default, |argument| argument.span);
        let message =
            format!("{name}: invalid argument(s): argument {} is {}, want {}", number + 1, given.name(), wanted.name());
        self.report.error(
            TYPE,
            (self.source, span),
            message,
            format!("give `{name}` a value of type {}", wanted.name()),
        );
    }

    /// Variables of a pattern get their shapes.
    fn learn(&mut self, pattern: &Term, shape: &Shape) {
        match &pattern.kind {
            TermKind::Var(var) if self.get(*var).is_none() => self.set(*var, shape.clone()),
            TermKind::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let part = shape.member(&index.into()).unwrap_or(Shape::Any);
                    self.learn(item, &part);
                }
            }
            TermKind::Object(members) => {
                for (key, member) in members {
                    let part = match &key.kind {
                        TermKind::Constant(key) => shape.member(key),
                        _ => shape.entries().map(|(_, values)| values),
                    };
                    self.learn(member, &part.unwrap_or(Shape::Any));
                }
            }
            _ => {}
        }
    }

    fn shape(&mut self, term: &Term) -> Shape {
        match &term.kind {
            TermKind::Constant(value) => Shape::of(value),
            TermKind::Var(var) => self.get(*var).cloned().unwrap_or(Shape::Any),
            TermKind::Reference(head, parts) => self.reference(*head, parts),
            TermKind::Array(items) => Shape::array_of(items.iter().map(|item| self.shape(item)).collect()),
            TermKind::Set(items) => {
                let items: Vec<_> = items.iter().map(|item| self.shape(item)).collect();
                Shape::Set(Box::new(Shape::one_of(items)))
            }
            TermKind::Object(members) => self.composed(members),
            TermKind::Comprehension(comprehension) => self.comprehension(comprehension),
        }
    }

    fn composed(&mut self, members: &[(Term, Term)]) -> Shape {
        let mut known = Vec::new();
        let mut others = Vec::new();
        for (key, value) in members {
            let value = self.shape(value);
            if let TermKind::Constant(key) = &key.kind {
                known.push((key.clone(), value));
            } else {
                self.shape(key);
                others.push(value);
            }
        }
        if others.is_empty() {
            return Shape::object_of(known);
        }
        others.extend(known.into_iter().map(|(_, value)| value));
        Shape::object(Shape::Any, Shape::one_of(others))
    }

    fn comprehension(&mut self, comprehension: &Comprehension) -> Shape {
        let mut shape = Shape::Any;
        self.closure(|checker| {
            checker.body(&comprehension.body);
            let value = checker.shape(&comprehension.value);
            shape = match (&comprehension.collect, &comprehension.key) {
                (Collect::Object, Some(key)) => Shape::object(checker.shape(key), value),
                (Collect::Set, _) => Shape::Set(Box::new(value)),
                _ => Shape::array(value),
            };
        });
        shape
    }

    fn rule(&self, rule: RuleId) -> Shape {
        self.rules.get(rule as usize).cloned().flatten().unwrap_or(Shape::Any)
    }

    fn reference(&mut self, head: Head, parts: &[Term]) -> Shape {
        let (mut shape, rest) = match head {
            Head::Input => (Shape::Any, parts),
            Head::Var(var) => (self.get(var).cloned().unwrap_or(Shape::Any), parts),
            Head::Data => self.below_data(parts),
        };
        for part in rest {
            let next = if let TermKind::Constant(key) = &part.kind {
                shape.member(key)
            } else {
                let key = self.shape(part);
                let entries = shape.entries().filter(|(keys, _)| keys.fits(&key));
                entries.map(|(keys, values)| {
                    self.learn(part, &keys);
                    values
                })
            };
            let Some(next) = next else {
                let message = format!("undefined ref: {} has no such member", shape.name());
                let help = "correct the path: the value before this part can never have it";
                self.report.error(TYPE, (self.source, part.span), message, help);
                self.known_anything(rest);
                return Shape::Any;
            };
            shape = next;
        }
        shape
    }

    fn known_anything(&mut self, parts: &[Term]) {
        for part in parts {
            self.learn(part, &Shape::Any);
        }
    }

    /// The shape of the rule that a reference starts with, and the parts after it.
    fn below_data<'t>(&mut self, parts: &'t [Term]) -> (Shape, &'t [Term]) {
        let meets =
            |path: &Vec<Str>| path.iter().zip(parts).all(|(name, part)| part.as_name().is_none_or(|it| it == name));
        if self.replaced.iter().any(meets) {
            return (Shape::Any, &[]);
        }
        let mut at: NodeId = 0;
        for (index, part) in parts.iter().enumerate() {
            let Some(node) = self.tree.nodes.get(at as usize) else { break };
            if let Some(rule) = node.rule {
                return (self.rule(rule), parts.get(index..).unwrap_or_default());
            }
            let Some(child) = part.as_name().and_then(|name| node.children.get(name)) else { break };
            at = *child;
        }
        let rule = self.tree.nodes.get(at as usize).and_then(|node| node.rule);
        (rule.map_or(Shape::Any, |rule| self.rule(rule)), &[])
    }
}
