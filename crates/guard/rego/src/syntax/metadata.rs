//! What metadata blocks say about a rule: `rego.metadata.chain()`, `rego.metadata.rule()`, and the policy they describe.
//!
//! The compiler calls this and puts constants in place of the calls. A chain goes from the rule to its document, its
//! package, and the packages above that have a block for what lies below them.

use std::collections::HashMap;
use std::sync::Arc;

use palisade_model::{Control, Location, Str, Value as Json};
use palisade_policy::PolicyMeta;

use super::ast::{Annotation, Head, Module, Scope, Term, TermKind};
use crate::value::Value;

/// The metadata of modules that see one another.
#[derive(Debug, Default)]
pub struct Metadata<'a> {
    modules: &'a [Module],
    /// Blocks about all rules of a path.
    documents: HashMap<Vec<Str>, &'a Json>,
    /// Blocks about a package.
    packages: HashMap<&'a [Str], &'a Json>,
    /// Blocks about a package and those below it.
    subpackages: HashMap<&'a [Str], &'a Json>,
}

/// A link of a chain.
#[derive(Clone, Debug)]
pub struct Link<'a> {
    /// The path below `data` of what it is about.
    pub path: Vec<Str>,
    /// What is said; a rule without a block has a link nevertheless.
    pub annotations: Option<&'a Json>,
}

/// A policy as the blocks of a rule describe it.
#[derive(Clone, Debug, Default)]
pub struct Description {
    /// `custom.id`, or `custom.avd_id` and `custom.short_code` of Trivy's checks.
    pub id: Option<Str>,
    /// Title, description, severity, controls and so on, each from the nearest block that gives it.
    pub meta: PolicyMeta,
}

impl<'a> Metadata<'a> {
    /// Gathers the blocks of modules. Of several blocks about the same thing the first counts.
    pub fn of(modules: &'a [Module]) -> Self {
        let mut metadata = Self { modules, ..Self::default() };
        for module in modules {
            for annotation in &module.annotations {
                metadata.add(module, annotation);
            }
        }
        metadata
    }

    fn add(&mut self, module: &'a Module, annotation: &'a Annotation) {
        let said = &annotation.value;
        match annotation.scope {
            Scope::Rule => {}
            Scope::Document => {
                if let Some(rule) = annotation.rule.and_then(|rule| module.rules.get(rule)) {
                    self.documents.entry(path(module, &rule.head)).or_insert(said);
                }
            }
            Scope::Package => {
                self.packages.entry(&module.package).or_insert(said);
            }
            Scope::Subpackages => {
                self.subpackages.entry(&module.package).or_insert(said);
            }
        }
    }

