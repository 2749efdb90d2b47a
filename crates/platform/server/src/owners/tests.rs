use palisade_document::{Document, Limits, parse};
use palisade_model::{Level, json};

use super::*;

const CATALOGUE: &str = r"
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: checkout
  annotations:
    backstage.io/kubernetes-id: checkout-v2
    backstage.io/kubernetes-namespace: shop
spec: {type: service, lifecycle: production, owner: group:default/team-orders, system: shop}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: search
  annotations: {backstage.io/kubernetes-label-selector: 'app in (search, suggest),tier!=cache'}
spec: {type: service, lifecycle: production, owner: team-catalog}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: reports}
spec: {type: service, lifecycle: experimental}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: team-orders}
spec: {type: team, profile: {displayName: Orders, email: orders@shop.example}, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: Location
metadata: {name: other}
spec: {target: ./elsewhere.yaml}
";

fn read(text: &str) -> (palisade_store::Catalogue, Vec<palisade_model::Diagnostic>) {
    let parsed = parse("catalog-info.yaml", text.as_bytes(), &Limits::default());
    let documents: Vec<_> = parsed.documents.into_iter().map(Document::into_resource).collect();
    catalog::read("catalog-info.yaml", &documents)
}

#[test]
fn components_become_services_and_groups_teams() {
    let (catalogue, diagnostics) = read(CATALOGUE);
    let services: Vec<_> = catalogue.services.iter().map(|s| (&*s.name, &*s.team, &*s.system)).collect();
    assert_eq!(services, [("checkout", "team-orders", "shop"), ("search", "team-catalog", ""), ("reports", "", "")]);
    assert_eq!((&*catalogue.teams[0].title, &*catalogue.teams[0].contact), ("Orders", "orders@shop.example"));
    assert_eq!(catalogue.entities.len(), 4);
    assert_eq!(diagnostics.len(), 1, "{diagnostics:?}");
    assert_eq!((diagnostics[0].level, &*diagnostics[0].message), (Level::Warning, "`reports` has no owner"));
}

#[test]
fn the_most_explicit_sign_wins() {
    let index = Index::new(&read(CATALOGUE).0.services);
    let owner = |namespace: &str, name: &str, labels: Value| index.owner(namespace, name, &labels).to_string();
    for (namespace, name, labels, expected) in [
        ("shop", "x", json!({"backstage.io/kubernetes-id": "checkout-v2", "app": "search"}), "team-orders/checkout"),
        ("other", "x", json!({"backstage.io/kubernetes-id": "checkout-v2"}), "unowned/x"),
        ("any", "x", json!({"app": "suggest"}), "team-catalog/search"),
        ("any", "x", json!({"app": "suggest", "tier": "cache"}), "unowned/suggest"),
        ("any", "reports", json!(null), "unowned/reports"),
        ("any", "search", json!({"app": "web"}), "team-catalog/search"),
        ("shop", "web", json!({"app.kubernetes.io/name": "storefront"}), "team-orders/storefront"),
        ("any", "web", json!({}), "unowned/web"),
    ] {
        assert_eq!(owner(namespace, name, labels.clone()), expected, "{namespace}/{name} {labels:?}");
    }
}

#[test]
fn documents_that_are_wrong_are_left_out_with_their_place() {
    for (text, place, why) in [
        ("apiVersion: v1\nkind: Pod\n", "1:", "no document of a Backstage catalogue"),
        ("apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: 'a b'}\n", "3:", "no name"),
        ("apiVersion: backstage.io/v1alpha1\nkind: Componant\nmetadata: {name: a}\n", "2:", "no kind"),
        (
            "apiVersion: backstage.io/v1alpha1\nkind: API\nmetadata: {name: a}\nspec: {owner: 'x:y/z/u v'}\n",
            "4:",
            "reference",
        ),
        (
            "apiVersion: backstage.io/v1alpha1\nkind: API\nmetadata:\n  name: a\n  annotations:\n    \
             backstage.io/kubernetes-label-selector: 'a in b'\n",
            "6:",
            "label selector",
        ),
    ] {
        let (catalogue, diagnostics) = read(text);
        let said = diagnostics[0].to_string();
        assert!(said.contains(why) && said.starts_with(&format!("catalog-info.yaml:{place}")), "{said}");
        assert!(catalogue.services.is_empty() && catalogue.entities.is_empty());
    }
}
