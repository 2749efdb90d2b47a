//! What the answers of a policy depend on beside the desired state of the object, as its language states it when it compiles.
//!
//! Who caches answers asks here when they are stale. Wider than the truth where a policy does not tell, never narrower; a
//! policy that states nothing may depend on anything. Deliberately absent: what a verdict did look up, which
//! [`Recording`](crate::Recording) writes down.

use std::collections::BTreeSet;

use palisade_model::{Str, Value, resource, wildcard};

/// What the answers of a policy depend on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a dependency of its own")]
pub struct Reads {
    /// Whether it may look at the status of objects.
    pub status: bool,
    /// Whether it may look at what the API server writes into `metadata` at each change.
    pub server_fields: bool,
    /// Whether it may look at the object's namespace.
    pub namespace: bool,
    /// Whether it may look at any other objects.
    any: bool,
    /// Kinds or plural resource names of other objects that it may look at, in lower case.
    kinds: BTreeSet<Str>,
}

/// What the API server writes into `metadata` at each change.
const SERVER_FIELDS: [&str; 4] = ["managedFields", "resourceVersion", "generation", "selfLink"];

impl Reads {
    /// Nothing but the desired state.
    pub const fn nothing() -> Self {
        Self { status: false, server_fields: false, namespace: false, any: false, kinds: BTreeSet::new() }
    }

    /// Of a policy of which nothing is known.
    pub const fn anything() -> Self {
        Self { status: true, server_fields: true, namespace: true, any: true, kinds: BTreeSet::new() }
    }

    /// Adds other objects of a kind, or of a resource by its plural name; a pattern, a variable or nothing stands for any.
    pub fn look_up(&mut self, kind: &str) {
        if kind.is_empty() || kind.contains(['{', '$']) || wildcard::contains_wildcard(kind) {
            self.any = true;
        } else {
            self.kinds.insert(kind.to_lowercase().into());
        }
    }

    /// Adds any other objects, and what lies outside the cluster.
    pub const fn look_up_anything(&mut self) {
        self.any = true;
    }

    /// Adds a field of an object that is judged: the names that lead to it, none for the object as a whole.
    pub fn field<'n>(&mut self, names: impl IntoIterator<Item = &'n str>) {
        let mut names = names.into_iter();
        match (names.next(), names.next()) {
            (None, _) => (self.status, self.server_fields) = (true, true),
            (Some("metadata"), None) => self.server_fields = true,
            (Some("metadata"), Some(name)) => self.server_fields |= SERVER_FIELDS.contains(&name),
            (Some(name), _) => self.status |= name == "status",
        }
    }

    /// Adds a name that occurs where nothing tells of what: a field of the object by that name may be meant.
    pub fn name(&mut self, name: &str) {
        self.status |= name == "status";
        self.server_fields |= SERVER_FIELDS.contains(&name);
        self.namespace |= matches!(name, "namespaceObject" | "namespaceLabels");
    }

    /// Adds everything that another policy, or part of this one, depends on.
    pub fn absorb(&mut self, other: &Self) {
        self.status |= other.status;
        self.server_fields |= other.server_fields;
        self.namespace |= other.namespace;
        self.any |= other.any;
        self.kinds.extend(other.kinds.iter().cloned());
    }

    /// Whether the answers may change with other objects of `kind`.
    pub fn looks_up(&self, kind: &str) -> bool {
        self.any || self.names(kind)
    }

    /// Whether the policy says that it looks at other objects of `kind`.
    pub fn names(&self, kind: &str) -> bool {
        let named = |name: &str| self.kinds.contains(name);
        !self.kinds.is_empty() && (named(&kind.to_lowercase()) || named(&resource::plural(kind)))
    }

    /// Whether the answers may change with any other objects.
    pub fn looks_around(&self) -> bool {
        self.any || !self.kinds.is_empty()
    }

    /// The part of an object that the answers depend on: without what changes all the time and is not looked at.
    pub fn relevant(&self, object: &Value) -> Value {
        let mut object = object.clone();
        let Some(members) = object.as_object_mut() else { return object };
        if !self.status {
            members.remove("status");
        }
        if !self.server_fields
            && let Some(metadata) = members.get_mut("metadata").and_then(Value::as_object_mut)
        {
            metadata.retain(|key, _| !SERVER_FIELDS.contains(&&**key));
        }
        object
    }
}

#[cfg(test)]
mod tests {
    use palisade_model::json;

    use super::*;

    fn reading(names: &[&str]) -> Reads {
        let mut reads = Reads::nothing();
        reads.field(names.iter().copied());
        reads
    }

    #[test]
    fn kinds_are_meant_by_kind_and_by_plural_name() {
        let mut reads = Reads::nothing();
        assert!(!reads.looks_around());
        reads.look_up("ConfigMap");
        reads.look_up("ingresses");
        assert!(reads.names("ConfigMap") && reads.names("Ingress") && !reads.looks_up("Secret"));
        for unknown in ["", "*", "{{ kind }}"] {
            let mut reads = Reads::nothing();
            reads.look_up(unknown);
            assert!(reads.looks_up("Secret") && reads.looks_around() && !reads.names("Secret"), "{unknown}");
        }
        let mut both = Reads::nothing();
        both.absorb(&reads);
        both.absorb(&Reads::anything());
        assert!(both.names("Ingress") && both.looks_up("Secret") && both.namespace);
    }

    #[test]
    fn fields_say_what_may_change_without_a_change() {
        assert_eq!(reading(&["spec", "status"]), Reads::nothing());
        assert_eq!(reading(&["metadata", "labels"]), Reads::nothing());
        assert!(reading(&["status", "phase"]).status && !reading(&["status"]).server_fields);
        assert!(reading(&["metadata"]).server_fields && reading(&["metadata", "generation"]).server_fields);
        assert!(reading(&[]).status && reading(&[]).server_fields);
    }

    #[test]
    fn what_is_not_looked_at_is_left_out() {
        let object =
            json!({"metadata": {"name": "a", "resourceVersion": "1", "managedFields": []}, "status": {"x": 1}});
        assert_eq!(Reads::nothing().relevant(&object), json!({"metadata": {"name": "a"}}));
        assert_eq!(Reads::anything().relevant(&object), object);
    }
}