    /// The links from a rule outwards, by the numbers of its module and of the rule in it.
    pub fn chain(&self, module: usize, rule: usize) -> Vec<Link<'a>> {
        let Some((module, head)) =
            self.modules.get(module).and_then(|module| Some((module, &module.rules.get(rule)?.head)))
        else {
            return Vec::new();
        };
        let path = path(module, head);
        let about_rule = |annotation: &&Annotation| annotation.scope == Scope::Rule && annotation.rule == Some(rule);
        let mut links: Vec<Link<'a>> = module
            .annotations
            .iter()
            .filter(about_rule)
            .map(|annotation| Link { path: path.clone(), annotations: Some(&annotation.value) })
            .collect();
        if links.is_empty() {
            links.push(Link { path: path.clone(), annotations: None });
        }
        links.extend(self.documents.get(&path).map(|said| Link { path, annotations: Some(said) }));
        let package = module.package.as_slice();
        let link = |path: &[Str], said: &&'a Json| Link { path: path.to_vec(), annotations: Some(said) };
        links.extend(self.packages.get(package).map(|said| link(package, said)));
        for length in (1..=package.len()).rev() {
            let path = package.get(..length).unwrap_or_default();
            links.extend(self.subpackages.get(path).map(|said| link(path, said)));
        }
        links
    }

    /// What `rego.metadata.chain()` gives in a rule.
    pub fn chain_value(&self, module: usize, rule: usize) -> Value {
        let links = self.chain(module, rule).into_iter().map(|link| {
            let path = Value::array(link.path.into_iter().map(Value::String).collect());
            let said = link.annotations.map(|said| (Value::string("annotations"), Value::from(said)));
            Value::object(said.into_iter().chain([(Value::string("path"), path)]).collect())
        });
        Value::array(links.collect())
    }

    /// What `rego.metadata.rule()` gives in a rule: its own block, or nothing.
    pub fn rule_value(&self, module: usize, rule: usize) -> Value {
        let mut blocks = self.modules.get(module).into_iter().flat_map(|module| &module.annotations);
        let own = blocks.find(|block| block.scope == Scope::Rule && block.rule == Some(rule));
        own.map_or_else(|| Value::object(Vec::new()), |block| Value::from(&block.value))
    }

    /// The policy that a rule's blocks describe.
    pub fn describe(&self, module: usize, rule: usize) -> Description {
        let said: Vec<&Json> = self.chain(module, rule).into_iter().filter_map(|link| link.annotations).collect();
        let text = |field: &str| said.iter().find_map(|block| block.get(field)?.as_str());
        let custom = |names: &[&str]| {
            let of_block = |block: &&'a Json| names.iter().find_map(|name| block.get("custom")?.get(name));
            said.iter().find_map(of_block)
        };
        let custom_text = |names: &[&str]| custom(names).and_then(Json::as_str).map(str::trim);
        let meta = PolicyMeta {
            title: text("title").map(str::to_owned),
            description: text("description").map(|text| text.trim().to_owned()),
            category: custom_text(&["category"]).map(str::to_owned),
            severity: custom_text(&["severity"])
                .and_then(|severity| severity.to_ascii_lowercase().parse().ok())
                .unwrap_or_default(),
            remediation: custom_text(&["remediation", "recommended_action", "recommended_actions"]).map(Str::from),
            example: custom_text(&["example"]).map(Str::from),
            references: references(&said),
            controls: custom(&["controls", "frameworks"]).map(controls).unwrap_or_default().into(),
            location: self.location(module, rule),
        };
        Description { id: custom_text(&["id", "avd_id", "short_code"]).map(Str::from), meta }
    }

    fn location(&self, module: usize, rule: usize) -> Option<Location> {
        let module = self.modules.get(module)?;
        Some(Location { source: Arc::clone(&module.source), span: module.rules.get(rule)?.head.span })
    }
}

/// The path below `data` of what a head defines, as far as it is constant.
fn path(module: &Module, head: &Head) -> Vec<Str> {
    let name = |term: &Term| match &term.kind {
        TermKind::Variable(name) => Some(name.clone()),
        _ => None,
    };
    let part = |term: &Term| match &term.kind {
        TermKind::Scalar(Value::String(name)) => Some(name.clone()),
        _ => None,
    };
    let first = head.reference.first().and_then(name);
    let rest = head.reference.iter().skip(1).map_while(part);
    module.package.iter().cloned().chain(first).chain(rest).collect()
}

/// Addresses from the nearest block that has any.
fn references(said: &[&Json]) -> Arc<[Str]> {
    let of_block = |block: &&Json| match block.get("related_resources") {
        Some(Json::Array(items)) => {
            Some(items.iter().filter_map(|item| item.get("ref")?.as_shared_str().cloned()).collect())
        }
        _ => None,
    };
    said.iter().find_map(of_block).unwrap_or_default()
}

/// `framework:id` texts, or lists of identifiers by framework.
fn controls(custom: &Json) -> Vec<Control> {
    let of_text = |text: &str| {
        let (framework, id) = text.trim().split_once(':')?;
        Some(Control { framework: framework.trim().into(), id: id.trim().into() })
    };
    match custom {
        Json::String(text) => text.split(',').filter_map(of_text).collect(),
        Json::Array(items) => items.iter().filter_map(|item| of_text(item.as_str()?)).collect(),
        Json::Object(frameworks) => {
            let of_framework = |(framework, ids): (&Str, &Json)| {
                let ids = if let Json::Array(ids) = ids { ids.to_vec() } else { vec![ids.clone()] };
                let control = |id: &Json| Some(Control { framework: (**framework).into(), id: id.as_str()?.into() });
                ids.iter().filter_map(control).collect::<Vec<Control>>()
            };
            frameworks.iter().flat_map(of_framework).collect()
        }
        _ => Vec::new(),
    }
}
