//! What expressions may name: variables, types and libraries; the entry to compiling.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use palisade_model::Str;

use crate::check::Operators;
use crate::compile::compile;
use crate::library::{Function, Library, Macro, StructType, Style, standard};
use crate::{CompileError, Program, Type, Val};

/// An object type that is declared for checking: fields that are not named do not exist.
#[derive(Clone, Debug, Default)]
pub struct ObjectType {
    /// The name that [`Type::Object`] refers to it by.
    pub name: Str,
    /// Fields and their types.
    pub fields: HashMap<Str, Type>,
}

/// What libraries bring, indexed; shared by all environments extended from one another.
#[derive(Clone, Default)]
pub(crate) struct Registry {
    pub(crate) functions: HashMap<Style, HashMap<Cow<'static, str>, Vec<Arc<Function>>>>,
    pub(crate) macros: HashMap<Style, HashMap<&'static str, Vec<Macro>>>,
    pub(crate) operators: Operators,
    pub(crate) structs: Vec<StructType>,
    pub(crate) constants: HashMap<Str, (Type, Val)>,
}

impl Registry {
    pub(crate) fn macros_of(&self, style: Style, name: &str) -> &[Macro] {
        self.macros.get(&style).and_then(|macros| macros.get(name)).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn functions_of(&self, style: Style, name: &str) -> &[Arc<Function>] {
        self.functions.get(&style).and_then(|functions| functions.get(name)).map_or(&[], Vec::as_slice)
    }
}

/// An environment to compile in. Cheap to clone and to share.
#[derive(Clone)]
pub struct Env(Arc<EnvData>);

#[derive(Clone, Default)]
struct EnvData {
    registry: Arc<Registry>,
    variables: HashMap<Str, Type>,
    texts: HashMap<Str, Str>,
    objects: Arc<HashMap<Str, ObjectType>>,
    container: String,
    homogeneous_aggregates: bool,
    strict: bool,
}

/// Builds an [`Env`].
#[derive(Clone)]
pub struct EnvBuilder(EnvData);

impl Env {
    /// A builder with CEL's standard functions and macros and optional values; nothing else.
    pub fn builder() -> EnvBuilder {
        EnvBuilder(EnvData::default()).library(standard::library()).library(standard::optional_library())
    }

    /// A builder without any library.
    #[cfg(test)]
    pub(crate) fn bare() -> EnvBuilder {
        EnvBuilder(EnvData::default())
    }

    /// A builder that starts from this environment.
    pub fn extend(&self) -> EnvBuilder {
        EnvBuilder((*self.0).clone())
    }

    /// Parses, expands macros, checks types and resolves names.
    pub fn compile(&self, source: &str) -> Result<Program, Vec<CompileError>> {
        compile(self, source, true)
    }

    /// Like [`Env::compile`] without checking types: names and overloads are resolved when evaluated.
    pub fn compile_unchecked(&self, source: &str) -> Result<Program, Vec<CompileError>> {
        compile(self, source, false)
    }

    /// The declared type of a variable.
    pub fn variable(&self, name: &str) -> Option<&Type> {
        self.0.variables.get(name)
    }

    /// Whether an expression that names no variable beginning with `own` means the same in both.
    pub(crate) fn agrees_with(&self, other: &Self, own: &str) -> bool {
        let (a, b) = (&*self.0, &*other.0);
        let common = |data: &EnvData| data.variables.keys().filter(|name| !name.starts_with(own)).count();
        Arc::ptr_eq(&a.registry, &b.registry)
            && Arc::ptr_eq(&a.objects, &b.objects)
            && (&a.container, a.homogeneous_aggregates, a.strict) == (&b.container, b.homogeneous_aggregates, b.strict)
            && common(a) == common(b)
            && a.variables.iter().all(|(name, of)| name.starts_with(own) || b.variables.get(name) == Some(of))
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.0.registry
    }

    pub(crate) fn variables(&self) -> &HashMap<Str, Type> {
        &self.0.variables
    }

    /// The text that a variable always has, if that is known.
    pub(crate) fn text(&self, name: &str) -> Option<&Str> {
        self.0.texts.get(name)
    }

    pub(crate) fn object(&self, name: &str) -> Option<&ObjectType> {
        self.0.objects.get(name)
    }

    pub(crate) fn container(&self) -> &str {
        &self.0.container
    }

    pub(crate) fn strict(&self) -> bool {
        self.0.strict
    }

    pub(crate) fn homogeneous_aggregates(&self) -> bool {
        self.0.homogeneous_aggregates
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Env").field("variables", &self.0.variables).finish_non_exhaustive()
    }
}

impl EnvBuilder {
    /// Turns a library on. An overload with the same parameters as one that is on already replaces it.
    #[must_use]
    pub fn library(mut self, library: Library) -> Self {
        let registry = Arc::make_mut(&mut self.0.registry);
        for function in library.functions {
            let overloads =
                registry.functions.entry(function.style).or_default().entry(function.name.clone()).or_default();
            overloads.retain(|known| known.params != function.params);
            overloads.push(Arc::new(function));
        }
        for item in library.macros {
            registry.macros.entry(item.style).or_default().entry(item.name).or_default().push(item);
        }
        registry.structs.extend(library.structs);
        for of in library.types {
            let name = of.name().into();
            registry.constants.insert(name, (Type::type_of(of.clone()), Val::of_type(of)));
        }
        for (name, value) in library.constants {
            registry.constants.insert(name.into(), (value.type_of(), value));
        }
        self
    }

    /// Turns libraries on.
    #[must_use]
    pub fn libraries(self, libraries: impl IntoIterator<Item = Library>) -> Self {
        libraries.into_iter().fold(self, Self::library)
    }

    /// Declares a variable. A dotted name (`variables.image`) is asked of the scope under that very name.
    #[must_use]
    pub fn variable(mut self, name: impl Into<Str>, of: Type) -> Self {
        self.0.variables.insert(name.into(), of);
        self
    }

    /// Says which text a variable always has, so that it is compiled once where it is a pattern.
    #[must_use]
    pub(crate) fn text(mut self, name: Str, text: Str) -> Self {
        self.0.texts.insert(name, text);
        self
    }

    /// Declares an object type.
    #[must_use]
    pub fn object_type(mut self, object: ObjectType) -> Self {
        Arc::make_mut(&mut self.0.objects).insert(object.name.clone(), object);
        self
    }

    /// The namespace in which short names are looked up.
    #[must_use]
    pub fn container(mut self, name: impl Into<String>) -> Self {
        self.0.container = name.into();
        self
    }

    /// Refuses list and map literals whose elements have different types, as Kubernetes and Kyverno do.
    #[must_use]
    pub const fn homogeneous_aggregates(mut self, refuse: bool) -> Self {
        self.0.homogeneous_aggregates = refuse;
        self
    }

    /// Follows the CEL specification where cel-go, and so Kubernetes and Kyverno, depart from it: a repeated key of a
    /// map literal is an error (cel-go takes the last), as is the selection of a field of an optional that holds a value
    /// without fields (absent to cel-go), and conversions of constants that fail do so when they are reached, not when
    /// the expression is compiled.
    #[must_use]
    pub const fn strict(mut self, strict: bool) -> Self {
        self.0.strict = strict;
        self
    }

    /// The finished environment.
    pub fn build(self) -> Env {
        Env(Arc::new(self.0))
    }
}

impl fmt::Debug for EnvBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvBuilder").field("variables", &self.0.variables).finish_non_exhaustive()
    }
}
