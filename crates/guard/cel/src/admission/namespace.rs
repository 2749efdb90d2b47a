//! The namespace of a request: the labels that selectors read and the `namespaceObject` that expressions read.

use std::cell::OnceCell;

use palisade_model::{Value, json};
use palisade_policy::lookups::NAME_LABEL;
use palisade_policy::{Environment, Namespace};

use super::known_name::KnownName;
use super::selector::LabelSelector;
use crate::Val;

/// A namespace that is looked up when it is first needed.
///
/// Labels that a values file gives win over the cluster's object. A namespace that does not exist still carries the label
/// every namespace has, its own name; of one that nobody can tell of, only what does not depend on more is answered.
#[derive(Clone, Debug)]
pub struct NamespaceView<'a> {
    name: &'a str,
    environment: &'a Environment<'a>,
    found: OnceCell<Namespace>,
}

impl<'a> NamespaceView<'a> {
    /// The namespace called `name`; the empty name stands for cluster scope.
    pub fn new(name: &'a str, environment: &'a Environment<'a>) -> Self {
        Self { name, environment, found: OnceCell::new() }
    }

    /// The Namespace object; none of what is in no namespace, or in one that does not exist.
    ///
    /// # Errors
    /// Where nobody can tell, with why.
    pub fn object(&self) -> Result<Option<&Value>, String> {
        match self.found() {
            Namespace::Known(object) => Ok(Some(object)),
            Namespace::Missing => Ok(None),
            Namespace::Unknown(error) => Err(error.to_string()),
        }
    }

    /// The Namespace as expressions see it: null for cluster scope. One that does not exist is seen as it would be made; of
    /// one that nobody can tell of, what follows from its name.
    pub(super) fn value(&self) -> Val {
        match self.found() {
            _ if self.name.is_empty() => Val::Null,
            Namespace::Known(object) => Val::from(object),
            Namespace::Missing => Val::from(&Namespace::object_named(self.name)),
            Namespace::Unknown(error) => KnownName::namespace(self.name, error),
        }
    }

    /// Whether the selector selects the namespace by its labels.
    ///
    /// # Errors
    /// Where that depends on labels that nobody can tell.
    pub fn is_selected_by(&self, selector: &LabelSelector) -> Result<bool, String> {
        let name_alone = || json!({ NAME_LABEL: self.name });
        match self.found() {
            Namespace::Known(object) => Ok(selector.matches_object(object)),
            Namespace::Missing => Ok(selector.matches(name_alone().as_object())),
            Namespace::Unknown(error) => {
                let certain = selector.matches_partly(NAME_LABEL, self.name);
                certain.ok_or_else(|| format!("the labels of namespace `{}` are not known: {error}", self.name))
            }
        }
    }

    fn found(&self) -> &Namespace {
        self.found.get_or_init(|| match self.environment.variables.namespace_labels.get(self.name) {
            _ if self.name.is_empty() => Namespace::Missing,
            Some(labels) => Namespace::with_labels(self.name, labels.clone()),
            None => self.environment.lookups.namespace(self.name),
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use palisade_policy::{LookupError, Lookups, Offline, Variables, forward_lookups};

    use super::*;

    /// Answers about every namespace in the same way.
    struct Answering(Namespace);

    impl Lookups for Answering {
        forward_lookups!(|_this| Offline; get, list, objects, call, http, send, global_context, image);

        fn namespace(&self, _name: &str) -> Namespace {
            self.0.clone()
        }
    }

    fn selected(answer: Namespace, selector: &str) -> Result<bool, String> {
        let (answering, variables) = (Answering(answer), Variables::default());
        let environment = Environment::new(Timestamp::UNIX_EPOCH, &answering, &variables);
        let selector = LabelSelector::read(&Value::from_json(selector).unwrap()).unwrap();
        NamespaceView::new("shop", &environment).is_selected_by(&selector)
    }

    #[test]
    fn labels_that_nobody_can_tell_select_nothing_and_hold_back_nothing() {
        let unknown = || Namespace::Unknown(LookupError::Failed("the watch is broken".into()));
        let in_prod = r#"{"matchLabels": {"env": "prod"}}"#;
        let not_in_test = r#"{"matchExpressions": [{"key": "env", "operator": "NotIn", "values": ["test"]}]}"#;
        let prod = Namespace::Known(json!({"metadata": {"labels": {"env": "prod"}}}));
        assert_eq!(selected(prod, in_prod), Ok(true));
        assert_eq!(selected(Namespace::Missing, in_prod), Ok(false));
        assert_eq!(selected(Namespace::Missing, not_in_test), Ok(true));
        for selector in [in_prod, not_in_test] {
            let why = selected(unknown(), selector).unwrap_err();
            assert!(why.contains("`shop`") && why.contains("the watch is broken"), "{why}");
        }
    }

    #[test]
    fn what_the_name_alone_decides_needs_no_answer() {
        let unknown = || Namespace::Unknown(LookupError::offline("the namespace"));
        let named = r#"{"matchLabels": {"kubernetes.io/metadata.name": "shop"}}"#;
        let elsewhere = r#"{"matchLabels": {"kubernetes.io/metadata.name": "other", "env": "prod"}}"#;
        let both = r#"{"matchLabels": {"kubernetes.io/metadata.name": "shop", "env": "prod"}}"#;
        assert_eq!(selected(unknown(), named), Ok(true));
        assert_eq!(selected(unknown(), elsewhere), Ok(false));
        assert!(selected(unknown(), both).is_err());
    }
}
