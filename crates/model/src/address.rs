//! What makes a judged thing the same thing at the next sight, wherever it is judged.
//!
//! An object of a cluster is told by its kind, namespace and name. A file may hold several documents that are alike in all
//! of that: documents that are no objects have none of it, and nothing keeps a file from naming one object twice. So an
//! address says which of them is meant, by the document's own name where it has one, because that stays when documents
//! are inserted. Deliberately absent: the version of a kind, which objects change without becoming others.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::{GroupVersionKind, Resource, Str, Value};

/// The one identity of a judged thing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Address {
    /// Where it lives: `cluster:NAME` or `file:PATH`.
    pub source: Str,
    /// API group, empty for core and for what is no object.
    pub group: Str,
    /// Kind, empty for what is no object.
    pub kind: Str,
    /// Namespace, empty for cluster-scoped objects.
    pub namespace: Str,
    /// Name.
    pub name: Str,
    /// Which of the documents of a file that are alike in everything else: empty for the first or only one.
    pub part: Str,
}

/// Members by which documents that are no objects are called.
const NAMES: [&str; 2] = ["name", "id"];

/// The part of each document of a file, in their order.
pub fn parts<'a>(documents: impl ExactSizeIterator<Item = &'a Value>) -> Vec<Str> {
    let only = documents.len() == 1;
    let mut seen = HashMap::<_, usize>::new();
    let part = |document: &'a Value| {
        let resource = Resource::in_memory(document.clone());
        let (object, own) = match resource.gvk() {
            Some(GroupVersionKind { group, kind, .. }) => {
                (Some((group, kind, resource.namespace().to_owned(), resource.name().to_owned())), "")
            }
            None => (None, own_name(document).filter(|_| !only).unwrap_or_default()),
        };
        let times = seen.entry((object, own)).or_default();
        *times += 1;
        if *times == 1 { Str::from(own) } else { format!("{own}#{times}").into() }
    };
    documents.map(part).collect()
}

fn own_name(document: &Value) -> Option<&str> {
    NAMES.iter().find_map(|key| document.get(key)?.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    #[test]
    fn documents_that_are_alike_are_told_apart() {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}});
        let of = |documents: &[Value]| parts(documents.iter()).iter().map(ToString::to_string).collect::<Vec<_>>();
        let (web, nameless) = (json!({"name": "web"}), json!({"replicas": 1}));
        assert_eq!(of(std::slice::from_ref(&web)), [""], "the file says it all");
        assert_eq!(of(&[pod.clone(), web.clone(), nameless.clone()]), ["", "web", ""]);
        assert_eq!(of(&[nameless.clone(), web.clone(), nameless, web]), ["", "web", "#2", "web#2"]);
        assert_eq!(of(&[pod.clone(), pod]), ["", "#2"]);
    }
}
