//! Who answers for what: teams, services and the catalogue documents that name them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Listed, Page, Store, StoreError};

/// A team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Team {
    /// Its name.
    pub name: String,
    /// The name to show.
    pub title: String,
    /// How to reach it, empty where unknown.
    pub contact: String,
    /// Where it is written.
    pub source: String,
}

/// A service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// The team that owns it.
    pub team: String,
    /// The name to show.
    pub title: String,
    /// The system that it belongs to, empty where unknown.
    pub system: String,
    /// Such as `production` or `experimental`, empty where unknown.
    pub lifecycle: String,
    /// How its resources are recognised, as the importer wrote it.
    pub selector: Value,
    /// Where it is written.
    pub source: String,
}

/// A document of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity {
    /// Kind, such as `Component`.
    pub kind: String,
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// The document.
    pub document: Value,
    /// Where it is written.
    pub source: String,
}

/// Everything that one source says about owners.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// Teams.
    pub teams: Vec<Team>,
    /// Services.
    pub services: Vec<Service>,
    /// Documents.
    pub entities: Vec<Entity>,
}

impl Store {
    /// Replaces everything that `source` said about owners, whatever the records name as their source. Tells the feed
    /// of changes (topic `owners`). A name that another source has already is a conflict.
    pub async fn replace_catalogue(
        &self,
        source: &str,
        catalogue: &Catalogue,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        todo!()
    }

    /// The team with this name.
    pub async fn team(&self, name: &str) -> Result<Option<Team>, StoreError> {
        todo!()
    }

    /// Teams by name.
    pub async fn list_teams(&self, page: &Page) -> Result<Listed<Team>, StoreError> {
        todo!()
    }

    /// The service with this name.
    pub async fn service(&self, name: &str) -> Result<Option<Service>, StoreError> {
        todo!()
    }

    /// Services by name, of any of these teams where some are given.
    pub async fn list_services(&self, teams: Option<&[String]>, page: &Page) -> Result<Listed<Service>, StoreError> {
        todo!()
    }

    /// Catalogue documents by kind, namespace and name.
    pub async fn list_entities(&self, kind: Option<&str>, page: &Page) -> Result<Listed<Entity>, StoreError> {
        todo!()
    }
}
