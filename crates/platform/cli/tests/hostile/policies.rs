//! Hostile policies: what would run for ever or fill the memory ends in an error verdict, never in a pass.

use std::path::Path;

use crate::content::{POD, harmless, pod_with, policy, validating_policy};
use crate::runner::{Folder, Run};

/// Checks `pod` by `policy`, both as files of a folder called `name`.
fn check(name: &str, policy: &str, pod: &str) -> Run {
    let folder = Folder::new(name).file("policy.yaml", policy).file("pod.yaml", pod);
    folder.run(&["check", "pod.yaml", "-p", "policy.yaml"])
}

fn mutate(name: &str, policy: &str, pod: &str) -> Run {
    let folder = Folder::new(name).file("policy.yaml", policy).file("pod.yaml", pod);
    folder.run(&["mutate", "pod.yaml", "-p", "policy.yaml"])
}

/// A rule that denies where a JMESPath expression yields `x`.
fn deny(expression: &str) -> String {
    let condition = format!("{{{{ {expression} }}}}");
    policy(&format!(
        "validate: {{message: m, deny: {{conditions: {{any: [{{key: {condition:?}, operator: Equals, value: x}}]}}}}}}"
    ))
}

#[test]
fn variables_that_refer_to_each_other_end() {
    let cycle = "context:
- {name: a, variable: {value: '{{ b }}{{ b }}'}}
- {name: b, variable: {value: '{{ a }}{{ a }}'}}
validate: {message: m, deny: {conditions: {any: [{key: '{{ a }}', operator: Equals, value: x}]}}}";
    check("cycle", &policy(cycle), POD).ends(2, "policy.yaml");
    let itself = "context:
- {name: a, variable: {jmesPath: a}}
validate: {message: m, deny: {conditions: {any: [{key: '{{ a }}', operator: Equals, value: x}]}}}";
    check("itself", &policy(itself), POD).ends(2, "policy.yaml");
    let grows = "validate: {message: m, deny: {conditions: {any: [
  {key: '{{ request.object.metadata.annotations.long }}', operator: Equals, value: x}]}}}";
    // What a variable brings in is data, and not looked at again.
    let pod = pod_with("{{ request.object.metadata.annotations.long }} again");
    check("grows", &policy(grows), &pod).ends(0, "1 passed");
}

/// Each entry doubles the one before: 2^40 letters if nothing stopped it.
#[test]
fn variables_that_double_end() {
    let mut body = String::from("context:\n- {name: v0, variable: {value: aaaaaaaa}}\n");
    for n in 1..40 {
        let last = n - 1;
        body += &format!("- {{name: v{n}, variable: {{value: '{{{{ v{last} }}}}{{{{ v{last} }}}}'}}}}\n");
    }
    body += "validate: {message: m, deny: {conditions: {any: [{key: '{{ v39 }}', operator: Equals, value: x}]}}}";
    check("doubling", &policy(&body), POD).ends(2, "pod.yaml");
}

#[test]
fn braces_without_end_are_refused() {
    for (name, text) in [
        ("nested", format!("{}a{}", "{{ ".repeat(5_000), " }}".repeat(5_000))),
        ("parens", format!("{{{{ {}a{} }}}}", "(".repeat(50_000), ")".repeat(50_000))),
        ("brackets", format!("{{{{ a{} }}}}", "[?b".repeat(50_000))),
        ("ands", format!("{{{{ a{} }}}}", " && a".repeat(50_000))),
        ("dots", format!("{{{{ a{} }}}}", ".a".repeat(50_000))),
        ("stars", format!("{{{{ request{} }}}}", "[*]".repeat(50_000))),
        ("nots", format!("{{{{ {}a }}}}", "!".repeat(50_000))),
    ] {
        let body = format!(
            "validate: {{message: m, deny: {{conditions: {{any: [{{key: {text:?}, operator: Equals, value: x}}]}}}}}}"
        );
        check(name, &policy(&body), POD).ends(2, "policy.yaml");
    }
}

