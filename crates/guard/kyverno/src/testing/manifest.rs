//! What a test document says.

use palisade_model::{Diagnostic, Level, Origin, Path, Resource, Value};
use palisade_policy::Operation;

use super::codes;
use super::fields::Fields;

/// A test document.
#[derive(Debug, Default)]
pub(super) struct Manifest {
    /// The file that it is in.
    pub(super) file: String,
    pub(super) policies: Vec<String>,
    pub(super) resources: Vec<String>,
    pub(super) json_payloads: Vec<String>,
    pub(super) http_payloads: Vec<String>,
    pub(super) envoy_payloads: Vec<String>,
    pub(super) targets: Vec<String>,
    pub(super) params: Vec<String>,
    pub(super) exceptions: Vec<String>,
    pub(super) cluster_resources: Vec<String>,
    pub(super) variables: Option<String>,
    pub(super) user: Option<String>,
    pub(super) context: Option<String>,
    /// Whether values stand in the test itself.
    pub(super) has_values: bool,
    pub(super) api_calls: Vec<Value>,
    pub(super) global_context: Vec<Value>,
    pub(super) expectations: Vec<Expectation>,
    /// The document itself.
    pub(super) document: Resource,
}

/// An entry of `results`.
#[derive(Debug)]
pub(super) struct Expectation {
    pub(super) policy: String,
    pub(super) rule: String,
    /// Names of resources; `None` where the field is absent.
    pub(super) resources: Option<Vec<String>>,
    pub(super) specs: Vec<ResourceSpec>,
    /// The operation that is simulated for this entry alone.
    pub(super) operation: Option<Operation>,
    pub(super) result: String,
    /// File with the object as it should be after mutation.
    pub(super) patched: Option<String>,
    /// Files of which one should hold the generated object.
    pub(super) generated: Vec<String>,
    /// File with the object that a rule clones.
    pub(super) clone_source: Option<String>,
    pub(super) fail_on_missing: bool,
}

/// An entry of `resourceSpecs`.
#[derive(Debug)]
pub(super) struct ResourceSpec {
    pub(super) api_version: String,
    pub(super) namespace: String,
    pub(super) name: String,
}

const TEST_FIELDS: &[&str] = &[
    "apiVersion",
    "kind",
    "metadata",
    "policies",
    "resources",
    "jsonPayload",
    "jsonPayloads",
    "httpPayloads",
    "envoyPayloads",
    "targetResources",
    "variables",
    "paramResources",
    "userinfo",
    "results",
    "values",
    "exceptions",
    "context",
    "clusterResources",
    "apiCallResponses",
    "globalContextEntries",
];

const RESULT_FIELDS: &[&str] = &[
    "policy",
    "rule",
    "resources",
    "resourceSpecs",
    "kind",
    "operation",
    "result",
    "patchedResources",
    "generatedResource",
    "generatedResources",
    "cloneSourceResource",
    "failOnMissingResources",
    "isValidatingAdmissionPolicy",
    "isMutatingAdmissionPolicy",
    "isValidatingPolicy",
    "isDeletingPolicy",
    "isImageValidatingPolicy",
    "isGeneratingPolicy",
    "isMutatingPolicy",
];

const VERDICTS: &[&str] = &["pass", "fail", "skip", "warn", "error"];

impl Manifest {
    /// Reads a test document; `None` where it cannot be used, which a diagnostic explains.
    pub(super) fn read(document: &Resource, diagnostics: &mut Vec<Diagnostic>) -> Option<Self> {
        let before = diagnostics.len();
        let mut fields = Fields::new(document, Path::root(), TEST_FIELDS, diagnostics);
        fields.identify("Test");
        let mut payloads = fields.distinct_texts("jsonPayloads");
        if payloads.is_empty() {
            payloads.extend(fields.text("jsonPayload"));
        }
        let mut manifest = Self {
            file: match &document.origin {
                Origin::File { source, .. } => source.name().to_owned(),
                Origin::Memory => String::new(),
            },
            policies: fields.distinct_texts("policies"),
            resources: fields.distinct_texts("resources"),
            json_payloads: payloads.iter().map(|path| path.trim_start_matches("./").to_owned()).collect(),
            http_payloads: fields.texts("httpPayloads"),
            envoy_payloads: fields.texts("envoyPayloads"),
            targets: fields.texts("targetResources"),
            params: fields.texts("paramResources"),
            exceptions: fields.texts("exceptions"),
            cluster_resources: fields.texts("clusterResources"),
            variables: fields.text("variables").filter(|path| !path.is_empty()),
            user: fields.text("userinfo").filter(|path| !path.is_empty()),
            context: fields.text("context").filter(|path| !path.is_empty()),
            has_values: fields.get("values").is_some(),
            api_calls: fields.list("apiCallResponses").into_iter().map(|(_, value)| value.clone()).collect(),
            global_context: fields.list("globalContextEntries").into_iter().map(|(_, value)| value.clone()).collect(),
            expectations: Vec::new(),
            document: document.clone(),
        };
        for (path, _) in fields.list("results") {
            manifest.expectations.push(Expectation::read(&mut fields.below(path, RESULT_FIELDS)));
        }
        if manifest.expectations.is_empty() {
            let diagnostic = Diagnostic::warning(codes::NO_RESULTS, format!("`{}` expects nothing", manifest.file));
            diagnostics.push(diagnostic.help("add `results`"));
        }
        let failed = diagnostics.iter().skip(before).any(|diagnostic| diagnostic.level == Level::Error);
        (!failed).then_some(manifest)
    }
}

impl Expectation {
    fn read(fields: &mut Fields<'_, '_>) -> Self {
        let result = fields.text("result").unwrap_or_default();
        if !VERDICTS.contains(&&*result) {
            fields.wrong("result", &format!("must be one of {}", VERDICTS.join(", ")));
        }
        let operation = fields.text("operation").filter(|text| !text.is_empty()).and_then(|text| match &*text {
            "CREATE" => Some(Operation::Create),
            "UPDATE" => Some(Operation::Update),
            "DELETE" => Some(Operation::Delete),
            _ => {
                fields.wrong("operation", "must be one of CREATE, UPDATE, DELETE");
                None
            }
        });
        if operation.is_some() && fields.flag("isDeletingPolicy") {
            fields.wrong("operation", "has no meaning for deleting policies");
        }
        let mut generated = fields.texts("generatedResources");
        if generated.is_empty() {
            generated.extend(fields.text("generatedResource").filter(|path| !path.is_empty()));
        }
        let resources = fields.get("resources").is_some().then(|| fields.texts("resources"));
        let specs = fields.list("resourceSpecs").into_iter().map(|(_, spec)| ResourceSpec::of(spec)).collect();
        Self {
            policy: fields.text("policy").unwrap_or_default(),
            rule: fields.text("rule").unwrap_or_default(),
            resources,
            specs,
            operation,
            result,
            patched: fields.text("patchedResources").filter(|path| !path.is_empty()),
            generated,
            clone_source: fields.text("cloneSourceResource").filter(|path| !path.is_empty()),
            fail_on_missing: fields.flag("failOnMissingResources"),
        }
    }

    /// The policy's name without its namespace.
    pub(super) fn policy_name(&self) -> &str {
        self.policy.rsplit('/').next().unwrap_or(&self.policy)
    }
}

impl ResourceSpec {
    fn of(value: &Value) -> Self {
        let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (group, version) = (text("group"), text("version"));
        let api_version = if group.is_empty() { version } else { format!("{group}/{version}") };
        Self { api_version, namespace: text("namespace"), name: text("name") }
    }
}
