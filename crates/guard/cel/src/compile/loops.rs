//! Loops: the types of their variables and of what comes of them.

use super::{Compiler, Typed};
use crate::program::node::{Loop, Node};
use crate::syntax::{Comprehension, Expr, Fold};
use crate::{CompileError, Type};

impl Compiler<'_> {
    pub(super) fn comprehension(&mut self, parts: &Comprehension) -> Typed {
        let (range, range_type) = self.expr(&parts.range);
        let (key, value) = self.range_types(&range_type, &parts.range);
        let over_map = matches!(self.inference.resolve(&range_type, false), Type::Map(_));
        let single = if over_map { key.clone() } else { value.clone() };
        let depth = self.locals.len();
        let first = self.declare(&parts.first, if parts.second.is_some() { key.clone() } else { single });
        let second = parts.second.as_ref().map(|name| self.declare(name, value));
        let filter = parts.filter.as_ref().map(|filter| {
            let (node, of) = self.expr(filter);
            self.expect(&Type::Bool, &of, &filter.span, "a filter");
            node
        });
        let (body, of) = self.expr(&parts.body);
        self.locals.truncate(depth);
        let result = self.loop_type(parts, key, of);
        (Node::Loop(Box::new(Loop { fold: parts.fold, range, first, second, filter, body })), result)
    }

    /// The types of position or key, and of value.
    fn range_types(&mut self, of: &Type, range: &Expr) -> (Type, Type) {
        match self.inference.resolve(of, false) {
            Type::List(of) => (self.known(Type::Int), (*of).clone()),
            Type::Map(parts) => (parts.0.clone(), parts.1.clone()),
            Type::Dyn => (Type::Dyn, Type::Dyn),
            var @ Type::Var(_) => {
                self.inference.assignable(&var, &Type::Dyn);
                (Type::Dyn, Type::Dyn)
            }
            other => {
                let message = format!("a loop walks lists and maps, not `{other}`");
                self.error(CompileError::new(range.span.clone(), message));
                (Type::Dyn, Type::Dyn)
            }
        }
    }

    fn loop_type(&mut self, parts: &Comprehension, key: Type, body: Type) -> Type {
        match parts.fold {
            Fold::All | Fold::Exists | Fold::ExistsOne => {
                self.expect(&Type::Bool, &body, &parts.body.span, "the condition");
                self.known(Type::Bool)
            }
            Fold::List => self.known(Type::list(body)),
            Fold::Map => self.known(Type::map(key, body)),
            Fold::MapEntries => {
                let entries = Type::map(self.inference.fresh(), self.inference.fresh());
                self.expect(&entries, &body, &parts.body.span, "the entries");
                self.inference.resolve(&entries, false)
            }
        }
    }
}