/// Neither time nor answer depends on how a regular expression would backtrack.
#[test]
fn regular_expressions_take_linear_time() {
    let pod = pod_with(&format!("{}!", "a".repeat(200_000)));
    let long = "request.object.metadata.annotations.long";
    check("jmespath", &deny(&format!("regex_match('^(a+)+$', {long}) && 'x'")), &pod).ends(0, "1 passed");
    check("alternatives", &deny(&format!("regex_match('^(a|aa)+$', {long}) && 'x'")), &pod).ends(0, "1 passed");
    check("replace", &deny(&format!("regex_replace_all('(a*)*b', {long}, '$1$1')")), &pod).ends(0, "1 passed");
    let cel = validating_policy("!object.metadata.annotations['long'].matches('^(a+)+$')");
    check("matches", &cel, &pod).ends(0, "1 passed");
    let pattern = "validate: {message: m, pattern: {metadata: {annotations: {long: '*a*a*a*a*a*a*a*a*a*a*b'}}}}";
    check("wildcard", &policy(pattern), &pod).ends(1, "pod.yaml:3");
}

#[test]
fn regular_expressions_have_a_bounded_size() {
    for (name, regex) in [
        ("thousands", "a{1000}{1000}{1000}".to_owned()),
        ("unicode", "(\\pL{500}){100}".to_owned()),
        ("groups", "(".repeat(20_000)),
        ("classes", "([a-z]{900}){900}".to_owned()),
    ] {
        check(&format!("{name}-jmespath"), &deny(&format!("regex_match('{regex}', 'a')")), POD).ends(2, "policy.yaml");
        let cel = validating_policy(&format!("object.metadata.name.matches(r'{regex}')"));
        check(&format!("{name}-cel"), &cel, POD).ends(2, "policy.yaml");
    }
}

#[test]
fn loops_in_loops_end_at_the_step_limit() {
    let list = format!("[{}]", vec!["1"; 10_000].join(","));
    let pod = format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: web}}\nspec: {{list: {list}}}\n");
    let body = "validate:
  foreach:
  - list: request.object.spec.list
    foreach:
    - list: request.object.spec.list
      foreach:
      - list: request.object.spec.list
        deny: {conditions: {any: [{key: '{{ element }}', operator: Equals, value: x}]}}";
    check("foreach", &policy(body), &pod).ends(2, "too many steps");
    let mutation = "mutate:
  foreach:
  - list: request.object.spec.list
    foreach:
    - list: request.object.spec.list
      patchStrategicMerge: {metadata: {annotations: {last: '{{ to_string(elementIndex) }}'}}}";
    mutate("mutate-foreach", &policy(mutation), &pod).ends(2, "too many steps");
    let grows = "mutate:
  foreach:
  - list: request.object.spec.list
    foreach:
    - list: request.object.spec.list
      patchesJson6902: '[{\"op\": \"copy\", \"from\": \"/spec\", \"path\": \"/spec/copy\"}]'";
    mutate("copies", &policy(grows), &pod).ends(2, "pod.yaml");
}

/// Each operation doubles the object.
#[test]
fn patches_that_double_the_object_are_refused() {
    let operation =
        |n: usize| format!("    - {{op: copy, from: /metadata/annotations, path: /metadata/annotations/m{n}}}\n");
    let body = format!("mutate:\n  patchesJson6902: |-\n{}", (0..60).map(operation).collect::<String>());
    mutate("patches", &policy(&body), &pod_with("x")).ends(2, "pod.yaml");
    let cel = "apiVersion: policies.kyverno.io/v1
kind: MutatingPolicy
metadata: {name: hostile}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
  mutations:
"
    .to_owned()
        + &(0..60)
            .map(|n| {
                format!(
                    "    - patchType: JSONPatch
      jsonPatch:
        expression: \"[JSONPatch{{op: 'copy', from: '/metadata/annotations', path: '/metadata/annotations/m{n}'}}]\"
"
                )
            })
            .collect::<String>();
    mutate("cel-patches", &cel, &pod_with("x")).ends(2, "pod.yaml");
}

