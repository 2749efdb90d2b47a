//! Finds the service of an object among very many services.
//!
//! The most explicit sign wins: Backstage's identifier, then a label selector, then the labels that name an
//! application, then the object's name, then a namespace that one team alone has. Where nothing is known the team is
//! [`UNOWNED`] and the service what the object calls its application.

use std::collections::HashMap;

use palisade_model::{Owner, Str, Value};
use palisade_store::Service;

use super::UNOWNED;
use super::selector::{Operator, Selector};

/// The label by which Backstage finds the objects of an entity.
const IDENTIFIER: &str = "backstage.io/kubernetes-id";

/// Labels that name an application, the most explicit first.
const APPLICATION: [&str; 4] =
    ["app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/part-of", "app"];

/// A service with how its objects are recognised.
#[derive(Debug, PartialEq)]
struct Known {
    owner: Owner,
    selector: Selector,
}

/// Services by what their objects show.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Index {
    services: Vec<Known>,
    by_identifier: HashMap<String, Vec<usize>>,
    /// Those with a label selector, by a label and value that their objects have.
    by_label: HashMap<(String, String), Vec<usize>>,
    /// Those whose label selector requires no label and value.
    by_other_labels: Vec<usize>,
    by_name: HashMap<Str, Vec<usize>>,
    /// The team of a namespace; none where several teams have services there.
    teams: HashMap<String, Option<Str>>,
}

impl Index {
    /// Of all services.
    pub(super) fn new(services: &[Service]) -> Self {
        let mut index = Self::default();
        for service in services {
            index.add(service);
        }
        index
    }

    fn add(&mut self, service: &Service) {
        let place = self.services.len();
        let team: Str = if service.team.is_empty() { UNOWNED.into() } else { service.team.as_str().into() };
        let owner = Owner { team, service: service.name.as_str().into() };
        // What is kept beside a service is the importer's own text; another form recognises nothing.
        let selector: Selector = serde_json::from_value(service.selector.clone()).unwrap_or_default();
        if let Some(identifier) = &selector.kubernetes_id {
            self.by_identifier.entry(identifier.clone()).or_default().push(place);
        }
        let pair =
            selector.requirements.iter().find_map(|requirement| match (&requirement.operator, &*requirement.values) {
                (Operator::In, [value]) => Some((requirement.key.clone(), value.clone())),
                _ => None,
            });
        match pair {
            Some(pair) => self.by_label.entry(pair).or_default().push(place),
            None if !selector.requirements.is_empty() => self.by_other_labels.push(place),
            None => {}
        }
        if let Some(namespace) = &selector.namespace {
            let team = self.teams.entry(namespace.clone()).or_insert_with(|| Some(owner.team.clone()));
            if team.as_ref().is_some_and(|team| *team != owner.team) {
                *team = None;
            }
        }
        self.by_name.entry(owner.service.clone()).or_default().push(place);
        self.services.push(Known { owner, selector });
    }

    /// Who answers for the object called `name` with `labels` in `namespace`.
    pub(super) fn owner(&self, namespace: &str, name: &str, labels: &Value) -> Owner {
        let label = |key: &str| labels.get(key).and_then(Value::as_str).filter(|value| !value.is_empty());
        let named = || {
            let called = APPLICATION.iter().filter_map(|key| label(key)).chain([name]);
            called.filter_map(|name| self.by_name.get(name)).find_map(|places| self.first(places, namespace))
        };
        let found = label(IDENTIFIER)
            .and_then(|identifier| self.first(self.by_identifier.get(identifier)?, namespace))
            .or_else(|| self.by_labels(labels, namespace))
            .or_else(named);
        if let Some(known) = found {
            return known.owner.clone();
        }
        let team = self.teams.get(namespace).cloned().flatten().unwrap_or_else(|| UNOWNED.into());
        let service = APPLICATION.iter().find_map(|key| label(key)).unwrap_or(name);
        Owner { team, service: service.into() }
    }

    /// The first of `places` whose namespace is the object's, or that names none.
    fn first(&self, places: &[usize], namespace: &str) -> Option<&Known> {
        places.iter().filter_map(|place| self.services.get(*place)).find(|known| known.is_in(namespace))
    }

    fn by_labels(&self, labels: &Value, namespace: &str) -> Option<&Known> {
        let pairs = labels.as_object().into_iter().flat_map(palisade_model::Map::iter);
        let known = pairs.filter_map(|(key, value)| {
            self.by_label.get(&(key.to_string(), value.as_str()?.to_owned())).map(Vec::as_slice)
        });
        let candidates = known.chain([self.by_other_labels.as_slice()]).flatten();
        candidates.filter_map(|place| self.services.get(*place)).find(|known| {
            known.is_in(namespace) && known.selector.requirements.iter().all(|requirement| requirement.holds(labels))
        })
    }
}

impl Known {
    fn is_in(&self, namespace: &str) -> bool {
        self.selector.namespace.as_deref().is_none_or(|own| own == namespace)
    }
}
