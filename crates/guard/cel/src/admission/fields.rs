//! Which fields of the object an expression looks at, and which of them made it false.
//!
//! The fields are read from the syntax tree, through variables and loop variables. Where a list is looped over, the
//! element at fault is found by asking the expression again about objects that have one element left. All this
//! happens after a failure only; it decides nothing, so whatever is not understood is left out.

use palisade_model::{Map, Path, Segment, Str, Value};

use super::evaluation::{Evaluation, PREFIX};
use super::expression::Expression;
use crate::syntax::{Comprehension, Expr, ExprKind};
use crate::{Budget, Dict, EvalError, Scope, Val};

/// A step of a [`Field`].
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(Str),
    Index(usize),
    /// Any element of a list.
    Each,
}

/// A route from the object to a field.
type Field = Vec<Step>;

/// What the search for an element may spend altogether.
const SEARCH_COST: u64 = 1_000_000;
/// The most evaluations that the search for an element may take.
const MAX_TRIALS: usize = 64;
/// The most nodes of syntax trees that are looked at, variables expanded.
const MAX_NODES: usize = 4_000;
/// The most fields that are reported.
const MAX_PATHS: usize = 4;
/// The most fields that are looked at, so that long expressions stay cheap.
const MAX_FIELDS: usize = 32;
/// The most values of one field.
const MAX_VALUES: usize = 4_096;
/// The most steps of one field.
const MAX_STEPS: usize = 24;

/// Functions that reach outside; an expression that calls one is not asked again.
const OUTSIDE: [&str; 8] = ["Get", "List", "Post", "GetMetadata", "Apply", "get", "list", "post"];

/// What an expression looks at, whatever the object. The same for every evaluation, so it is found once.
#[derive(Debug)]
pub(super) struct Looks {
    fields: Vec<Field>,
    /// Whether the expression calls a function that reaches outside.
    outside: bool,
}

impl Looks {
    /// Reads the expression and the variables of its policy.
    pub(super) fn of(expression: &Expression, evaluation: &Evaluation<'_>) -> Self {
        let mut walk = Walk { evaluation, fields: Vec::new(), outside: false, depth: 0, nodes: MAX_NODES };
        walk.expression(expression);
        Self { fields: walk.fields, outside: walk.outside }
    }
}

impl Looks {
    /// The values that are looked at, with their places.
    pub(super) fn values<'o>(&self, object: &'o Value) -> Vec<(Path, &'o Value)> {
        let mut found = Vec::new();
        for field in &self.fields {
            let mut here = vec![(Path::root(), object)];
            for step in field {
                here =
                    here.into_iter().flat_map(|(path, value)| stepped(&path, value, step)).take(MAX_VALUES).collect();
            }
            found.extend(here);
        }
        found
    }
}

/// What is one step below.
fn stepped<'o>(path: &Path, value: &'o Value, step: &Step) -> Vec<(Path, &'o Value)> {
    match step {
        Step::Key(key) => value.get(key).map(|value| (path.child(&**key), value)).into_iter().collect(),
        Step::Index(index) => {
            let item = value.as_array().and_then(|items| items.get(*index));
            item.map(|item| (path.child(*index), item)).into_iter().collect()
        }
        Step::Each => {
            elements(value, &Path::root()).into_iter().map(|(segment, item)| (path.child(segment), item)).collect()
        }
    }
}

/// The offending fields, most telling first.
pub(super) fn offending(looks: &Looks, expression: &Expression, evaluation: &Evaluation<'_>) -> Vec<Path> {
    let Looks { fields, outside } = looks;
    let mut paths = Vec::new();
    if !outside && let Some(object) = json_object(evaluation.variable("object", &mut Budget::default())) {
        let mut search = Search { expression, evaluation, trials: MAX_TRIALS, budget: Budget::new(SEARCH_COST) };
        search.run(&object, fields, &mut paths);
    }
    if !paths.is_empty() {
        return paths;
    }
    let mut plain: Vec<&Field> = fields.iter().collect();
    plain.sort_by_key(|field| std::cmp::Reverse(fixed(field).len()));
    for field in plain {
        let path = to_path(fixed(field));
        let said = paths.iter().any(|other: &Path| other.0.starts_with(&path.0));
        if !said && !path.is_root() && paths.len() < MAX_PATHS {
            paths.push(path);
        }
    }
    paths
}

