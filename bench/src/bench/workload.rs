//! Manifests and policies for benchmarks: made here, the same every time, shaped like what teams ship.

use std::fs;
use std::path::{Path, PathBuf};

use palisade_document::{Limits, parse};
use palisade_model::Value;

/// A folder with `number` manifests, one a file; made on first use.
pub(crate) fn manifests(work: &Path, number: usize) -> Result<PathBuf, String> {
    folder(&work.join(format!("manifests-{number}")), "yaml", number, manifest)
}

/// A folder with `number` policies, one a file; made on first use.
pub(crate) fn policies(work: &Path, number: usize) -> Result<PathBuf, String> {
    folder(&work.join(format!("policies-{number}")), "yaml", number, policy)
}

/// A folder with the same objects as JSON, as reviews carry them, one a file; made on first use.
pub(crate) fn reviews(work: &Path, number: usize) -> Result<PathBuf, String> {
    folder(&work.join(format!("reviews-{number}")), "json", number, |index| object(index).to_json())
}

/// The object of a manifest.
pub(crate) fn object(index: usize) -> Value {
    let text = manifest(index);
    let parsed = parse("workload.yaml", text.as_bytes(), &Limits::default());
    parsed.documents.into_iter().next().map(|document| document.value).unwrap_or_default()
}

/// A folder with `number` rules in Rego, one a file, all of package `main`; made on first use.
pub(crate) fn rego(work: &Path, number: usize) -> Result<PathBuf, String> {
    folder(&work.join(format!("rego-{number}")), "rego", number, rego_rule)
}

/// A folder with `number` constraint templates, each with a constraint that matches pods and workloads; made on first use.
pub(crate) fn templates(work: &Path, number: usize) -> Result<PathBuf, String> {
    folder(&work.join(format!("templates-{number}")), "yaml", number, template)
}

fn folder(folder: &Path, extension: &str, number: usize, text: fn(usize) -> String) -> Result<PathBuf, String> {
    let done = folder.join(".done");
    if !done.exists() {
        let failed = |error| format!("writing the workload `{}`: {error}", folder.display());
        fs::create_dir_all(folder).map_err(failed)?;
        for index in 0..number {
            fs::write(folder.join(format!("{index:05}.{extension}")), text(index)).map_err(failed)?;
        }
        fs::write(&done, "").map_err(failed)?;
    }
    Ok(folder.to_path_buf())
}

/// A Deployment in three of five cases, else a Pod, Service, CronJob or ConfigMap; about half have something wrong.
pub(crate) fn manifest(index: usize) -> String {
    let team = index % 17;
    let meta = |name: &str| {
        let label = if index.is_multiple_of(3) { String::new() } else { format!("\n    team: team-{team}") };
        format!(
            "metadata:\n  name: {name}-{index}\n  namespace: space-{team}\n  labels:\n    app.kubernetes.io/name: {name}-{index}{label}\n"
        )
    };
    match index % 10 {
        6 => format!(
            "apiVersion: v1\nkind: Service\n{}spec:\n  type: {}\n  selector:\n    app.kubernetes.io/name: web-{index}\n  ports:\n    - name: http\n      port: 80\n      targetPort: 8080\n",
            meta("service"),
            if index % 20 == 6 { "NodePort" } else { "ClusterIP" }
        ),
        7 => format!(
            "apiVersion: v1\nkind: ConfigMap\n{}data:\n  mode: \"{team}\"\n  settings.json: |\n    {{\"retries\": 3, \"hosts\": [\"a\", \"b\"]}}\n",
            meta("settings")
        ),
        8 => format!(
            "apiVersion: batch/v1\nkind: CronJob\n{}spec:\n  schedule: \"*/5 * * * *\"\n  jobTemplate:\n    spec:\n      template:\n        spec:\n          restartPolicy: Never\n{}",
            meta("job"),
            pod_spec(index, 10)
        ),
        9 => format!("apiVersion: v1\nkind: Pod\n{}spec:\n{}", meta("pod"), pod_spec(index, 2)),
        _ => format!(
            "apiVersion: apps/v1\nkind: Deployment\n{}spec:\n  replicas: {}\n  selector:\n    matchLabels:\n      app.kubernetes.io/name: web-{index}\n  template:\n    metadata:\n      labels:\n        app.kubernetes.io/name: web-{index}\n    spec:\n{}",
            meta("web"),
            1 + index % 4,
            pod_spec(index, 6)
        ),
    }
}

