//! Paths of the Kubernetes API, as policies write them in `urlPath`, for those who answer them without an API server.

/// What a path of the API stands for.
#[derive(Debug, PartialEq, Eq)]
pub struct Address<'a> {
    /// API group; empty for the core group.
    pub group: &'a str,
    /// API version.
    pub version: &'a str,
    /// Namespace; empty for objects of the cluster, and for collections of all namespaces.
    pub namespace: &'a str,
    /// Plural resource name.
    pub plural: &'a str,
    /// Empty for the whole collection.
    pub name: &'a str,
}

impl<'a> Address<'a> {
    /// Of a collection or an object. `None` for everything else: queries, subresources, other paths.
    pub fn parse(path: &'a str) -> Option<Self> {
        let segments: Vec<&str> = path.strip_prefix('/')?.trim_end_matches('/').split('/').collect();
        let (group, version, rest) = match segments.as_slice() {
            ["api", version, rest @ ..] => ("", *version, rest),
            ["apis", group, version, rest @ ..] => (*group, *version, rest),
            _ => return None,
        };
        let (namespace, plural, name) = match rest {
            [plural] => ("", *plural, ""),
            // A namespace itself is an object of the cluster.
            [plural, name] => ("", *plural, *name),
            ["namespaces", namespace, plural] => (*namespace, *plural, ""),
            ["namespaces", namespace, plural, name] => (*namespace, *plural, *name),
            _ => return None,
        };
        let plain = |segment: &str| !segment.contains(['?', '%', '#']);
        let address = Self { group, version, namespace, plural, name };
        let is_plain = segments.iter().all(|segment| !segment.is_empty() && plain(segment));
        // `namespaces/shop/status` reads like a collection of the kind `status`; no kind is called so.
        is_plain.then_some(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_collections_and_objects_are_understood_and_nothing_else() {
        let address = |path| Address::parse(path).map(|a| (a.group, a.version, a.namespace, a.plural, a.name));
        assert_eq!(address("/api/v1/namespaces"), Some(("", "v1", "", "namespaces", "")));
        assert_eq!(address("/api/v1/namespaces/shop"), Some(("", "v1", "", "namespaces", "shop")));
        assert_eq!(address("/api/v1/namespaces/shop/pods/"), Some(("", "v1", "shop", "pods", "")));
        let deployment = "/apis/apps/v1/namespaces/shop/deployments/web";
        assert_eq!(address(deployment), Some(("apps", "v1", "shop", "deployments", "web")));
        for other in ["/api/v1/pods?labelSelector=a%3Db", "/version", "api/v1/pods", "/api/v1//pods", "/a", ""] {
            assert_eq!(address(other), None, "{other}");
        }
        assert_eq!(address("/apis/apps/v1/namespaces/shop/deployments/web/scale"), None);
    }
}
