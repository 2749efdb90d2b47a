//! Type variables, their bindings, and whether one type may stand where another is expected.

use std::sync::Arc;

use palisade_model::Str;

use super::Signature;
use crate::Type;

/// The bindings of the type variables of one expression.
#[derive(Debug, Default)]
pub(crate) struct Inference {
    bindings: Vec<Option<Type>>,
    /// Overwritten bindings, so that a failed attempt can be undone.
    journal: Vec<(u32, Option<Type>)>,
}

impl Inference {
    /// A new variable.
    pub(crate) fn fresh(&mut self) -> Type {
        self.bindings.push(None);
        Type::Var(self.bindings.len() as u32 - 1)
    }

    /// Whether `actual` may stand where `expected` is; binds variables if so.
    pub(crate) fn assignable(&mut self, expected: &Type, actual: &Type) -> bool {
        self.attempt(|inference| inference.unify(expected, actual))
    }

    fn attempt(&mut self, unify: impl FnOnce(&mut Self) -> bool) -> bool {
        let mark = self.journal.len();
        let unified = unify(self);
        if !unified {
            while self.journal.len() > mark {
                let Some((var, previous)) = self.journal.pop() else { break };
                if let Some(binding) = self.bindings.get_mut(var as usize) {
                    *binding = previous;
                }
            }
        }
        unified
    }

    /// The result type of the signature for arguments of these types; `None` where they do not fit.
    pub(crate) fn apply(&mut self, signature: &Signature<'_>, arguments: &[Type]) -> Option<Type> {
        if !signature.takes(arguments.len()) {
            return None;
        }
        let mut parameters = Vec::new();
        let instances: Vec<Type> =
            signature.params.iter().map(|param| self.instantiate(param, &mut parameters)).collect();
        let result = self.instantiate(signature.result, &mut parameters);
        let last = instances.last();
        let expected = (0..arguments.len()).map(|at| instances.get(at).or(last));
        let fits = self.attempt(|inference| {
            arguments
                .iter()
                .zip(expected)
                .all(|(actual, expected)| expected.is_some_and(|e| inference.unify(actual, e)))
        });
        fits.then(|| self.resolve(&result, false))
    }

    /// A type of a signature with its parameters replaced by variables.
    fn instantiate(&mut self, of: &Type, parameters: &mut Vec<(Str, Type)>) -> Type {
        match of {
            Type::Param(name) => {
                if let Some((_, var)) = parameters.iter().find(|(known, _)| known == name) {
                    return var.clone();
                }
                let var = self.fresh();
                parameters.push((name.clone(), var.clone()));
                var
            }
            _ => map_parts(of, &mut |part| self.instantiate(part, parameters)),
        }
    }

    /// The type with its variables replaced by what they are bound to; unbound ones become dynamic if `to_dyn`.
    pub(crate) fn resolve(&self, of: &Type, to_dyn: bool) -> Type {
        match of {
            Type::Var(var) => match self.binding(*var) {
                Some(bound) => self.resolve(bound, to_dyn),
                None if to_dyn => Type::Dyn,
                None => of.clone(),
            },
            _ => map_parts(of, &mut |part| self.resolve(part, to_dyn)),
        }
    }

    fn binding(&self, var: u32) -> Option<&Type> {
        self.bindings.get(var as usize)?.as_ref()
    }

    fn bind(&mut self, var: u32, to: Type) {
        if let Some(binding) = self.bindings.get_mut(var as usize) {
            let previous = binding.replace(to);
            self.journal.push((var, previous));
        }
    }

