//! Owners: which team and service answer for an object, from Backstage's catalogue files.
//!
//! [`catalog`] reads `catalog-info.yaml` documents into the store's teams and services, [`selector`] is how an object is
//! recognised as one of a service's, [`index`] finds the service of an object. [`Owners`] is the live index that every
//! recorded decision and finding is looked up in. Files named in `[owners]` are imported at the start and when they
//! change; others come through the API. Deliberately absent: fetching catalogues from other servers.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use palisade_config::section;
use palisade_model::{Decision, Owner, Value};
use palisade_store::{Page, Store, StoreError};
use tokio::sync::Notify;

use index::Index;

mod catalog;
mod import;
mod index;
mod selector;
#[cfg(test)]
mod tests;

pub(crate) use catalog::CODES;
pub(crate) use import::{Imported, forget, import, keep_current};

/// The team of what no catalogue knows.
pub(crate) const UNOWNED: &str = "unowned";

section! {
    /// Who answers for what: where catalogue files are.
    #[derive(Clone, Debug)]
    pub struct OwnersConfig("owners") {
        /// Files and folders with `catalog-info.yaml` documents.
        pub catalogs: Vec<PathBuf> = Vec::new();
    }
}

/// Who answers for what, now. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Owners {
    index: Arc<RwLock<Arc<Index>>>,
    changed: Arc<Notify>,
}

impl Owners {
    /// Who answers for the object of a decision.
    pub fn of(&self, decision: &Decision) -> Owner {
        let subject = &decision.subject;
        let namespace = if &*subject.kind.kind == "Namespace" { &subject.name } else { &subject.namespace };
        self.owner(namespace, &subject.name, &decision.labels)
    }

    /// Who answers for the object called `name` with `labels` in `namespace`.
    pub fn owner(&self, namespace: &str, name: &str, labels: &Value) -> Owner {
        self.current().owner(namespace, name, labels)
    }

    /// Tells once, to one listener, whenever somebody else may answer for something.
    pub(crate) fn changed(&self) -> Arc<Notify> {
        self.changed.clone()
    }

    fn current(&self) -> Arc<Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads teams and services from the store anew.
    pub(crate) async fn refresh(&self, store: &Store) -> Result<(), StoreError> {
        let mut services = Vec::new();
        let mut page = Page::default();
        loop {
            let listed = store.list_services(None, &page).await?;
            services.extend(listed.items);
            match listed.next {
                Some(next) => page.after = Some(next),
                None => break,
            }
        }
        let index = Arc::new(Index::new(&services));
        let before = std::mem::replace(&mut *self.index.write().unwrap_or_else(PoisonError::into_inner), index.clone());
        if *before != *index {
            self.changed.notify_one();
        }
        Ok(())
    }
}
