//! Look-ups that are written down while they are answered, for who wants to ask again later: a replay, or a cache that has to
//! know when a verdict is stale.
//!
//! Of an answer its digest is kept, which is enough to see whether it changed. Deliberately absent: the answers themselves,
//! which may be large and secret.

use std::sync::{Mutex, PoisonError};

use palisade_model::{Str, Value};

use crate::{ApiCall, LookupError, Lookups, Namespace, ObjectQuery, digest, forward_lookups};

/// A question that a policy asked of its surroundings.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    /// One object.
    Get(ObjectQuery),
    /// All objects that match.
    List(ObjectQuery),
    /// Every object that is known.
    Objects,
    /// A call to an API or service.
    Call(ApiCall),
    /// A policy's own HTTP request.
    Http(ApiCall),
    /// A request of `http.send`.
    Send(Value),
    /// The data of a GlobalContextEntry.
    GlobalContext {
        /// The entry.
        name: Str,
        /// One of its projections; empty for the entry itself.
        projection: Str,
    },
    /// Manifest and configuration of an image.
    Image(Str),
    /// A namespace by its name.
    Namespace(Str),
}

/// A question with what came back.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// What was asked.
    pub asked: Asked,
    /// SHA-256 of the answer as canonical JSON, or why there was none.
    pub answer: Result<Str, LookupError>,
}

/// Surroundings that answer as others do, and keep what was asked in the order in which it was first asked.
pub struct Recording<'a> {
    lookups: &'a dyn Lookups,
    recorded: Mutex<Vec<Recorded>>,
}

impl<'a> Recording<'a> {
    /// A record of what `lookups` is asked.
    pub fn of(lookups: &'a dyn Lookups) -> Self {
        Self { lookups, recorded: Mutex::default() }
    }

    /// What was asked, each question once for each answer that it had.
    #[must_use]
    pub fn into_recorded(self) -> Vec<Recorded> {
        self.recorded.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn note<T: Digested>(&self, asked: Asked, answer: T) -> T {
        let noted = Recorded { asked, answer: answer.digested() };
        let mut recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        if !recorded.contains(&noted) {
            recorded.push(noted);
        }
        answer
    }
}

impl Lookups for Recording<'_> {
    forward_lookups!(|this, asked, answer| this.lookups => this.note(asked(), answer);
        get, list, objects, call, http, send, global_context, image, namespace);
}

impl std::fmt::Debug for Recording<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recording").field("recorded", &self.recorded).finish_non_exhaustive()
    }
}

/// An answer of which a digest can be taken.
trait Digested {
    fn digested(&self) -> Result<Str, LookupError>;
}

impl Digested for Result<Value, LookupError> {
    fn digested(&self) -> Result<Str, LookupError> {
        self.as_ref().map(|value| digest(&value.to_canonical_json())).map_err(Clone::clone)
    }
}

impl Digested for Result<Vec<Value>, LookupError> {
    fn digested(&self) -> Result<Str, LookupError> {
        self.clone().map(Value::array).digested()
    }
}

impl Digested for Namespace {
    fn digested(&self) -> Result<Str, LookupError> {
        match self {
            Self::Known(object) => Ok(digest(&object.to_canonical_json())),
            Self::Missing => Err(LookupError::NotFound("the namespace".into())),
            Self::Unknown(error) => Err(error.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use palisade_model::json;

    use super::*;
    use crate::Offline;

    /// Knows the namespace `shop`, one list, and nothing else.
    struct Shop;

    impl Lookups for Shop {
        forward_lookups!(|_this| Offline; get, objects, call, http, send, global_context, image);

        fn list(&self, _query: &ObjectQuery) -> Result<Vec<Value>, LookupError> {
            Ok(vec![json!({"b": 1, "a": 2})])
        }

        fn namespace(&self, name: &str) -> Namespace {
            if name == "shop" { Namespace::Known(json!({"kind": "Namespace"})) } else { Namespace::Missing }
        }
    }

    #[test]
    fn every_question_is_answered_and_kept_once_with_its_digest() {
        let recording = Recording::of(&Shop);
        let query = ObjectQuery { resource: "configmaps".into(), ..ObjectQuery::default() };
        assert_eq!(recording.list(&query), Shop.list(&query));
        assert_eq!(recording.list(&query), Shop.list(&query));
        assert_eq!(recording.get(&query), Shop.get(&query));
        assert_eq!(recording.namespace("shop"), Shop.namespace("shop"));
        assert_eq!(recording.namespace("nowhere"), Namespace::Missing);
        assert_eq!(recording.global_context("entry", "part"), Shop.global_context("entry", "part"));
        let call = ApiCall { url: "/version".into(), ..ApiCall::default() };
        let others = [recording.objects(), recording.call(&call), recording.http(&call), recording.image("a:1")];
        assert!(others.iter().all(Result::is_err));
        assert!(recording.send(&json!({"url": "https://a.example"})).is_err());

        let recorded = recording.into_recorded();
        let asked: Vec<&Asked> = recorded.iter().map(|recorded| &recorded.asked).collect();
        let expected = [
            Asked::List(query.clone()),
            Asked::Get(query),
            Asked::Namespace("shop".into()),
            Asked::Namespace("nowhere".into()),
            Asked::GlobalContext { name: "entry".into(), projection: "part".into() },
            Asked::Objects,
            Asked::Call(call.clone()),
            Asked::Http(call),
            Asked::Image("a:1".into()),
            Asked::Send(json!({"url": "https://a.example"})),
        ];
        assert_eq!(asked, expected.iter().collect::<Vec<_>>());
        assert_eq!(recorded[0].answer, Ok(digest(r#"[{"a":2,"b":1}]"#)), "whatever the order of the members");
        assert!(matches!(recorded[1].answer, Err(LookupError::Unavailable { .. })));
        assert!(matches!(recorded[3].answer, Err(LookupError::NotFound(_))));
    }
}
