//! Loops over lists and maps.

use palisade_policy::Environment;

use super::machine::{Evaluated, Machine, Register, insert};
use super::node::Loop;
use super::term::{Term, View};
use crate::syntax::Fold;
use crate::{Entries, EvalError, Val};

impl<'a> Machine<'a, '_> {
    pub(super) fn run(&mut self, parts: &'a Loop) -> Evaluated<'a> {
        let range = self.eval(&parts.range)?;
        let Some(rounds) = range.rounds() else {
            range.clone().into_val().taken_whole()?;
            return Err(EvalError::NoOverload(format!("a loop over `{}`", range.type_name()).into()));
        };
        match parts.fold {
            Fold::All => self.quantify(parts, &range, rounds, false),
            Fold::Exists => self.quantify(parts, &range, rounds, true),
            Fold::ExistsOne => self.count(parts, &range, rounds),
            Fold::List => self.collect(parts, &range, rounds),
            Fold::Map | Fold::MapEntries => self.collect_map(parts, &range, rounds),
        }
    }

    /// Sets the variables of a round.
    fn enter(&mut self, parts: &Loop, range: &Term<'a>, at: usize) -> Result<(), EvalError> {
        self.budget.spend(1)?;
        if self.budget.is_due() && self.scope.environment().is_some_and(Environment::is_stopped) {
            return Err(EvalError::Stopped);
        }
        let first = match parts.second {
            None if !range.is_map() => range.round_value(at),
            _ => range.round_key(at),
        };
        self.set(parts.first, Register::Ready(first));
        if let Some(second) = parts.second {
            self.set(second, Register::Ready(range.round_value(at)));
        }
        Ok(())
    }

    /// Whether the filter lets a round through.
    fn passes(&mut self, parts: &'a Loop) -> Result<bool, EvalError> {
        parts.filter.as_ref().map_or(Ok(true), |filter| self.truth(filter))
    }

    /// `exists` (decided by a true round) and `all` (decided by a false one); a decision wins over errors.
    fn quantify(&mut self, parts: &'a Loop, range: &Term<'a>, rounds: usize, decisive: bool) -> Evaluated<'a> {
        let mut failed = None;
        for at in 0..rounds {
            self.enter(parts, range, at)?;
            match self.truth(&parts.body) {
                Ok(value) if value == decisive => return Ok(Term::Own(Val::Bool(decisive))),
                Ok(_) => {}
                Err(error) if error.is_fatal() => return Err(error),
                Err(error) => {
                    failed.get_or_insert(error);
                }
            }
        }
        failed.map_or(Ok(Term::Own(Val::Bool(!decisive))), Err)
    }

    fn count(&mut self, parts: &'a Loop, range: &Term<'a>, rounds: usize) -> Evaluated<'a> {
        let mut count = 0_usize;
        for at in 0..rounds {
            self.enter(parts, range, at)?;
            count += usize::from(self.truth(&parts.body)?);
        }
        Ok(Term::Own(Val::Bool(count == 1)))
    }

    fn collect(&mut self, parts: &'a Loop, range: &Term<'a>, rounds: usize) -> Evaluated<'a> {
        let mut list = Vec::new();
        for at in 0..rounds {
            self.enter(parts, range, at)?;
            if self.passes(parts)? {
                list.push(self.eval(&parts.body)?.into_val());
            }
        }
        Ok(Term::Own(Val::list(list)))
    }

    fn collect_map(&mut self, parts: &'a Loop, range: &Term<'a>, rounds: usize) -> Evaluated<'a> {
        let mut map = Entries::new();
        for at in 0..rounds {
            self.enter(parts, range, at)?;
            if !self.passes(parts)? {
                continue;
            }
            let body = self.eval(&parts.body)?;
            if parts.fold == Fold::Map {
                insert(&mut map, &range.round_key(at).into_val(), body.into_val())?;
                continue;
            }
            match body.view() {
                View::Object(_) | View::Entries(_) => {}
                _ => return Err(EvalError::NoOverload(format!("entries of type `{}`", body.type_name()).into())),
            }
            for at in 0..body.rounds().unwrap_or_default() {
                self.budget.spend(1)?;
                insert(&mut map, &body.round_key(at).into_val(), body.round_value(at).into_val())?;
            }
        }
        Ok(Term::Own(Val::map(map)))
    }
}
