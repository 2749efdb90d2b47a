//! What a policy asks for beyond answering: objects kept in step, existing objects changed, schedules, and what its
//! answers depend on beside the request.
//!
//! Controllers read it here, because they know no policy language. Deliberately absent: doing any of it.

use palisade_model::{Str, Value, resource};

use crate::schedule::Schedule;

/// What a policy asks its controllers to do.
#[derive(Clone, Debug, Default)]
pub struct Upkeep {
    /// When existing objects are judged for removal; `None` for policies that remove nothing.
    pub schedule: Option<Schedule>,
    /// How dependents of a removed object are treated: `Foreground`, `Background` or `Orphan`.
    pub propagation: Option<Str>,
    /// What single rules ask for, by name; rules that are not listed ask for nothing.
    pub rules: Vec<(Str, RuleUpkeep)>,
}

/// What a rule that generates objects, or changes existing ones, asks its controller to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of a rule")]
pub struct RuleUpkeep {
    /// Objects that exist when the policy comes or changes are triggers too.
    pub existing: bool,
    /// What was made follows its source, and goes with its trigger.
    pub synchronize: bool,
    /// What was made outlives the policy.
    pub orphan: bool,
    /// What was made is a copy of other objects, which decide about it instead of the policy.
    pub clones: bool,
    /// Fields are taken over from whoever wrote them, also of objects that somebody else made.
    pub takes_over: bool,
    /// The rule changes objects that exist already.
    pub targets: bool,
    /// Removing an object is a trigger too.
    pub removals: bool,
}

impl Upkeep {
    /// What a rule asks for.
    pub fn rule(&self, name: &str) -> Option<&RuleUpkeep> {
        self.rules.iter().find(|(rule, _)| **rule == *name).map(|(_, upkeep)| upkeep)
    }
}

/// What the answers of a policy depend on beside the desired state of the object: who caches answers asks here when they
/// are stale. Wider than the truth where a policy's text does not tell, with one exception: a policy that takes an object
/// whole, without naming the fields, is not seen to look at its status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    /// Whether it may look at the status of objects.
    pub status: bool,
    /// Whether it may look at what the API server writes into `metadata` at each change.
    pub server_fields: bool,
    /// Whether it may look at the object's namespace.
    pub namespace: bool,
    /// Whether it may look at other objects: `None` if not, otherwise the text that names their kinds, in lower case;
    /// empty where nothing is known of them.
    others: Option<Str>,
}

/// Words of policies that look at other objects than the one before them.
const LOOK_UPS: [&str; 10] = [
    "\"clone\":",
    "\"clonelist\":",
    "\"configmap\":",
    "\"apicall\":",
    "\"globalreference\":",
    "\"paramkind\":",
    "resource.get(",
    "resource.list(",
    "globalcontext.",
    "data.inventory",
];

impl Reads {
    /// Of a policy of which nothing is known.
    pub fn anything() -> Self {
        Self { status: true, server_fields: true, namespace: true, others: Some("".into()) }
    }

    /// Of a policy that consists of this text and nothing else.
    pub fn of(text: &str) -> Self {
        let text = text.to_lowercase();
        let has = |word: &str| text.contains(word);
        Self {
            status: has("status"),
            server_fields: ["managedfields", "resourceversion", "generation"].into_iter().any(has),
            namespace: ["namespaceselector", "namespaceobject", "namespacelabels"].into_iter().any(has),
            others: LOOK_UPS.into_iter().any(has).then(|| text.as_str().into()),
        }
    }

    /// Whether the answers may change with other objects of `kind`.
    pub fn looks_up(&self, kind: &str) -> bool {
        self.others.as_ref().is_some_and(|text| text.is_empty()) || self.names(kind)
    }

    /// Whether the text says that the answers may change with other objects of `kind`.
    pub fn names(&self, kind: &str) -> bool {
        let named = |text: &Str| text.contains(&kind.to_lowercase()) || text.contains(&resource::plural(kind));
        self.others.as_ref().is_some_and(named)
    }

    /// Whether the answers may change with any other objects.
    pub const fn looks_around(&self) -> bool {
        self.others.is_some()
    }

    /// Both together.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let others = match (&self.others, &other.others) {
            (Some(one), Some(two)) if !one.is_empty() && !two.is_empty() => Some(format!("{one}\n{two}").into()),
            (Some(one), Some(_)) if one.is_empty() => Some(one.clone()),
            (Some(_), Some(two)) => Some(two.clone()),
            (one, two) => one.clone().or_else(|| two.clone()),
        };
        Self {
            status: self.status || other.status,
            server_fields: self.server_fields || other.server_fields,
            namespace: self.namespace || other.namespace,
            others,
        }
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
            metadata
                .retain(|key, _| !matches!(&**key, "managedFields" | "resourceVersion" | "generation" | "selfLink"));
        }
        object
    }
}

#[cfg(test)]
mod tests {
    use palisade_model::json;

    use super::*;

    #[test]
    fn the_text_of_a_policy_tells_what_it_depends_on() {
        let plain = Reads::of(r#"{"spec":{"rules":[{"match":{"kinds":["Pod","ConfigMap"]}}]}}"#);
        assert_eq!(plain, Reads::default());
        assert!(!plain.looks_up("Pod"));
        let looking =
            Reads::of(r#"{"context":[{"name":"x","configMap":{"name":"a"}}],"k":"{{ object.status.phase }}"}"#);
        assert!(looking.status && looking.looks_up("ConfigMap") && !looking.looks_up("Secret"));
        let plural = Reads::of(r#"{"apiCall":{"urlPath":"/apis/networking.k8s.io/v1/ingresses"}}"#);
        assert!(plural.looks_up("Ingress"));
        assert!(Reads::anything().looks_up("Secret"));
        assert!(looking.and(&plural).looks_up("Ingress") && looking.and(&Reads::anything()).looks_up("Secret"));
    }

    #[test]
    fn what_is_not_looked_at_is_left_out() {
        let object =
            json!({"metadata": {"name": "a", "resourceVersion": "1", "managedFields": []}, "status": {"x": 1}});
        assert_eq!(Reads::default().relevant(&object), json!({"metadata": {"name": "a"}}));
        assert_eq!(Reads::anything().relevant(&object), object);
    }
}