/// The inside of a pod's spec, indented; three containers with probes, resources and a security context.
fn pod_spec(index: usize, indent: usize) -> String {
    let mut lines = vec![format!("serviceAccountName: account-{}", index % 40)];
    if index % 50 == 1 {
        lines.push("hostNetwork: true".into());
    }
    lines.extend(["securityContext:".into(), "  runAsNonRoot: true".into(), "containers:".into()]);
    for container in 0..3 {
        let tag =
            if index % 4 == 1 && container == 2 { "latest".into() } else { format!("1.{}.{container}", index % 30) };
        lines.push(format!("  - name: part-{container}"));
        lines.push(format!("    image: registry.example/team-{}/part-{container}:{tag}", index % 17));
        lines.push("    env:".into());
        lines.push(
            format!("      - name: MODE\n        value: \"{}\"", index % 5)
                .replace('\n', &format!("\n{}", " ".repeat(indent))),
        );
        lines.push("    readinessProbe:".into());
        lines.push("      httpGet:".into());
        lines.push("        path: /ready".into());
        lines.push("        port: 8080".into());
        lines.push("    resources:".into());
        lines.push("      requests:".into());
        lines.push(format!("        cpu: {}m", 50 + index % 7 * 50));
        lines.push(format!("        memory: {}Mi", 64 + index % 9 * 32));
        if index % 6 != 2 {
            lines.push("      limits:".into());
            lines.push("        memory: 1Gi".into());
        }
        lines.push("    securityContext:".into());
        lines.push(format!("      allowPrivilegeEscalation: {}", index % 8 == 3));
        lines.push("      capabilities:".into());
        lines.push("        drop: [\"ALL\"]".into());
    }
    lines.iter().fold(String::new(), |text, line| text + &" ".repeat(indent) + line + "\n")
}

/// One of six kinds of Rego rule that Conftest's users write, with its own names and values.
fn rego_rule(index: usize) -> String {
    let body = match index % 6 {
        0 => format!(
            "\tsome container in input.spec.template.spec.containers\n\tnot container.resources.limits.memory\n\tmsg := sprintf(\"number {index}: container %s has no memory limit\", [container.name])\n"
        ),
        1 => format!(
            "\tsome i\n\timage := input.spec.template.spec.containers[i].image\n\tendswith(image, \":{index}-latest\")\n\tmsg := sprintf(\"number {index}: image %s\", [image])\n"
        ),
        2 => format!(
            "\tinput.kind == \"Deployment\"\n\tnot input.metadata.labels[\"team-{index}\"]\n\tmsg := \"number {index}: a label is missing\"\n"
        ),
        3 => format!(
            "\tcontainer := input.spec.template.spec.containers[_]\n\tdropped := container.securityContext.capabilities.drop[_]\n\tnot dropped in {{\"ALL\", \"CHOWN-{index}\"}}\n\tmsg := sprintf(\"number {index}: %s drops %s\", [container.name, dropped])\n"
        ),
        4 => format!(
            "\tnames := {{container.name | some container in input.spec.template.spec.containers}}\n\tcount(names) > {index}\n\tmsg := \"number {index}: too many containers\"\n"
        ),
        _ => format!(
            "\tsome container in input.spec.template.spec.containers\n\tregex.match(`^registry{index}\\.example/`, container.image)\n\tnot startswith(container.image, \"registry{index}.example/team/\")\n\tmsg := sprintf(\"number {index}: registry of %s\", [container.image])\n"
        ),
    };
    format!("package main\n\nimport rego.v1\n\ndeny contains msg if {{\n{body}}}\n")
}

