//! Bringing rules into a repository that already has findings: waivers, baselines, overrides, `init`.

#![allow(clippy::disallowed_methods, reason = "tests take the time as it is")]
#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

mod exact;

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

const POLICY: &str = "apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata:
  name: tags
  annotations: {policies.kyverno.io/severity: high}
spec:
  rules:
    - name: fixed
      match: {any: [{resources: {kinds: [Pod]}}]}
      validate:
        message: the tag may move
        pattern:
          spec:
            containers:
              - image: \"!*:latest\"
";

const TERMS: &str = "reason=\"vendor image\" owner=shop expires=2027-01-31";
const NOW: [&str; 2] = ["--now", "2026-11-23T12:00:00Z"];

/// A folder of its own for a test, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let path = std::env::temp_dir().join(format!("palisade-adoption-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        let folder = Self(path);
        folder.write("policy.yaml", POLICY);
        for (file, text) in files {
            folder.write(file, text);
        }
        folder
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.0.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.0.join(file)).unwrap()
    }

    fn run_in(&self, folder: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PALISADE_")) {
            command.env_remove(name);
        }
        command.args(arguments).current_dir(self.0.join(folder)).env("NO_COLOR", "1").output().unwrap()
    }

    /// Checks with the policy of this file: exit code, JSON report, text on stderr.
    fn check(&self, arguments: &[&str]) -> (i32, Value, String) {
        let always = ["check", "-p", "policy.yaml", "--format", "json"];
        let output = self.run_in("", &[&always[..], &NOW, arguments].concat());
        (output.status.code().unwrap(), serde_json::from_slice(&output.stdout).unwrap_or_default(), stderr(&output))
    }

    /// Dispositions and fields of the findings about one manifest.
    fn judged(&self, text: &str) -> (i32, Vec<String>, String) {
        self.write("pod.yaml", text);
        let (code, report, stderr) = self.check(&["pod.yaml"]);
        (code, dispositions(&report), stderr)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn dispositions(report: &Value) -> Vec<String> {
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let findings = report["findings"].as_array().unwrap();
    findings.iter().map(|f| format!("{} {}", text(f, "disposition"), text(f, "path"))).collect()
}

/// A Pod whose containers are called as given and use the tag `latest`.
fn pod(name: &str, containers: &[&str]) -> String {
    let mut text = format!("apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\nspec:\n  containers:\n");
    for container in containers {
        let _ = write!(text, "    - name: {container}\n      image: {container}:latest\n");
    }
    text
}

#[test]
fn comments_waive_what_they_stand_at() {
    let folder = Folder::new("comments", &[]);
    let two = pod("web", &["a", "b"]);
    let mark = format!("# palisade:ignore tags/fixed {TERMS}");
    let both = ["waived spec.containers[0].image"];
    let first = ["counted spec.containers[1].image", "waived spec.containers[0].image"];
    let second = ["counted spec.containers[0].image", "waived spec.containers[1].image"];
    for (text, code, expected) in [
        (format!("{mark}\n{two}"), 0, &both[..]),
        (two.replace("spec:\n", &format!("{mark}\nspec:\n")), 0, &both),
        (two.replace("spec:\n", &format!("spec: {mark}\n")), 0, &both),
        (two.replace("a:latest\n", &format!("a:latest {mark}\n")), 1, &first),
        (two.replace("    - name: a\n", &format!("    {mark}\n    - name: a\n")), 1, &first),
        (two.replace("    - name: b\n", &format!("    - name: b {mark}\n")), 1, &second),
        (two.replace("      image: b", &format!("      # why\n      {mark}\n\n      image: b")), 1, &second),
    ] {
        let (found, dispositions, stderr) = folder.judged(&text);
        assert_eq!(
            (found, &dispositions[..]),
            (code, &expected.iter().map(ToString::to_string).collect::<Vec<_>>()[..]),
            "{text}{stderr}"
        );
        assert!(stderr.contains(", 1 waived"), "{stderr}");
    }
}

#[test]
fn what_is_no_comment_or_names_another_rule_waives_nothing() {
    let folder = Folder::new("no-comment", &[]);
    let one = pod("web", &["a"]);
    let mark = format!("# palisade:ignore tags {TERMS}");
    for text in [
        one.replace("  name: web", &format!("  annotations:\n    text: |\n      {mark}\n  name: web")),
        one.replace("  name: web", &format!("  annotations:\n    text: '{}'\n  name: web", mark.replace('"', ""))),
        one.replace("a:latest", &format!("a:latest{mark}")).replace("\"!*:latest\"", "x"),
        format!(
            "{{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {{\"name\": \"web\", \"labels\": {{\"x\": \"{}\"}}}}, \
                 \"spec\": {{\"containers\": [{{\"name\": \"a\", \"image\": \"a:latest\"}}]}}}}",
            mark.replace('"', "'")
        ),
    ] {
        let (code, dispositions, stderr) = folder.judged(&text);
        if !text.contains("a:latest#") {
            assert_eq!((code, dispositions.len()), (1, 1), "{text}{stderr}");
            assert!(dispositions[0].starts_with("counted"), "{text}");
        }
        assert!(!stderr.contains("waived"), "{text}{stderr}");
    }
    let (code, _, stderr) =
        folder.judged(&one.replace("a:latest", &format!("a:latest # palisade:ignore other {TERMS}")));
    assert_eq!(code, 1);
    assert!(stderr.contains("warning[PAL-P0012]: the waiver of `shop` covers nothing"), "{stderr}");
}

#[test]
fn incomplete_waivers_are_errors_and_expired_ones_are_named() {
    let folder = Folder::new("incomplete", &[]);
    let with = |terms: &str| {
        folder.judged(&pod("web", &["a"]).replace("a:latest", &format!("a:latest # palisade:ignore{terms}")))
    };
    for (terms, why) in [
        (" tags reason=x owner=y", "it lacks an expiry"),
        (" tags reason=x owner=y expires=soon", "`soon` is no day"),
        (" tags reason=x owner=y expires=2027-13-45", "`2027-13-45` is no day"),
        (" tags reason=x owner=\"\" expires=2027-01-31", "it lacks an owner"),
        (" reason=x owner=y expires=2027-01-31", "it names no policy"),
        ("[tags]", "expected a blank after"),
    ] {
        let (code, dispositions, stderr) = with(terms);
        assert_eq!((code, dispositions[0].split(' ').next()), (2, Some("counted")), "{terms}");
        assert!(stderr.contains("error[PAL-P0010]: this waiver does not apply") && stderr.contains(why), "{stderr}");
    }
    let (code, _, stderr) = with(" tags reason=x owner=team-a expires=2026-11-22");
    assert_eq!(code, 1);
    assert!(stderr.contains("the waiver of `team-a` expired on 2026-11-22: the finding that it covered counts again"));
    let (code, _, stderr) = with(" tags reason=x owner=team-a expires=2026-11-24");
    assert_eq!(code, 0);
    assert!(stderr.contains("note[PAL-P0013]: the waiver of `team-a` ends tomorrow, on 2026-11-24"), "{stderr}");
}

#[test]
fn annotations_waive_in_objects_that_are_made_by_templates() {
    let folder = Folder::new("annotations", &[]);
    for annotation in [
        format!("palisade.dev/ignore: tags {TERMS}"),
        format!("palisade.dev/ignore.tags: {TERMS}"),
        format!("palisade.dev/ignore: |\n      other {TERMS}\n      tags {TERMS}"),
    ] {
        let text = pod("web", &["a"]).replace("  name: web", &format!("  annotations:\n    {annotation}\n  name: web"));
        let (code, dispositions, stderr) = folder.judged(&text);
        assert_eq!((code, &*dispositions[0]), (0, "waived spec.containers[0].image"), "{text}{stderr}");
    }
}

#[test]
fn a_waiver_never_hides_what_could_not_be_evaluated() {
    let broken = POLICY.replace(
        "pattern:\n          spec:\n            containers:\n              - image: \"!*:latest\"",
        "deny: {conditions: {any: [{key: \"{{ lookup(`1`, `2`) }}\", operator: Equals, value: x}]}}",
    );
    let folder = Folder::new("error", &[("policy.yaml", &broken)]);
    let (code, dispositions, stderr) =
        folder.judged(&format!("# palisade:ignore tags {TERMS}\n{}", pod("web", &["a"])));
    assert_eq!((code, dispositions.len()), (2, 1), "{stderr}");
    assert!(dispositions[0].starts_with("counted") && !stderr.contains("PAL-P0012"), "{stderr}");
}

#[test]
fn the_waiver_file_selects_by_object_and_path() {
    let waivers = "waivers:
  - {policies: [tags], names: [web], reason: r, owner: shop, expires: 2027-01-31}
  - {policies: [ta*], kinds: [Pod], namespaces: [''], paths: [legacy/**], reason: r, owner: old, expires: 2027-01-31}
  - {policies: [tags], names: [late], reason: r, owner: late, expires: 2026-01-31}
  - {policies: [tags], names: [nobody], reason: r, owner: ghost, expires: 2027-01-31}
";
    let waivers = waivers.replace(", namespaces: ['']", "");
    let files = [
        ("palisade.toml", "[check]\npolicies = [\"policy.yaml\"]\n"),
        (".palisade/waivers.yaml", &waivers),
        ("apps/pods.yaml", &format!("{}---\n{}---\n{}", pod("web", &["a"]), pod("late", &["a"]), pod("other", &["a"]))),
        ("legacy/pod.yaml", &pod("old", &["a"])),
    ];
    let folder = Folder::new("file", &files);
    for (here, paths) in
        [("", ["apps", "legacy"]), ("apps", [".", "../legacy"]), ("legacy", ["../legacy/../apps", "./"])]
    {
        let output = folder.run_in(here, &[&["check", "--format", "json"], &paths[..], &NOW].concat());
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let mut shown: Vec<_> = report["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| format!("{} {}", f["disposition"], f["resource"]))
            .collect();
        shown.sort();
        assert_eq!(
            shown,
            [
                "\"counted\" \"Pod late\"",
                "\"counted\" \"Pod other\"",
                "\"waived\" \"Pod old\"",
                "\"waived\" \"Pod web\""
            ]
        );
        let stderr = stderr(&output);
        assert!(
            stderr.contains(
                "the waiver of `late` expired on 2026-01-31: what it covered counts again: Pod late of `apps/pods.yaml`"
            ),
            "{stderr}"
        );
        assert!(stderr.contains("note[PAL-P0012]: the waiver of `ghost` covers nothing"), "{stderr}");
    }
}

#[test]
fn wrong_entries_of_the_waiver_file_do_not_apply() {
    let folder = Folder::new("wrong-file", &[("pod.yaml", &pod("web", &["a"]))]);
    for (text, why) in [
        ("waivers: [{policies: [tags], reason: r, owner: o}]", "it lacks an expiry"),
        ("waivers: [{reason: r, owner: o, expires: 2027-01-31}]", "it names no policies"),
        ("waivers: [{policies: [], reason: r, owner: o, expires: 2027-01-31}]", "expected a list of texts"),
        ("waivers: [{policies: [tags], name: [x], reason: r, owner: o, expires: 2027-01-31}]", "`name` is unknown"),
        (
            "waivers: [{policies: [tags], fingerprint: xyz, reason: r, owner: o, expires: 2027-01-31}]",
            "is no fingerprint",
        ),
        ("waivers: [{policies: [tags], reason: 1, owner: o, expires: 2027-01-31}]", "expected a text, not a number"),
        ("waiver: []", "`waiver` is unknown"),
        ("[]", "no list of `waivers`"),
    ] {
        folder.write("w.yaml", text);
        let (code, report, stderr) = folder.check(&["pod.yaml", "--waivers", "w.yaml"]);
        assert_eq!((code, &*dispositions(&report)[0]), (2, "counted spec.containers[0].image"), "{text}");
        assert!(stderr.contains("error[PAL-P0010]") && stderr.contains(why), "{text}: {stderr}");
    }
    let (code, _, stderr) = folder.check(&["pod.yaml", "--waivers", "missing.yaml"]);
    assert_eq!(code, 2, "{stderr}");
}

#[test]
fn a_baseline_survives_moves_and_lets_nothing_new_through() {
    let folder =
        Folder::new("baseline", &[("a.yaml", &format!("{}---\n{}", pod("one", &["a", "b"]), pod("two", &["a"])))]);
    assert_eq!(folder.check(&[".", "--write-baseline", "base.json"]).0, 0);
    let check = || folder.check(&[".", "--baseline", "base.json"]);
    let written = folder.read("base.json");
    assert_eq!(written.matches("\"path\":\"spec.containers[").count(), 3, "{written}");
    assert_eq!(check().0, 0);

    let moved = format!("# a\n\n{}---\n\n{}", pod("two", &["a"]), pod("one", &["b", "a"]).replace("spec:", "\nspec:"));
    folder.write("a.yaml", &moved);
    assert_eq!(check().0, 0, "reordered documents and containers are known");
    fs::rename(folder.0.join("a.yaml"), folder.0.join("b.yaml")).unwrap();
    assert_eq!(check().0, 0, "a renamed file is known");
    folder.write("c.yaml", &pod("two", &["a"]));
    let (code, report, _) = check();
    assert_eq!((code, &report["summary"]["fail"]), (1, &1.into()), "a copy is new");
    fs::remove_file(folder.0.join("c.yaml")).unwrap();

    folder.write("b.yaml", &moved.replace("    - name: b\n", "    - name: c\n      image: c:latest\n    - name: b\n"));
    let (code, report, _) = check();
    assert_eq!(
        (code, &report["summary"]["fail"], &report["summary"]["known"]),
        (1, &1.into(), &2.into()),
        "a second container is new, and the ones beside it are known"
    );
    assert!(dispositions(&report).contains(&"counted spec.containers[0].image".to_owned()), "{report}");

    folder.write("b.yaml", &moved.replace("b:latest", "b:1"));
    let (code, _, stderr) = check();
    assert_eq!(code, 0);
    assert!(
        stderr.contains("1 finding of the baseline no longer occurs") && stderr.contains("containers[b].image"),
        "{stderr}"
    );
    assert_eq!(folder.check(&[".", "--baseline", "base.json", "--prune-baseline"]).0, 0);
    assert_eq!(folder.read("base.json").matches("\"file\":\"b.yaml\"").count(), 2);
    folder.write("b.yaml", &moved);
    assert_eq!(check().0, 1, "what was fixed cannot come back");
}

#[test]
fn a_run_over_a_part_says_nothing_of_the_rest_of_the_baseline() {
    let folder = Folder::new("partial", &[("a.yaml", &pod("a", &["a"])), ("b.yaml", &pod("b", &["b"]))]);
    folder.check(&[".", "--write-baseline", "base.json"]);
    let before = folder.read("base.json");
    let (code, _, stderr) = folder.check(&["a.yaml", "--baseline", "base.json", "--prune-baseline"]);
    assert_eq!((code, folder.read("base.json")), (0, before.clone()), "{stderr}");
    folder.check(&["a.yaml", "--baseline", "base.json", "--write-baseline", "base.json"]);
    assert_eq!(folder.read("base.json"), before);
    folder.write("other.yaml", &POLICY.replace("name: tags", "name: other"));
    let others =
        ["check", ".", "-p", "other.yaml", "--fail-on", "never", "--baseline", "base.json", "--prune-baseline"];
    folder.run_in("", &others);
    assert_eq!(folder.read("base.json"), before, "policies that were not asked");
    folder.write("b.yaml", "kind: [Pod\n");
    let (code, ..) = folder.check(&[".", "--baseline", "base.json", "--prune-baseline"]);
    assert_eq!((code, folder.read("base.json")), (2, before), "a file that cannot be read may still have its findings");
    assert_eq!(folder.check(&[".", "--prune-baseline"]).0, 2, "there is no baseline to prune");
}

#[test]
fn damaged_baselines_are_refused_and_never_overwritten_by_an_empty_run() {
    let folder = Folder::new(
        "damaged",
        &[("pod.yaml", &pod("a", &["a"])), ("service.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n")],
    );
    folder.check(&["pod.yaml", "--write-baseline", "base.json"]);
    let good = folder.read("base.json");
    assert_eq!(folder.check(&["service.yaml", "--write-baseline", "base.json"]).0, 3);
    assert_eq!(folder.read("base.json"), good);
    let line = good.lines().nth(2).unwrap();
    for text in [
        "",
        "[]",
        "{}",
        "{\"failed_checks\": []}",
        good.get(..good.len() / 2).unwrap(),
        &good.replace("\"schema_version\": \"2\"", "\"schema_version\": \"9\""),
        &good.replace("\"fingerprint\":\"", "\"fingerprint\":\"z"),
    ] {
        folder.write("base.json", text);
        assert_eq!(folder.check(&["pod.yaml", "--baseline", "base.json"]).0, 2, "{text}");
    }
    folder.write("base.json", &good.replace(line, &format!("{line},\n{line}")));
    let (code, _, stderr) = folder.check(&["pod.yaml", "--baseline", "base.json"]);
    assert_eq!(code, 0);
    assert!(stderr.contains("stands twice in the baseline"), "{stderr}");
    assert_eq!(folder.check(&["pod.yaml", "--baseline", "missing.json"]).0, 2);
}

#[test]
fn overrides_decide_by_policy_and_path() {
    let files = [("apps/pod.yaml", pod("web", &["a"])), ("legacy/pod.yaml", pod("old", &["a"]))];
    let folder = Folder::new("overrides", &files.each_ref().map(|(file, text)| (*file, &**text)));
    let run = |toml: &str| {
        folder.write("palisade.toml", &format!("[check]\npolicies = ['policy.yaml']\n{toml}"));
        let output = folder.run_in("", &["check", "apps", "legacy", "--format", "json"]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (output.status.code().unwrap(), report["summary"].clone(), report, stderr(&output))
    };
    let table = |mode: &str| format!("[[override]]\npolicies = ['tags']\npaths = ['legacy']\nmode = '{mode}'\n");
    for (mode, key) in [("warn", "warn"), ("audit", "audited")] {
        let (code, summary, ..) = run(&table(mode));
        assert_eq!((code, &summary["fail"], &summary[key]), (1, &1.into(), &1.into()), "{mode}");
        let (code, summary, ..) = run(&table(mode).replace("legacy", "**"));
        assert_eq!((code, &summary["fail"], &summary[key]), (0, &0.into(), &2.into()), "{mode}");
    }
    let (code, summary, ..) = run(&table("off"));
    assert_eq!((code, &summary["fail"], &summary["judged"]), (1, &1.into(), &1.into()));
    assert_eq!(run(&table("off").replace("legacy", "**")).0, 3, "a run in which every rule is off evaluated nothing");
    let (_, _, report, _) =
        run("[severity]\n'tags' = 'low'\n[[override]]\npaths = ['legacy']\nseverity = 'critical'\n");
    let severities: Vec<_> =
        report["findings"].as_array().unwrap().iter().map(|f| f["severity"].as_str().unwrap()).collect();
    assert_eq!(severities, ["low", "critical"]);
    let (_, _, _, stderr) = run("[severity]\n'tagz' = 'low'\n");
    assert!(
        stderr.contains("warning[PAL-P0016]: no loaded policy or rule is called `tagz`")
            && stderr.contains("palisade.toml:4:1"),
        "{stderr}"
    );
}

#[test]
fn suppressions_are_kept_in_every_format() {
    let text = format!(
        "{}---\n{}",
        pod("a", &["a"]).replace("a:latest", &format!("a:latest # palisade:ignore tags {TERMS}")),
        pod("b", &["b"])
    );
    let folder = Folder::new(
        "formats",
        &[
            ("pod.yaml", &text),
            ("w.yaml", "waivers: [{policies: [tags], names: [b], reason: r, owner: o, expires: 2027-01-31}]"),
        ],
    );
    let (code, report, _) =
        folder.check(&["pod.yaml", "--waivers", "w.yaml", "--report", "sarif=a.sarif", "--report", "junit=a.xml"]);
    assert_eq!((code, &report["summary"]["waived"]), (0, &2.into()));
    assert_eq!(report["findings"][0]["waiver"]["owner"], "shop");
    assert_eq!(report["findings"][0]["waiver"]["location"]["line"], 8);
    let sarif: Value = serde_json::from_str(&folder.read("a.sarif")).unwrap();
    let kinds: Vec<_> = sarif["runs"][0]["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["suppressions"][0]["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["inSource", "external"]);
    assert_eq!(folder.read("a.xml").matches("<skipped").count(), 2);
}

#[test]
fn very_many_waivers_are_no_burden() {
    let mut waivers = String::from("waivers:\n");
    for at in 0..100_000 {
        let _ =
            writeln!(waivers, "- {{policies: [tags], names: [pod-{at}], reason: r, owner: o, expires: 2027-01-31}}");
    }
    let comments = format!("# palisade:ignore tags {TERMS}\n").repeat(20_000);
    let pods: Vec<_> = (0..200).map(|at| pod(&format!("pod-{at}"), &["a"])).collect();
    let folder = Folder::new(
        "many",
        &[
            ("w.yaml", &waivers),
            ("pods.yaml", &pods.join("---\n")),
            ("comments.yaml", &format!("{comments}{}", pod("x", &["a"]))),
        ],
    );
    let (code, report, stderr) = folder.check(&["pods.yaml", "--waivers", "w.yaml"]);
    assert_eq!((code, &report["summary"]["waived"]), (0, &200.into()));
    assert!(stderr.contains("99795 more waivers cover nothing"), "{stderr}");
    assert_eq!(folder.check(&["comments.yaml"]).0, 0);
}

#[cfg(unix)]
#[test]
fn links_and_dots_do_not_widen_a_waiver() {
    let waiver = "waivers: [{policies: [tags], paths: [legacy], reason: r, owner: o, expires: 2027-01-31}]";
    let folder =
        Folder::new("links", &[("w.yaml", waiver), ("apps/pod.yaml", &pod("a", &["a"])), ("legacy/.keep", "")]);
    std::os::unix::fs::symlink("../apps/pod.yaml", folder.0.join("legacy/link.yaml")).unwrap();
    for (path, code) in [("apps", 1), ("legacy/../apps/pod.yaml", 1), ("apps/../legacy", 0), ("./legacy/link.yaml", 0)]
    {
        assert_eq!(folder.check(&[path, "--waivers", "w.yaml"]).0, code, "{path}");
    }
}

/// What `init` prints and writes for a repository with all there is.
#[test]
fn init_finds_what_is_there_and_overwrites_nothing() {
    let policy = POLICY.replace("name: tags", "name: own");
    let bad = pod("web", &["a"]);
    let files = [
        ("deploy/web.yaml", &*bad),
        ("policies/own.yaml", &policy),
        ("policies/tests/kyverno-test.yaml", "apiVersion: cli.kyverno.io/v1alpha1\nkind: Test\nmetadata: {name: t}\n"),
        ("policies/tests/pod.yaml", &bad),
        ("charts/app/Chart.yaml", "name: app\n"),
        ("charts/app/templates/pod.yaml", "{{ .Values.pod }}\n"),
        ("overlays/prod/kustomization.yaml", "resources: []\n"),
        (".github/workflows/build.yml", "on: push\n"),
        (".gitlab-ci.yml", "build: {script: make}\n"),
    ];
    let folder = Folder::new("init", &files);
    fs::remove_file(folder.0.join("policy.yaml")).unwrap();
    let run = |arguments: &[&str]| {
        let output = folder.run_in("", &[&["init"], arguments].concat());
        (output.status.code().unwrap(), String::from_utf8(output.stdout.clone()).unwrap(), stderr(&output))
    };
    let (code, dry, _) = run(&["--dry-run", "--ci"]);
    assert_eq!(code, 0);
    assert!(dry.contains("would write .github/workflows/palisade.yml") && !folder.0.join("palisade.toml").exists());
    let (code, told, stderr) = run(&["--baseline", "--ci"]);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(told, INIT);
    assert_eq!(folder.read("palisade.toml"), CONFIGURATION);
    let job = folder.read(".github/workflows/palisade.yml");
    assert!(job.contains("      - run: palisade check --format github --report sarif=palisade.sarif\n"), "{job}");
    assert!(folder.read(".gitlab/palisade.gitlab-ci.yml").contains("codequality: gl-code-quality-report.json"));

    let output = folder.run_in("deploy", &["check", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "the first check after init passes");
    folder.write("deploy/new.yaml", &pod("new", &["a"]));
    assert_eq!(folder.run_in("", &["check"]).status.code(), Some(1), "and what is new fails");

    let (code, _, stderr) = run(&[]);
    assert_eq!((code, stderr.contains("`palisade.toml` exists already")), (2, true), "{stderr}");
    let (code, _, stderr) = run(&["--ci"]);
    assert_eq!((code, stderr.contains("palisade.yml` exists already")), (2, true), "{stderr}");
    fs::remove_file(folder.0.join(".github/workflows/palisade.yml")).unwrap();
    fs::remove_file(folder.0.join(".gitlab/palisade.gitlab-ci.yml")).unwrap();
    let (code, told, _) = run(&["--ci"]);
    assert_eq!(
        (code, told.contains("kept palisade.toml\n"), folder.read("palisade.toml")),
        (0, true, CONFIGURATION.into())
    );
    assert_eq!(run(&["--force"]).0, 0);
}

const CONFIGURATION: &str = "# How `palisade` judges this repository; `palisade explain PAL-P0002` lists every key.
[check]
# What is judged when no path is given.
paths = [\"deploy\"]
# Add \"pack:kubernetes\" for the built-in rules.
policies = [\"policies\"]
# The mildest severity that fails a run: info, low, medium, high, critical or never.
fail-on = \"medium\"
# Findings from before the rules; only new ones fail.
baseline = \".palisade/baseline.json\"
";

const INIT: &str = "found
  1 Kubernetes object in deploy
  1 policy (1 kyverno) in policies
  1 Helm chart in charts/app
  1 kustomization in overlays/prod
  GitHub Actions
  GitLab CI

wrote palisade.toml
wrote .github/workflows/palisade.yml
wrote .gitlab/palisade.gitlab-ci.yml
wrote .palisade/baseline.json

first check
  1 resource by 1 policy: 1 finding
      1  high      own/fixed

next
  palisade check                                    # every finding with its line
  helm template charts/app | palisade check -       # judge the chart as it is rendered
  kustomize build overlays/prod | palisade check -  # judge the overlay as it is built
  add `include: [{local: .gitlab/palisade.gitlab-ci.yml}]` to .gitlab-ci.yml
";

#[test]
fn init_of_a_repository_without_policies_uses_the_pack_and_of_an_empty_one_writes_nothing() {
    let folder = Folder::new("init-pack", &[("web.yaml", &pod("web", &["a"]))]);
    fs::remove_file(folder.0.join("policy.yaml")).unwrap();
    let output = folder.run_in("", &["init"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(folder.read("palisade.toml").contains("paths = [\"web.yaml\"]\npolicies = [\"pack:kubernetes\"]\n"));
    let empty = Folder::new("init-empty", &[]);
    fs::remove_file(empty.0.join("policy.yaml")).unwrap();
    assert_eq!(empty.run_in("", &["init"]).status.code(), Some(3));
    assert_eq!(fs::read_dir(&empty.0).unwrap().count(), 0);
    assert_eq!(empty.run_in("", &["init", "missing"]).status.code(), Some(2));
    assert_eq!(empty.run_in("", &["check"]).status.code(), Some(2), "nothing to judge is named");
}
