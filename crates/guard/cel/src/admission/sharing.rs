//! What policies have in common: expressions that are compiled once, and evaluated once for a request.
//!
//! The rules of a pack ask the same condition of every request and gather the same containers. An expression that depends on
//! the request alone has one program in all policies that are loaded together ([`Pool`]), and the request keeps its value
//! and its cost ([`Memo`]). The cost is charged to each policy that comes by, so that no verdict depends on what was loaded
//! beside a policy. Deliberately absent: expressions that name a policy's own variables, parameters or surroundings.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use palisade_model::Str;

use super::evaluation::PREFIX;
use crate::{Budget, CompileError, Env, EvalError, Program, Scope, Val};

/// The variables that a request decides.
pub(super) const OF_REQUEST: [&str; 3] = ["object", "oldObject", "request"];

/// Programs of the policies that are loaded together, by their text.
#[derive(Debug, Default)]
pub struct Pool(RefCell<HashMap<Str, Vec<(Env, Program)>>>);

impl Pool {
    /// The program of `text` in `env`, which is that of an earlier expression where both mean the same.
    pub(super) fn compile(&self, env: &Env, text: &str) -> Result<Program, Vec<CompileError>> {
        if let Some(program) = self.find(env, text) {
            return Ok(program);
        }
        let program = env.compile(text)?;
        if depends_on_request_alone(&program) {
            self.0.borrow_mut().entry(text.into()).or_default().push((env.clone(), program.clone()));
        }
        Ok(program)
    }

    fn find(&self, env: &Env, text: &str) -> Option<Program> {
        let pool = self.0.borrow();
        let (_, program) = pool.get(text)?.iter().find(|(of, _)| of.agrees_with(env, PREFIX))?;
        program.share();
        Some(program.clone())
    }
}

/// Whether the value is the same in every policy. A policy's own variables have any name after `variables.`, so a text with
/// that word may mean something else beside them.
fn depends_on_request_alone(program: &Program) -> bool {
    let names = program.references();
    !program.is_contextual()
        && !program.source().contains("variables")
        && names.iter().all(|name| OF_REQUEST.contains(&&**name))
}

/// Values of shared programs about one request.
#[derive(Debug, Default)]
pub(super) struct Memo(Mutex<Vec<Remembered>>);

#[derive(Debug)]
struct Remembered {
    program: Program,
    value: Result<Val, EvalError>,
    cost: u64,
}

impl Memo {
    /// The value of a shared program, which costs the same whether it is known already or not.
    pub(super) fn evaluate(&self, program: &Program, scope: &dyn Scope, budget: &mut Budget) -> Result<Val, EvalError> {
        if let Some((value, cost)) = self.recall(program) {
            budget.spend(cost)?;
            return value;
        }
        let before = budget.spent();
        let value = program.evaluate(scope, budget);
        // A spent budget is the caller's.
        if !matches!(&value, Err(error) if error.is_fatal()) {
            let cost = budget.spent().saturating_sub(before);
            self.known().push(Remembered { program: program.clone(), value: value.clone(), cost });
        }
        value
    }

    fn recall(&self, program: &Program) -> Option<(Result<Val, EvalError>, u64)> {
        let known = self.known();
        let found = known.iter().find(|known| known.program.is(program))?;
        Some((found.value.clone(), found.cost))
    }

    fn known(&self) -> MutexGuard<'_, Vec<Remembered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::Type;
    use crate::library::kyverno;

    /// Counts how often it is asked.
    struct Counting(Cell<usize>);

    impl Scope for Counting {
        fn variable(&self, _: &str, _: &mut Budget) -> Option<Result<Val, EvalError>> {
            self.0.set(self.0.get() + 1);
            Some(Ok(Val::list([Val::Int(1), Val::Int(2)])))
        }
    }

    fn env() -> Env {
        Env::builder().libraries(kyverno::libraries()).variable("object", Type::Dyn).build()
    }

    #[test]
    fn what_depends_on_the_request_alone_is_shared_where_it_means_the_same() {
        let (pool, env) = (Pool::default(), env());
        let own = env.extend().variable("variables.a", Type::Int).build();
        let same = |a: &Env, b: &Env, text: &str| {
            let (a, b) = (pool.compile(a, text).unwrap(), pool.compile(b, text).unwrap());
            assert_eq!(a.is(&b), b.is_shared(), "{text}");
            a.is(&b)
        };
        assert!(same(&env, &own, "object.kind == 'Pod'"));
        assert!(!same(&own, &own, "object.kind == 'Pod' && variables.a == 1"), "another policy has its own `a`");
        assert!(!same(&own, &own, "[1].all(variables, variables == object.a)"));
        assert!(!same(&env, &env, "object.at > time.now()"), "two policies may be asked at two moments");
        assert!(!same(&env, &env, "object.name == random()"));
        let params = env.extend().variable("params", Type::Dyn).build();
        assert!(!same(&env, &params, "object.kind == 'Job'"), "more names exist in one of them");
        assert!(!same(&params, &params, "object.a == params.a"));
        let other = Env::builder().variable("object", Type::Dyn).build();
        assert!(!same(&env, &other, "object.kind == 'Service'"), "functions may differ");
        assert!(pool.compile(&env, "object.").is_err());
    }

    #[test]
    fn what_is_remembered_costs_the_same_and_is_not_computed_again() {
        for text in ["object.all(x, x > 0)", "object[7] == 1"] {
            let program = env().compile(text).unwrap();
            let (memo, scope) = (Memo::default(), Counting(Cell::new(0)));
            let alone = |limit| {
                let mut budget = Budget::new(limit);
                (program.evaluate(&scope, &mut budget), budget.spent())
            };
            let remembered = |memo: &Memo, limit| {
                let mut budget = Budget::new(limit);
                (memo.evaluate(&program, &scope, &mut budget), budget.spent())
            };
            assert_eq!(remembered(&memo, 100), alone(100));
            let asked = scope.0.get();
            assert_eq!(remembered(&memo, 100).1, alone(100).1);
            assert_eq!(scope.0.get(), asked + 1, "only what is evaluated alone asks");
            for limit in 0..30 {
                assert_eq!(remembered(&memo, limit).0, alone(limit).0, "{text} within {limit}");
                // What ran out of budget is not what the next one gets.
                let fresh = Memo::default();
                assert_eq!(remembered(&fresh, limit).0, alone(limit).0);
                assert_eq!(remembered(&fresh, 100).0, alone(100).0);
            }
        }
    }
}