/// A Gatekeeper template with a parameter and a constraint that sets it.
fn template(index: usize) -> String {
    let rule = match index % 4 {
        0 => {
            "container := input.review.object.spec.template.spec.containers[_]\n          not container.resources.limits.memory\n          msg := sprintf(\"container <%v> has no memory limit (%v)\", [container.name, input.parameters.value])"
        }
        1 => {
            "container := input.review.object.spec.template.spec.containers[_]\n          endswith(container.image, input.parameters.value)\n          msg := sprintf(\"container <%v> uses <%v>\", [container.name, container.image])"
        }
        2 => {
            "provided := {label | input.review.object.metadata.labels[label]}\n          missing := {input.parameters.value} - provided\n          count(missing) > 0\n          msg := sprintf(\"labels are missing: %v\", [missing])"
        }
        _ => {
            "container := input.review.object.spec.template.spec.containers[_]\n          not startswith(container.image, input.parameters.value)\n          msg := sprintf(\"container <%v> comes from elsewhere: <%v>\", [container.name, container.image])"
        }
    };
    let value = match index % 4 {
        1 => ":latest".into(),
        3 => "registry.example/".into(),
        _ => format!("value-{index}"),
    };
    format!(
        "apiVersion: templates.gatekeeper.sh/v1\nkind: ConstraintTemplate\nmetadata:\n  name: benchrule{index}\nspec:\n  crd:\n    spec:\n      names:\n        kind: BenchRule{index}\n      validation:\n        openAPIV3Schema:\n          type: object\n          properties:\n            value:\n              type: string\n  targets:\n    - target: admission.k8s.gatekeeper.sh\n      rego: |\n        package benchrule{index}\n\n        violation[{{\"msg\": msg}}] {{\n          {rule}\n        }}\n---\napiVersion: constraints.gatekeeper.sh/v1beta1\nkind: BenchRule{index}\nmetadata:\n  name: rule-{index}\nspec:\n  match:\n    kinds:\n      - apiGroups: [apps]\n        kinds: [Deployment]\n  parameters:\n    value: \"{value}\"\n"
    )
}

/// One of ten kinds of policy that platform teams write, with its own names and values.
pub(crate) fn policy(index: usize) -> String {
    let head = |kind: &str, api: &str| {
        format!(
            "apiVersion: {api}\nkind: {kind}\nmetadata:\n  name: policy-{index}\n  annotations:\n    policies.kyverno.io/severity: medium\nspec:\n"
        )
    };
    let legacy = |kinds: &str, body: &str| {
        format!(
            "{}  validationFailureAction: Audit\n  background: true\n  rules:\n    - name: rule\n      match:\n        any:\n          - resources:\n              kinds: [{kinds}]\n      validate:\n        message: \"number {index} is not satisfied\"\n{body}",
            head("ClusterPolicy", "kyverno.io/v1")
        )
    };
    let cel = |group: &str, resource: &str, expression: &str| {
        format!(
            "{}  validationActions: [Audit]\n  matchConstraints:\n    resourceRules:\n      - apiGroups: [\"{group}\"]\n        apiVersions: [v1]\n        operations: [CREATE, UPDATE]\n        resources: [{resource}]\n  validations:\n    - message: \"number {index} is not satisfied\"\n      expression: >-\n        {expression}\n",
            head("ValidatingPolicy", "policies.kyverno.io/v1")
        )
    };
    match index % 10 {
        0 => legacy(
            "Pod",
            &format!(
                "        pattern:\n          spec:\n            containers:\n              - image: \"!*:latest & !*:dev-{index}\"\n"
            ),
        ),
        1 => legacy(
            "Pod",
            "        pattern:\n          spec:\n            containers:\n              - resources:\n                  requests:\n                    memory: \"?*\"\n                  limits:\n                    memory: \"<=4Gi\"\n",
        ),
        2 => legacy(
            "Deployment, Service",
            "        pattern:\n          metadata:\n            labels:\n              team: \"?*\"\n",
        ),
        3 => legacy(
            "Deployment",
            &format!(
                "        deny:\n          conditions:\n            all:\n              - key: \"{{{{ request.object.spec.replicas }}}}\"\n                operator: GreaterThan\n                value: {}\n",
                2 + index % 40
            ),
        ),
        4 => legacy(
            "Pod",
            &format!(
                "        foreach:\n          - list: \"request.object.spec.containers\"\n            deny:\n              conditions:\n                any:\n                  - key: \"{{{{ element.image }}}}\"\n                    operator: Equals\n                    value: \"*/team-{}/*\"\n",
                index % 97
            ),
        ),
        5 => legacy(
            "Pod",
            "        pattern:\n          spec:\n            =(hostNetwork): \"false\"\n            =(hostPID): \"false\"\n            =(volumes):\n              - X(hostPath): \"null\"\n",
        ),
        6 => cel(
            "",
            "pods",
            "object.spec.containers.all(c, c.?securityContext.?allowPrivilegeEscalation.orValue(true) == false)",
        ),
        7 => cel(
            "apps",
            "deployments",
            &format!("object.spec.replicas >= 1 && object.metadata.name != 'forbidden-{index}'"),
        ),
        8 => cel("", "services", "object.spec.?type.orValue('ClusterIP') != 'NodePort'"),
        _ => cel(
            "",
            "pods",
            &format!(
                "object.spec.containers.all(c, !c.image.endsWith(':latest') && !c.image.startsWith('docker.io/bad-{index}'))"
            ),
        ),
    }
}