    fn unify(&mut self, a: &Type, b: &Type) -> bool {
        if let Type::Var(var) = b {
            let bound = self.binding(*var).is_some();
            if self.substitute(a, *var) {
                return true;
            }
            if bound {
                return false;
            }
        }
        if let Type::Var(var) = a {
            return self.substitute(b, *var);
        }
        match (a, b) {
            (Type::Dyn, _) | (_, Type::Dyn) | (Type::Type(_), Type::Type(_)) => true,
            (Type::Null, other) | (other, Type::Null) => is_nullable(other),
            (Type::List(a), Type::List(b)) | (Type::Optional(a), Type::Optional(b)) => self.unify(a, b),
            (Type::Map(a), Type::Map(b)) => self.unify(&a.0, &b.0) && self.unify(&a.1, &b.1),
            (Type::Opaque(name, a), Type::Opaque(other, b)) => {
                name == other && a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| self.unify(a, b))
            }
            _ => a == b,
        }
    }

    /// Whether `of` may be what `var` stands for; keeps the more general of it and an earlier binding.
    fn substitute(&mut self, of: &Type, var: u32) -> bool {
        if *of == Type::Var(var) {
            return true;
        }
        if let Some(bound) = self.binding(var).cloned() {
            if *of == bound {
                return true;
            }
            if !self.unify(of, &bound) {
                return false;
            }
            let general = most_general(of, &bound);
            if !self.mentions(&general, var) {
                self.bind(var, general);
            }
            return true;
        }
        let free = !self.mentions(of, var);
        if free {
            self.bind(var, of.clone());
        }
        free
    }

    fn mentions(&self, of: &Type, var: u32) -> bool {
        match of {
            Type::Var(other) => *other == var || self.binding(*other).is_some_and(|bound| self.mentions(bound, var)),
            Type::List(part) | Type::Optional(part) | Type::Type(part) => self.mentions(part, var),
            Type::Map(parts) => self.mentions(&parts.0, var) || self.mentions(&parts.1, var),
            Type::Opaque(_, parts) => parts.iter().any(|part| self.mentions(part, var)),
            _ => false,
        }
    }

    /// The type of a collection of both; dynamic where they have nothing in common.
    pub(crate) fn join(&mut self, previous: Option<Type>, current: Type) -> Type {
        match previous {
            None => current,
            Some(previous) if self.assignable(&previous, &current) => most_general(&previous, &current),
            Some(_) => Type::Dyn,
        }
    }
}

/// Types that accept `null`, as cel-go has it for historical reasons.
const fn is_nullable(of: &Type) -> bool {
    matches!(of, Type::Null | Type::Timestamp | Type::Duration | Type::Optional(_) | Type::Opaque(..) | Type::Object(_))
}

/// The more general of two types of which one may stand for the other; `null` stands for any type that accepts it.
fn most_general(a: &Type, b: &Type) -> Type {
    if *b == Type::Null || is_less_specific(a, b) { a.clone() } else { b.clone() }
}

fn is_less_specific(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Dyn | Type::Var(_), _) | (Type::Type(_), Type::Type(_)) => true,
        (_, Type::Dyn | Type::Var(_)) => false,
        (Type::List(a), Type::List(b)) | (Type::Optional(a), Type::Optional(b)) => is_less_specific(a, b),
        (Type::Map(a), Type::Map(b)) => is_less_specific(&a.0, &b.0) && is_less_specific(&a.1, &b.1),
        (Type::Opaque(name, a), Type::Opaque(other, b)) => {
            name == other && a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| is_less_specific(a, b))
        }
        _ => a == b,
    }
}

/// The same type with its direct parts replaced.
fn map_parts(of: &Type, replace: &mut impl FnMut(&Type) -> Type) -> Type {
    match of {
        Type::List(part) => Type::list(replace(part)),
        Type::Optional(part) => Type::optional(replace(part)),
        Type::Type(part) => Type::type_of(replace(part)),
        Type::Map(parts) => Type::map(replace(&parts.0), replace(&parts.1)),
        Type::Opaque(name, parts) if !parts.is_empty() => {
            Type::Opaque(name.clone(), parts.iter().map(replace).collect::<Arc<[_]>>())
        }
        other => other.clone(),
    }
}
