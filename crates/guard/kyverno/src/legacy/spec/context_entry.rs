//! `context`: named values that a rule loads when a variable first mentions them.

use palisade_model::{Str, Value};

use super::{Node, Reader};
use crate::legacy::codes;
use crate::legacy::reads;

/// A named value.
#[derive(Clone, Debug)]
pub struct ContextEntry {
    /// The variable's name.
    pub name: Str,
    /// Where the value comes from.
    pub source: EntrySource,
}

/// Where a context entry's value comes from. Texts and values may hold variables.
#[derive(Clone, Debug)]
pub enum EntrySource {
    /// A value, a query, or both.
    Variable {
        /// The value; `null` where absent.
        value: Value,
        /// A query of the value, or of the context where there is no value.
        jmes_path: Option<Str>,
        /// What stands in where the query has no answer; `null` where absent.
        default: Value,
    },
    /// `data` and `metadata` of a ConfigMap.
    ConfigMap {
        /// Its name.
        name: Str,
        /// Its namespace; `default`, or a namespaced policy's own, where empty.
        namespace: Str,
    },
    /// A call to the API server or a service.
    ApiCall {
        /// The call as written: `urlPath`, `method`, `data`, `service`.
        call: Value,
        /// A query of the answer.
        jmes_path: Option<Str>,
        /// What stands in where the call fails; `null` where absent.
        default: Value,
    },
    /// What a registry says of an image.
    ImageRegistry {
        /// The image.
        reference: Str,
        /// A query of the data.
        jmes_path: Option<Str>,
    },
    /// Data of a GlobalContextEntry.
    GlobalReference {
        /// The entry's name, with `.projection` behind it where a projection is meant.
        name: Str,
        /// A query of the data.
        jmes_path: Option<Str>,
    },
}

impl ContextEntry {
    /// Reads the list `context` of `parent`.
    pub(crate) fn read_all(reader: &mut Reader<'_>, parent: &Node<'_>) -> Vec<Self> {
        let nodes = reader.list(parent, "context");
        nodes.iter().filter_map(|node| Self::read(reader, node)).collect()
    }

    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self> {
        const SOURCES: [&str; 5] = ["variable", "configMap", "apiCall", "imageRegistry", "globalReference"];
        reader.known_fields(node, &["name", "variable", "configMap", "apiCall", "imageRegistry", "globalReference"]);
        let name = reader.text(node, "name").unwrap_or_default();
        if name.is_empty() {
            reader.error(codes::INVALID_CONTEXT, &node.path, "a context entry needs a name", "add `name`");
        }
        let mut given = SOURCES.iter().filter_map(|key| Some((*key, node.get(key)?)));
        let (Some((key, source)), None) = (given.next(), given.next()) else {
            let message = format!("context entry `{name}` needs exactly one of {}", SOURCES.join(", "));
            reader.error(codes::INVALID_CONTEXT, &node.path, message, "split it into one entry per source");
            return None;
        };
        Some(Self { name, source: EntrySource::read(reader, key, &source) })
    }
}

impl EntrySource {
    fn read(reader: &mut Reader<'_>, key: &str, node: &Node<'_>) -> Self {
        let value = |key: &str| node.get(key).map(|node| node.value.clone()).unwrap_or_default();
        let jmes_path = reader.text(node, "jmesPath").filter(|text| !text.is_empty());
        reads::of_entry(key, node.value, reader.reads());
        match key {
            "variable" => {
                reader.known_fields(node, &["value", "jmesPath", "default"]);
                Self::Variable { value: value("value"), jmes_path, default: value("default") }
            }
            "configMap" => {
                reader.known_fields(node, &["name", "namespace"]);
                Self::ConfigMap {
                    name: reader.text(node, "name").unwrap_or_default(),
                    namespace: reader.text(node, "namespace").unwrap_or_default(),
                }
            }
            "apiCall" => {
                reader.known_fields(node, &["urlPath", "method", "data", "service", "default", "jmesPath"]);
                Self::ApiCall { call: node.value.clone(), jmes_path, default: value("default") }
            }
            "imageRegistry" => {
                reader.known_fields(node, &["reference", "jmesPath", "imageRegistryCredentials"]);
                Self::ImageRegistry { reference: reader.text(node, "reference").unwrap_or_default(), jmes_path }
            }
            _ => {
                reader.known_fields(node, &["name", "jmesPath"]);
                Self::GlobalReference { name: reader.text(node, "name").unwrap_or_default(), jmes_path }
            }
        }
    }
}
