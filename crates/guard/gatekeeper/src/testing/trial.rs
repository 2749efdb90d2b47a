//! A template and a constraint of a test, loaded, and the judgement of a case's object by them.

use std::sync::Arc;

use jiff::Timestamp;
use palisade_model::{Diagnostic, Level, Resource, Value};
use palisade_policy::testing::TestFiles;
use palisade_policy::{Environment, Request, Variables};

use super::case::Judged;
use super::objects::{Cluster, Subject};
use super::suite::{Case, Test};
use crate::Preference;
use crate::codes;
use crate::constraint::Constraint;
use crate::enforcement::GATOR;
use crate::expansion::Expansions;
use crate::kinds::{Kind, kind_of};
use crate::language::{constraint, templates};
use crate::matching::Origin;
use crate::mutation;
use crate::review::Review;
use crate::template::Complaint;

/// What a test judges with.
#[derive(Debug)]
pub(super) struct Trial {
    constraint: Constraint,
    expansions: Option<Arc<Expansions>>,
}

impl Trial {
    /// Loads the files that a test names.
    pub(super) fn load(test: &Test, files: &dyn TestFiles, preference: Preference) -> Result<Self, Vec<Diagnostic>> {
        let template = one(files, &test.template, Kind::Template, "a constraint template")?;
        let document = one(files, &test.constraint, Kind::Constraint, "a constraint")?;
        let mut diagnostics = Vec::new();
        let templates = templates([&template].into_iter(), preference, &mut diagnostics);
        let constraint = constraint(&document, &templates, &mut diagnostics);
        let expansions = match &test.expansion {
            Some(path) => {
                let documents = files.resources(path).map_err(|diagnostic| vec![diagnostic])?;
                let of = |wanted: fn(Kind) -> bool| {
                    documents.iter().filter(move |document| kind_of(document).is_some_and(wanted))
                };
                let mutators = mutation::load(of(|kind| matches!(kind, Kind::Mutator(_))), &mut diagnostics);
                let expansions = of(|kind| kind == Kind::Expansion);
                Some(Arc::new(Expansions::load(expansions, Arc::new(mutators), &mut diagnostics)))
            }
            None => None,
        };
        let broken = diagnostics.iter().any(|diagnostic| diagnostic.level == Level::Error);
        constraint.filter(|_| !broken).map(|constraint| Self { constraint, expansions }).ok_or(diagnostics)
    }

    /// What the constraint says of the object of a case; the error is why it cannot be put.
    pub(super) fn judge(&self, case: &Case, files: &dyn TestFiles, now: Timestamp) -> Result<Judged, String> {
        let read = |path: &String| files.resources(path).map_err(|diagnostic| diagnostic.to_string());
        let objects = read(&case.object)?;
        let [object] = &objects[..] else {
            return Err(format!("`{}` must hold exactly one object, not {}", case.object, objects.len()));
        };
        let mut inventory: Vec<Value> = Vec::new();
        for path in &case.inventory {
            inventory.extend(read(path)?.into_iter().map(|resource| resource.object));
        }
        let cluster = Cluster::new(inventory);
        let variables = Variables::default();
        let environment = Environment::new(now, &cluster, &variables);
        let subject = Subject::of(object)?;
        let mut judged = Judged { name: subject.name, ..Judged::default() };
        self.review(&mut judged, &subject.request, &environment, Origin::Original, subject.bare, None);
        if let Some(expansions) = self.expansions.as_ref().filter(|_| subject.bare) {
            let expanded = expansions.expanded(&subject.request, &environment);
            for resultant in expanded.resultants() {
                let implied = |message: String| resultant.implied(&message);
                let request = &resultant.request;
                self.review(&mut judged, request, &environment, Origin::Generated, true, Some(&implied));
            }
            if let Some(message) = expanded.failure() {
                return Err(message.to_owned());
            }
        }
        Ok(judged)
    }

    fn review(
        &self,
        judged: &mut Judged,
        request: &Request,
        environment: &Environment<'_>,
        origin: Origin,
        bare: bool,
        implied: Option<&dyn Fn(String) -> String>,
    ) {
        let Some(review) = Review::new(request, environment, origin) else { return };
        let review = review.bare(bare);
        let Some(complaints) =
            self.constraint.complaints(&review).filter(|_| self.constraint.enforcements.acts_at(GATOR))
        else {
            return;
        };
        judged.selected = true;
        let said = |message: String| implied.map_or_else(|| message.clone(), |implied| implied(message.clone()));
        for complaint in complaints {
            match complaint {
                Complaint::Violation { message, .. } => judged.violations.push(said(message)),
                // A template that lets objects pass where it cannot be evaluated says nothing then.
                Complaint::Failure { ignored: true, .. } => {}
                Complaint::Failure { message, .. } => judged.failures.push(said(message)),
            }
        }
    }
}

/// The one document of a file, which must be of this kind.
fn one(files: &dyn TestFiles, path: &str, kind: Kind, what: &str) -> Result<Resource, Vec<Diagnostic>> {
    let mut documents = files.resources(path).map_err(|diagnostic| vec![diagnostic])?;
    let document = documents.pop().filter(|document| documents.is_empty() && kind_of(document) == Some(kind));
    document.ok_or_else(|| {
        let message = format!("`{path}` must hold {what} and nothing else");
        vec![Diagnostic::error(codes::INVALID_SUITE, message).help("correct the path, or split the file")]
    })
}
