//! Who answers for what: teams, services and the catalogue documents that name them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::changes::tell;
use crate::database::Session;
use crate::error::Failure;
use crate::page::{Column, Order};
use crate::statement::{Bound, Sql};
use crate::table::{Columns, Table, columns, table};
use crate::{Listed, Page, Store, StoreError};

const TEAMS_BY_NAME: Order = Order { list: "teams", columns: &[Column::text("name", "name")], descending: false };
const SERVICES_BY_NAME: Order = Order { list: "services", columns: &[Column::text("name", "name")], descending: false };
const SOURCES_BY_NAME: Order =
    Order { list: "catalogues", columns: &[Column::text("source", "source")], descending: false };
const ENTITIES_BY_NAME: Order = Order {
    list: "entities",
    columns: &[Column::text("kind", "kind"), Column::text("namespace", "namespace"), Column::text("name", "name")],
    descending: false,
};

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

table! {
    TEAMS = teams (name);
    Team { name: text, title: text, contact: text, source: text }
}

table! {
    SERVICES = services (name);
    Service { name: text, team: text, title: text, system: text, lifecycle: text, selector: json, source: text }
}

table! {
    ENTITIES = entities (kind, namespace, name);
    Entity { kind: text, namespace: text, name: text, document: json, source: text }
}

columns! {
    CatalogueSize { source: text, teams: count, services: count, entities: count }
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

/// How much a source says about owners.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CatalogueSize {
    /// The source.
    pub source: String,
    /// Teams.
    pub teams: u64,
    /// Services.
    pub services: u64,
    /// Documents, those included that are neither.
    pub entities: u64,
}

/// Every source with how much it says, to be narrowed.
const SIZES: &str = "SELECT * FROM (SELECT source, CAST(sum(team) AS BIGINT) AS teams, \
     CAST(sum(service) AS BIGINT) AS services, CAST(sum(entity) AS BIGINT) AS entities FROM (\
     SELECT source, 1 AS team, 0 AS service, 0 AS entity FROM teams \
     UNION ALL SELECT source, 0, 1, 0 FROM services UNION ALL SELECT source, 0, 0, 1 FROM entities) AS said \
     GROUP BY source) AS sizes WHERE 1 = 1";

impl Store {
    /// The sources that say something about owners, by name.
    pub async fn list_catalogues(&self, page: &Page) -> Result<Listed<CatalogueSize>, StoreError> {
        self.database
            .attempt("listing catalogues", async || {
                self.database.read().await?.list(Sql::new(SIZES), &SOURCES_BY_NAME, page, Columns::read).await
            })
            .await
    }

    /// How much this source says about owners; none where it says nothing.
    pub async fn catalogue(&self, source: &str) -> Result<Option<CatalogueSize>, StoreError> {
        self.database
            .attempt("reading a catalogue", async || {
                let sql = Sql::new(SIZES).equal("source", Some(source));
                self.database.read().await?.row(sql).await?.as_ref().map(Columns::read).transpose()
            })
            .await
    }

    /// Replaces everything that `source` said about owners, whatever the records name as their source. Tells the feed
    /// of changes (topic `owners`). A name that another source has already is a conflict.
    pub async fn replace_catalogue(
        &self,
        source: &str,
        catalogue: &Catalogue,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.database
            .attempt("replacing a catalogue", async || {
                let mut session = self.database.write().await?;
                for sql in [
                    "DELETE FROM teams WHERE source = $1",
                    "DELETE FROM services WHERE source = $1",
                    "DELETE FROM entities WHERE source = $1",
                ] {
                    session.execute(Sql::new(sql).arg(source)).await?;
                }
                let from = || source.to_owned();
                for team in &catalogue.teams {
                    let row = Team { source: from(), ..team.clone() };
                    insert(&mut session, &TEAMS, row.values(), "team", &team.name).await?;
                }
                for service in &catalogue.services {
                    let row = Service { source: from(), ..service.clone() };
                    insert(&mut session, &SERVICES, row.values(), "service", &service.name).await?;
                }
                for entity in &catalogue.entities {
                    let row = Entity { source: from(), ..entity.clone() };
                    insert(&mut session, &ENTITIES, row.values(), "document", &entity.name).await?;
                }
                let body =
                    json!({ "source": source, "teams": catalogue.teams.len(), "services": catalogue.services.len() });
                tell(&mut session, "owners", [(None, body)], now).await?;
                session.commit().await
            })
            .await
    }

    /// The team with this name.
    pub async fn team(&self, name: &str) -> Result<Option<Team>, StoreError> {
        self.database
            .attempt("reading a team", async || {
                let sql = Sql::new("SELECT * FROM teams WHERE name = $1").arg(name);
                self.database.read().await?.row(sql).await?.as_ref().map(Columns::read).transpose()
            })
            .await
    }

    /// Teams by name.
    pub async fn list_teams(&self, page: &Page) -> Result<Listed<Team>, StoreError> {
        self.database
            .attempt("listing teams", async || {
                let sql = Sql::new("SELECT * FROM teams WHERE 1 = 1");
                self.database.read().await?.list(sql, &TEAMS_BY_NAME, page, Columns::read).await
            })
            .await
    }

    /// The service with this name.
    pub async fn service(&self, name: &str) -> Result<Option<Service>, StoreError> {
        self.database
            .attempt("reading a service", async || {
                let sql = Sql::new("SELECT * FROM services WHERE name = $1").arg(name);
                self.database.read().await?.row(sql).await?.as_ref().map(Columns::read).transpose()
            })
            .await
    }

    /// Services by name, of any of these teams where some are given.
    pub async fn list_services(&self, teams: Option<&[String]>, page: &Page) -> Result<Listed<Service>, StoreError> {
        self.database
            .attempt("listing services", async || {
                let sql = Sql::new("SELECT * FROM services WHERE 1 = 1").among("team", teams);
                self.database.read().await?.list(sql, &SERVICES_BY_NAME, page, Columns::read).await
            })
            .await
    }

    /// Catalogue documents by kind, namespace and name.
    pub async fn list_entities(&self, kind: Option<&str>, page: &Page) -> Result<Listed<Entity>, StoreError> {
        self.database
            .attempt("listing catalogue documents", async || {
                let sql = Sql::new("SELECT * FROM entities WHERE 1 = 1").equal("kind", kind);
                self.database.read().await?.list(sql, &ENTITIES_BY_NAME, page, Columns::read).await
            })
            .await
    }
}

async fn insert(session: &mut Session, table: &Table, row: Vec<Bound>, what: &str, name: &str) -> Result<(), Failure> {
    match session.execute(table.insert([row]).push(" ON CONFLICT DO NOTHING")).await? {
        0 => {
            let reason = format!("the {what} `{name}` is named twice, here or by another source; name it once");
            Err(StoreError::Conflict(reason).into())
        }
        _ => Ok(()),
    }
}
