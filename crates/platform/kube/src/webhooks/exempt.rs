//! What is never sent to our webhooks: the machinery that a cluster needs to stay alive, to authorise, and to be repaired.

use palisade_model::Str;

/// Resources that are never registered, whoever asks: group, resource (`*` for all), and subresource (empty for the object
/// and all of its subresources).
pub const EXEMPT: &[(&str, &str, &str)] = &[
    // Heartbeats and elections, several a second.
    ("coordination.k8s.io", "leases", ""),
    ("", "nodes", "status"),
    // Reports of what happened, not wishes.
    ("", "events", ""),
    ("events.k8s.io", "events", ""),
    // Questions to the API server, ours among them.
    ("authentication.k8s.io", "*", ""),
    ("authorization.k8s.io", "*", ""),
    // The way out when a webhook locks everybody out.
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations", ""),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations", ""),
    // The scheduler's decisions.
    ("", "bindings", ""),
    ("", "pods", "binding"),
    // What policy engines write, we among them.
    ("wgpolicyk8s.io", "*", ""),
    ("openreports.io", "*", ""),
    ("reports.kyverno.io", "*", ""),
];

/// Whether `resource` (with its subresource behind a slash) is exempt. Wildcards are not; see [`condition`].
pub fn is_exempt(group: &str, resource: &str) -> bool {
    let (plural, sub) = resource.split_once('/').unwrap_or((resource, ""));
    EXEMPT.iter().any(|(of, exempt, exempt_sub)| {
        *of == group && (*exempt == "*" || *exempt == plural) && (exempt_sub.is_empty() || *exempt_sub == sub)
    })
}

/// The condition (CEL) that keeps exempt requests from webhooks whose rules have wildcards.
pub fn condition() -> Str {
    let quoted = |text: &str| format!("'{text}'");
    let one = |(group, resource, sub): &(&str, &str, &str)| {
        let mut all = vec![format!("request.resource.group == {}", quoted(group))];
        if *resource != "*" {
            all.push(format!("request.resource.resource == {}", quoted(resource)));
        }
        if !sub.is_empty() {
            all.push(format!("has(request.subResource) && request.subResource == {}", quoted(sub)));
        }
        format!("({})", all.join(" && "))
    };
    format!("!({})", EXEMPT.iter().map(one).collect::<Vec<_>>().join(" || ")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heartbeats_reviews_and_the_way_out_are_exempt() {
        for (group, resource) in [
            ("coordination.k8s.io", "leases"),
            ("", "events"),
            ("", "nodes/status"),
            ("authorization.k8s.io", "subjectaccessreviews"),
            ("admissionregistration.k8s.io", "validatingwebhookconfigurations"),
        ] {
            assert!(is_exempt(group, resource), "{group} {resource}");
        }
        for (group, resource) in [("", "nodes"), ("", "pods"), ("", "pods/exec"), ("apps", "events"), ("*", "*")] {
            assert!(!is_exempt(group, resource), "{group} {resource}");
        }
    }
}