pub(super) fn json_object(value: Option<Result<Val, EvalError>>) -> Option<Value> {
    match value {
        Some(Ok(Val::Map(Dict::Json(map)))) => Some(Value::Object(map)),
        _ => None,
    }
}

/// The steps before the first list.
fn fixed(field: &[Step]) -> &[Step] {
    let end = field.iter().position(|step| *step == Step::Each).unwrap_or(field.len());
    field.get(..end).unwrap_or_default()
}

fn to_path(steps: &[Step]) -> Path {
    let segment = |step: &Step| match step {
        Step::Key(key) => Some(Segment::Key(key.clone())),
        Step::Index(index) => Some(Segment::Index(*index)),
        Step::Each => None,
    };
    Path(steps.iter().map_while(segment).collect())
}

/// Names that stand for parts of the object while a tree is walked.
type Locals = Vec<(Str, Vec<Field>)>;

struct Walk<'a> {
    evaluation: &'a Evaluation<'a>,
    fields: Vec<Field>,
    outside: bool,
    depth: usize,
    nodes: usize,
}

impl Walk<'_> {
    fn expression(&mut self, expression: &Expression) {
        if let Some(tree) = expression.tree() {
            self.collect(&tree, &mut Vec::new());
        }
    }

    fn add(&mut self, fields: Vec<Field>) {
        for field in fields {
            let known = self.fields.iter().any(|other| other.starts_with(&field));
            if !known && self.fields.len() < MAX_FIELDS {
                self.fields.retain(|other| !field.starts_with(other));
                self.fields.push(field);
            }
        }
    }

    /// Counts a node; `false` once enough was looked at.
    fn visit(&mut self) -> bool {
        self.nodes = self.nodes.saturating_sub(1);
        self.nodes > 0
    }

    fn collect(&mut self, expr: &Expr, locals: &mut Locals) {
        if !self.visit() {
            return;
        }
        let routes = self.routes(expr, locals);
        if !routes.is_empty() {
            self.add(routes);
        }
        match &expr.kind {
            ExprKind::Literal(_) | ExprKind::Ident(_) => {}
            ExprKind::Select { operand, .. } | ExprKind::Has { operand, .. } => self.collect(operand, locals),
            ExprKind::Index { operand, index, .. } => {
                self.collect(operand, locals);
                self.collect(index, locals);
            }
            ExprKind::Call { target, function, args } => {
                self.outside |= OUTSIDE.contains(&function.rsplit('.').next().unwrap_or_default());
                for operand in target.iter().map(|target| &**target).chain(args) {
                    self.collect(operand, locals);
                }
            }
            ExprKind::And(operands) | ExprKind::Or(operands) => {
                for operand in operands {
                    self.collect(operand, locals);
                }
            }
            ExprKind::Conditional(parts) => parts.iter().for_each(|part| self.collect(part, locals)),
            ExprKind::List(elements) => elements.iter().for_each(|element| self.collect(&element.value, locals)),
            ExprKind::Map(entries) => entries.iter().for_each(|entry| self.collect(&entry.value, locals)),
            ExprKind::Struct { fields, .. } => fields.iter().for_each(|(_, field)| self.collect(&field.value, locals)),
            ExprKind::Comprehension(comprehension) => self.comprehension(comprehension, locals),
            ExprKind::Bind { name, value, body } => {
                self.collect(value, locals);
                let routes = self.routes(value, locals);
                locals.push((name.clone(), routes));
                self.collect(body, locals);
                locals.pop();
            }
        }
    }

    fn comprehension(&mut self, comprehension: &Comprehension, locals: &mut Locals) {
        self.collect(&comprehension.range, locals);
        let mut element = self.routes(&comprehension.range, locals);
        for field in &mut element {
            field.push(Step::Each);
        }
        let (first, second) = match &comprehension.second {
            Some(value) => (Vec::new(), Some((value.clone(), element))),
            None => (element, None),
        };
        let known = locals.len();
        locals.push((comprehension.first.clone(), first));
        locals.extend(second);
        if let Some(filter) = &comprehension.filter {
            self.collect(filter, locals);
        }
        self.collect(&comprehension.body, locals);
        locals.truncate(known);
    }

    /// The fields that an expression stands for; none where it computes something else.
    fn routes(&mut self, expr: &Expr, locals: &Locals) -> Vec<Field> {
        if !self.visit() {
            return Vec::new();
        }
        let below = |mut routes: Vec<Field>, step: Step| {
            routes.iter_mut().filter(|route| route.len() < MAX_STEPS).for_each(|route| route.push(step.clone()));
            routes
        };
        match &expr.kind {
            ExprKind::Ident(name) => match locals.iter().rev().find(|(local, _)| local == name) {
                Some((_, routes)) => routes.clone(),
                None if &**name == "object" => vec![Field::new()],
                None => Vec::new(),
            },
            ExprKind::Select { operand, field, .. } | ExprKind::Has { operand, field } => match &operand.kind {
                ExprKind::Ident(name) if &**name == "variables" => self.variable(field),
                ExprKind::Ident(name) if &**name == "request" && &**field == "object" => vec![Field::new()],
                _ => below(self.routes(operand, locals), Step::Key(field.clone())),
            },
            ExprKind::Index { operand, index, .. } => match &index.kind {
                ExprKind::Literal(Val::String(key)) => below(self.routes(operand, locals), Step::Key(key.clone())),
                ExprKind::Literal(Val::Int(at)) => usize::try_from(*at)
                    .map_or_else(|_| Vec::new(), |at| below(self.routes(operand, locals), Step::Index(at))),
                _ => Vec::new(),
            },
            ExprKind::Call { target: Some(target), function, .. } if &**function == "orValue" => {
                self.routes(target, locals)
            }
            ExprKind::Call { target: None, function, args } if matches!(&**function, "_+_" | "__orValueCompat__") => {
                let operands = if &**function == "_+_" { args.as_slice() } else { args.get(..1).unwrap_or_default() };
                operands.iter().flat_map(|operand| self.routes(operand, locals)).collect()
            }
            ExprKind::Conditional(parts) => {
                let [_, then, otherwise] = &**parts;
                let mut routes = self.routes(then, locals);
                routes.extend(self.routes(otherwise, locals));
                routes
            }
            // A filtered list still holds elements of the list that was filtered.
            ExprKind::Comprehension(comprehension) if comprehension.filter.is_some() => {
                match &comprehension.body.kind {
                    ExprKind::Ident(name) if *name == comprehension.first => self.routes(&comprehension.range, locals),
                    _ => Vec::new(),
                }
            }
            _ => Vec::new(),
        }
    }

    fn variable(&mut self, name: &str) -> Vec<Field> {
        let variables = self.evaluation.variables();
        let Some((_, variable)) = variables.find(&format!("{PREFIX}{name}")) else { return Vec::new() };
        let Some(tree) = variable.expression.tree().filter(|_| self.depth < MAX_STEPS) else { return Vec::new() };
        self.depth += 1;
        let routes = self.routes(&tree, &Vec::new());
        if routes.is_empty() {
            self.collect(&tree, &mut Vec::new());
        }
        self.depth -= 1;
        routes
    }
}

