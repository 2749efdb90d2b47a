//! Backstage's catalogue documents (`backstage.io/v1alpha1`) as teams, services and entities.
//!
//! Components, APIs and Resources are services, Groups are teams; Systems, Domains and Users are kept as they are. An
//! owner is an entity reference (`[kind:][namespace/]name`, a Group where no kind is named). A document that is wrong is
//! reported and left out; the others count.

use palisade_model::{Diagnostic, Path, Resource, Value};
use palisade_store::{Catalogue, Entity, Service, Team};

use super::selector::{Selector, parse};

/// The group of the documents' `apiVersion`.
const GROUP: &str = "backstage.io";

palisade_model::codes! {
    CODE "PAL-S0001" "a document of a service catalogue is not as it should be"
    "Owners come from Backstage's catalogue documents (`apiVersion: backstage.io/v1alpha1`): a Component, API or Resource \
is a service, a Group is a team. A document that is wrong is left out and the others of its source count; a service \
without an owner counts, and its findings belong to nobody.

Correct the field at the place that is named. A service with an owner and its objects:

    apiVersion: backstage.io/v1alpha1
    kind: Component
    metadata:
      name: checkout
      annotations:
        backstage.io/kubernetes-label-selector: app=checkout
    spec: {type: service, lifecycle: production, owner: team-shop}"
}

/// Kinds that own objects of a cluster.
const SERVICES: [&str; 3] = ["Component", "API", "Resource"];
/// Kinds that are kept without a meaning of their own here.
const KEPT: [&str; 3] = ["System", "Domain", "User"];
/// Kinds of Backstage that say nothing about owners.
const IGNORED: [&str; 2] = ["Location", "Template"];

/// What the documents of one source say.
pub(super) fn read(source: &str, documents: &[Resource]) -> (Catalogue, Vec<Diagnostic>) {
    let mut catalogue = Catalogue::default();
    let mut diagnostics = Vec::new();
    for document in documents {
        if document.gvk().is_none_or(|gvk| &*gvk.group != GROUP) {
            diagnostics.push(wrong(document, "/apiVersion", "it is no document of a Backstage catalogue"));
        } else if let Err(diagnostic) = add(&mut catalogue, source, document, &mut diagnostics) {
            diagnostics.push(diagnostic);
        }
    }
    (catalogue, diagnostics)
}

fn add(
    catalogue: &mut Catalogue,
    source: &str,
    document: &Resource,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<(), Diagnostic> {
    let kind = document.kind();
    if IGNORED.contains(&kind) {
        return Ok(());
    }
    let name = text(document, ["metadata", "name"]).to_owned();
    if !is_name(&name) {
        let why = format!("`{name}` is no name: expected up to 63 letters, digits, `-`, `_` and `.`");
        return Err(wrong(document, "/metadata/name", &why));
    }
    match kind {
        "Group" => catalogue.teams.push(team(source, document, &name)),
        _ if SERVICES.contains(&kind) => {
            let service = service(source, document, &name)?;
            if catalogue.services.iter().any(|other| other.name == name) {
                let why = format!("a Component, API or Resource called `{name}` stands in the catalogue already");
                return Err(wrong(document, "/metadata/name", &why));
            }
            if service.team.is_empty() {
                let diagnostic = Diagnostic::warning(CODE, format!("`{name}` has no owner"));
                diagnostics.push(placed(diagnostic, document, "/spec").help("write `spec.owner`, such as `team-shop`"));
            }
            catalogue.services.push(service);
        }
        _ if KEPT.contains(&kind) => {}
        _ => return Err(wrong(document, "/kind", &format!("`{kind}` is no kind of a Backstage catalogue"))),
    }
    catalogue.entities.push(Entity {
        kind: kind.to_owned(),
        namespace: namespace(document).to_owned(),
        name,
        document: serde_json::to_value(&document.object).unwrap_or_default(),
        source: source.to_owned(),
    });
    Ok(())
}

fn team(source: &str, document: &Resource, name: &str) -> Team {
    let title = match text(document, ["spec", "profile", "displayName"]) {
        "" => text(document, ["metadata", "title"]),
        title => title,
    };
    Team {
        name: name.to_owned(),
        title: if title.is_empty() { name } else { title }.to_owned(),
        contact: text(document, ["spec", "profile", "email"]).to_owned(),
        source: source.to_owned(),
    }
}

fn service(source: &str, document: &Resource, name: &str) -> Result<Service, Diagnostic> {
    let title = text(document, ["metadata", "title"]);
    let owner = text(document, ["spec", "owner"]);
    let team = match owner {
        "" => "",
        reference => name_of(reference).ok_or_else(|| {
            wrong(
                document,
                "/spec/owner",
                &format!("`{reference}` is no reference: expected `[kind:][namespace/]name`"),
            )
        })?,
    };
    let selector = selector(document, name)?;
    Ok(Service {
        name: name.to_owned(),
        team: team.to_owned(),
        title: if title.is_empty() { name } else { title }.to_owned(),
        system: name_of(text(document, ["spec", "system"])).unwrap_or_default().to_owned(),
        lifecycle: text(document, ["spec", "lifecycle"]).to_owned(),
        selector: serde_json::to_value(selector).unwrap_or_default(),
        source: source.to_owned(),
    })
}

/// How the service's objects are recognised, by its annotations; by its name where there are none.
fn selector(document: &Resource, name: &str) -> Result<Selector, Diagnostic> {
    let annotation = |key: &str| match text(document, ["metadata", "annotations", key]) {
        "" => None,
        value => Some(value.to_owned()),
    };
    let labels = "backstage.io/kubernetes-label-selector";
    let requirements = match annotation(labels) {
        None => Vec::new(),
        Some(text) => parse(&text).map_err(|why| {
            let at = format!("/metadata/annotations/{}", labels.replace('/', "~1"));
            wrong(document, &at, &format!("the label selector `{text}` cannot be used: {why}"))
        })?,
    };
    Ok(Selector {
        kubernetes_id: annotation("backstage.io/kubernetes-id").or_else(|| Some(name.to_owned())),
        requirements,
        namespace: annotation("backstage.io/kubernetes-namespace"),
    })
}

/// The name in an entity reference.
fn name_of(reference: &str) -> Option<&str> {
    let after_kind = reference.split_once(':').map_or(reference, |(_, rest)| rest);
    let name = after_kind.split_once('/').map_or(after_kind, |(_, name)| name);
    is_name(name).then_some(name)
}

fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=63).contains(&text.len()) && text.bytes().all(plain)
}

fn namespace(document: &Resource) -> &str {
    match document.namespace() {
        "" => "default",
        namespace => namespace,
    }
}

fn text<'d, const N: usize>(document: &'d Resource, keys: [&str; N]) -> &'d str {
    document.object.dig(keys).and_then(Value::as_str).unwrap_or_default().trim()
}

fn wrong(document: &Resource, pointer: &str, why: &str) -> Diagnostic {
    let diagnostic = Diagnostic::error(CODE, format!("this catalogue document is left out: {why}"));
    placed(diagnostic, document, pointer)
}

fn placed(diagnostic: Diagnostic, document: &Resource, pointer: &str) -> Diagnostic {
    match document.locate(&Path::from_pointer(pointer)) {
        Some(location) => diagnostic.at(location, ""),
        None => diagnostic,
    }
}