#[test]
fn expressions_that_explode_end_at_the_step_limit() {
    let list = format!("[{}]", vec!["[1,2,3,4,5,6,7,8,9,0]"; 1_000].join(","));
    let pod = format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: web}}\nspec: {{l: {list}}}\n");
    let spec = "request.object.spec.l";
    let mut doubled = spec.to_owned();
    for _ in 0..12 {
        doubled = format!("[{doubled}, {doubled}]");
    }
    let then = |step: &str| format!("{spec}[] | {}", vec![step; 60].join(" | "));
    for (name, expression) in [
        ("shared", format!("{} | to_string(@)", then("[@, @]"))),
        ("flattened", then("[@, @][]")),
        ("join", format!("join('', {spec}[].join('', map(&to_string(@), $.{spec}[])))")),
        ("doubled", doubled),
        ("strings", format!("'xxxxxxxx' | {}", vec!["join('', [@, @])"; 60].join(" | "))),
        ("replaced", format!("'xxxxxxxx' | {}", vec!["replace_all(@, 'x', 'xxxxxxxx')"; 30].join(" | "))),
    ] {
        check(name, &deny(&expression), &pod).ends(2, "could not");
    }
}

#[test]
fn cel_expressions_that_explode_end_at_the_cost_limit() {
    let mut doubling = String::from("'xxxxxxxx'");
    for _ in 0..60 {
        doubling = format!("[{doubling}].map(s, s + s)[0]");
    }
    let all = "[1,2,3,4,5,6,7,8,9,10]";
    let mut nested = String::from("true");
    for level in 0..12 {
        nested = format!("{all}.all(x{level}, {nested})");
    }
    for (name, expression) in [
        ("range", "lists.range(1000000000).size() > 0".to_owned()),
        ("ranges", "lists.range(10000).all(a, lists.range(10000).all(b, a + b >= 0))".to_owned()),
        ("nested", nested),
        ("doubling", format!("{doubling} != ''")),
        (
            "replace",
            "'aaaaaaaaaaaaaaaa'.replace('', 'aaaaaaaaaaaaaaaa')".to_owned()
                + &".replace('a', 'aaaaaaaaaaaaaaaa')".repeat(12)
                + " != ''",
        ),
        ("lists", "lists.range(10000).map(a, lists.range(10000)).size() > 0".to_owned()),
        (
            "format",
            "'%s%s%s%s'.format([object, object, object, object])".to_owned()
                + &".replace('a', 'aaaaaaaaaaaaaaaa')".repeat(12)
                + " != ''",
        ),
        ("parens", format!("{}true{}", "(".repeat(20_000), ")".repeat(20_000))),
        ("sum", format!("1{} > 0", " + 1".repeat(50_000))),
        ("ternary", format!("{}true", "true ? false : ".repeat(20_000))),
        ("select", format!("object{} == 1", ".a".repeat(50_000))),
        ("index", format!("object{} == 1", "[0]".repeat(50_000))),
        ("list", format!("[{}].size() > 0", "[".repeat(20_000))),
    ] {
        check(&format!("cel-{name}"), &validating_policy(&expression), POD).ends(2, "policy.yaml");
    }
}

#[test]
fn patterns_of_a_hundred_thousand_anchors_end() {
    let mut anchors = String::from("validate:\n  message: m\n  pattern:\n    metadata:\n      labels:\n");
    for n in 0..100_000 {
        anchors += &format!("        =(k{n}): x\n");
    }
    check("anchors", &policy(&anchors), POD).ends(0, "1 passed");
    let deep = format!(
        "validate: {{message: m, anyPattern: [{}]}}",
        vec!["{spec: {^(containers): [{image: b}]}}"; 5_000].join(",")
    );
    check("any", &policy(&deep), POD).ends(1, "pod.yaml");
}