/// The search for the elements at fault.
struct Search<'a> {
    expression: &'a Expression,
    evaluation: &'a Evaluation<'a>,
    trials: usize,
    budget: Budget,
}

impl Search<'_> {
    fn run(&mut self, object: &Value, fields: &[Field], paths: &mut Vec<Path>) {
        let mut lists: Vec<Path> = Vec::new();
        for field in fields.iter().filter(|field| field.contains(&Step::Each)) {
            let list = to_path(fixed(field));
            if !lists.contains(&list) && !elements(object, &list).is_empty() {
                lists.push(list);
            }
        }
        let emptied = lists.iter().fold(object.clone(), |object, list| with_elements(&object, list, &[]));
        if lists.is_empty() || self.is_false(&emptied) {
            return;
        }
        for list in &lists {
            // Where emptying this list alone mends the object, the others are left as they are: the expression may
            // compare with them. Else several are at fault, and each is looked at without the others.
            // Where there are no others, this was tried already.
            let mended = lists.len() == 1 || !self.is_false(&with_elements(object, list, &[]));
            let others = if mended { object } else { &emptied };
            match self.at_fault(others, list, elements(object, list)) {
                Some((Segment::Index(index), item, alone)) => paths.extend(
                    self.below(&alone, list, index, fields).unwrap_or_else(|| vec![within(list, index, item, fields)]),
                ),
                Some((key, ..)) => paths.push(list.child(key)),
                None => {}
            }
        }
    }

    /// The first element that makes the expression false without the others, and the object with it alone. Halves are
    /// asked about, so that a list may be long.
    fn at_fault<'o>(
        &mut self,
        others: &Value,
        list: &Path,
        mut elements: Vec<(Segment, &'o Value)>,
    ) -> Option<(Segment, &'o Value, Value)> {
        while elements.len() > 1 {
            let second = elements.split_off(elements.len() / 2);
            if !self.is_false(&with_elements(others, list, &elements)) {
                elements = second;
            }
        }
        let alone = with_elements(others, list, &elements);
        let (segment, item) = elements.pop().filter(|_| self.is_false(&alone))?;
        Some((segment, item, alone))
    }

    /// The elements at fault of lists within an element, which stands alone in `object`.
    fn below(&mut self, object: &Value, list: &Path, index: usize, fields: &[Field]) -> Option<Vec<Path>> {
        let entered = |field: &Field| {
            let mut field = field.clone();
            let inside = to_path(fixed(&field)) == *list;
            *field.get_mut(list.0.len()).filter(|_| inside)? = Step::Index(0);
            field.contains(&Step::Each).then_some(field)
        };
        let fields: Vec<Field> = fields.iter().filter_map(entered).collect();
        let mut paths = Vec::new();
        if !fields.is_empty() {
            self.run(object, &fields, &mut paths);
        }
        for path in &mut paths {
            if let Some(segment) = path.0.get_mut(list.0.len()) {
                *segment = Segment::Index(index);
            }
        }
        (!paths.is_empty()).then_some(paths)
    }

    /// Whether the expression is false about `object`.
    fn is_false(&mut self, object: &Value) -> bool {
        let Some(left) = self.trials.checked_sub(1) else { return false };
        self.trials = left;
        let subject = self.evaluation.subject_about(object);
        let evaluation = self.evaluation.about(&subject);
        matches!(self.expression.compute(&evaluation, &mut self.budget), Ok(Val::Bool(false)))
    }
}

/// The element and, below it, the deepest field that the expression looks at and that is there.
fn within(list: &Path, index: usize, item: &Value, fields: &[Field]) -> Path {
    let element = list.child(index);
    let rest = |field: &Field| {
        let steps = field.get(list.0.len()..).unwrap_or_default();
        let same = to_path(fixed(field)) == *list;
        let rest = to_path(steps.get(1..).unwrap_or_default());
        (same && rest.resolve(item).is_some()).then_some(rest)
    };
    let deepest = fields.iter().filter_map(rest).max_by_key(|rest| rest.0.len()).unwrap_or_default();
    Path(element.0.into_iter().chain(deepest.0).collect())
}

/// The elements of the list or map at `path`.
fn elements<'o>(object: &'o Value, path: &Path) -> Vec<(Segment, &'o Value)> {
    match path.resolve(object) {
        Some(Value::Array(items)) => {
            items.iter().enumerate().map(|(index, item)| (Segment::Index(index), item)).collect()
        }
        Some(Value::Object(map)) => map.iter().map(|(key, item)| (Segment::Key(key.clone()), item)).collect(),
        _ => Vec::new(),
    }
}

/// `object` with nothing but `kept` in the list or map at `path`.
fn with_elements(object: &Value, path: &Path, kept: &[(Segment, &Value)]) -> Value {
    let mut object = object.clone();
    let mut here = Some(&mut object);
    for segment in &path.0 {
        here = match (here, segment) {
            (Some(value), Segment::Key(key)) => value.as_object_mut().and_then(|map| map.get_mut(key)),
            (Some(value), Segment::Index(index)) => value.as_array_mut().and_then(|items| items.get_mut(*index)),
            (None, _) => None,
        };
    }
    if let Some(list) = here {
        let member = |(segment, item): &(Segment, &Value)| match segment {
            Segment::Key(key) => Some((key.clone(), Value::clone(item))),
            Segment::Index(_) => None,
        };
        *list = match &*list {
            Value::Object(_) => Value::object(kept.iter().filter_map(member).collect::<Map>()),
            _ => Value::array(kept.iter().map(|(_, item)| Value::clone(item)).collect::<Vec<_>>()),
        };
    }
    object
}