#[test]
fn generation_of_what_triggers_it_happens_once() {
    let body = "generate: {apiVersion: v1, kind: Pod, name: '{{ request.object.metadata.name }}x', namespace: a,
  data: {metadata: {labels: {a: b}}, spec: {}}}";
    check("generate", &policy(body), POD).ends(0, "1 passed");
}

#[test]
fn wrong_types_everywhere_are_refused_at_their_place() {
    for kind in ["ClusterPolicy", "Policy"] {
        for spec in ["5", "[]", "null", "{rules: 5}", "{rules: [5, null, [], x]}", "{rules: [{name: {}, match: []}]}"] {
            let text = format!("apiVersion: kyverno.io/v1\nkind: {kind}\nmetadata: {{name: h}}\nspec: {spec}\n");
            let folder =
                Folder::new("types").file("policy.yaml", text).file("pod.yaml", POD).file("ok.yaml", harmless());
            folder.run(&["check", "pod.yaml", "-p", "ok.yaml", "policy.yaml"]).ends(2, "policy.yaml:");
        }
    }
    for (api, kind) in [
        ("policies.kyverno.io/v1", "ValidatingPolicy"),
        ("policies.kyverno.io/v1", "MutatingPolicy"),
        ("policies.kyverno.io/v1", "GeneratingPolicy"),
        ("policies.kyverno.io/v1", "ImageValidatingPolicy"),
        ("policies.kyverno.io/v1", "DeletingPolicy"),
        ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy"),
        ("admissionregistration.k8s.io/v1beta1", "MutatingAdmissionPolicy"),
    ] {
        for spec in
            ["5", "[]", "null", "{matchConstraints: 5}", "{validations: {}, mutations: 4, matchConstraints: []}"]
        {
            let text = format!("apiVersion: {api}\nkind: {kind}\nmetadata: {{name: h}}\nspec: {spec}\n");
            let folder =
                Folder::new("cel-types").file("policy.yaml", text).file("pod.yaml", POD).file("ok.yaml", harmless());
            folder.run(&["check", "pod.yaml", "-p", "ok.yaml", "policy.yaml"]).ends(2, "policy.yaml:");
        }
    }
    let list = format!("- {}", harmless().replace('\n', "\n  "));
    check("list", &list, POD).ends(3, "0 policies");
    check("operator", &deny("a").replace("Equals", "Equalish"), POD).ends(2, "policy.yaml:");
}

/// Long, but of linear cost: no reason to refuse it, and no reason to overflow a stack.
#[test]
fn long_expressions_are_evaluated_or_refused() {
    for (name, expression) in [
        ("bangs", format!("{}true", "!".repeat(50_000))),
        ("minus", format!("{}1 == 1", "-".repeat(50_000))),
        ("ors", format!("true{}", " || true".repeat(50_000))),
    ] {
        check(&format!("long-{name}"), &validating_policy(&expression), POD).ends(0, "1 passed");
    }
    check("open-braces", &deny("a").replace("{{ a }}", &"{{ ".repeat(20_000)), POD).ends(0, "1 passed");
}

/// The inputs of the fuzz target `policy`, each as a folder's only policy.
#[test]
fn the_fuzz_corpus_is_judged_or_refused() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../fuzz/corpus/policy");
    let folder = Folder::new("corpus").file("pod.yaml", POD);
    let mut seeds = 0;
    for seed in std::fs::read_dir(corpus).unwrap() {
        let seed = seed.unwrap().path().display().to_string();
        for command in ["check", "mutate"] {
            folder.run(&[command, "pod.yaml", "-p", &seed]).ends_somehow();
        }
        seeds += 1;
    }
    assert!(seeds > 10, "{seeds} seeds");
}
