//! Each kind with its fixtures, and files that must not fall to the wrong kind.

use std::path::{Path, PathBuf};

use palisade_model::Level;

use super::*;
use crate::decode;

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn id(name: &str, head: &str) -> Option<&'static str> {
    of(name, head.as_bytes()).map(Kind::id)
}

#[test]
fn each_kind_has_its_fixtures_and_reads_them() {
    for kind in KINDS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kinds").join(kind.id());
        let fixtures = files(&folder);
        assert!(!fixtures.is_empty(), "{}", kind.id());
        for path in fixtures {
            let (name, bytes) = (path.display().to_string(), std::fs::read(&path).unwrap());
            assert!(is_known(&name), "{name}");
            assert_eq!(of(&name, &bytes).map(Kind::id), Some(kind.id()), "{name}");
            let parsed = match kind.form() {
                Form::Text => continue,
                Form::Tree(read) | Form::Template(read) => read(decode(&name, &bytes).unwrap(), &Limits::default()),
            };
            let errors = parsed.diagnostics.iter().filter(|diagnostic| diagnostic.level == Level::Error).count();
            match kind.form() {
                Form::Template(_) => assert!(errors > 0, "{name} reads without its form"),
                _ => assert!(errors == 0 && !parsed.documents.is_empty(), "{name}: {:?}", parsed.diagnostics),
            }
        }
    }
}

#[test]
fn identifiers_are_unique_and_say_what_they_are() {
    for (at, kind) in KINDS.iter().enumerate() {
        assert!(KINDS.iter().skip(at + 1).all(|other| other.id() != kind.id()), "{}", kind.id());
        assert!(kind.summary().len() > 10 && !kind.summary().ends_with('.'), "{}", kind.id());
    }
}

#[test]
fn names_and_first_bytes_decide() {
    let object = "apiVersion: v1\nkind: Pod\n";
    for (name, head, kind) in [
        ("a.yaml", object, Some("kubernetes")),
        ("a.JSON", "{\"apiVersion\": \"v1\", \"kind\": \"Pod\"}", Some("kubernetes")),
        ("a.yaml", "replicas: 1", Some("yaml")),
        ("chart/templates/a.yaml", object, Some("kubernetes")),
        ("chart/templates/a.yaml", "{{- if .Values.x }}", Some("helm-template")),
        ("chart/templates/NOTES.txt", "{{ .Release.Name }}", Some("helm-template")),
        ("chart/templates/NOTES.txt", "plain", None),
        ("workflows/templates/a.yaml", "args: ['{{inputs.parameters.x}}']", Some("yaml")),
        ("other/a.yaml", "{{- if .Values.x }}", Some("yaml")),
        ("other/a.template.yaml", "name: {{x}}", Some("template")),
        ("other/a.template.yaml", object, Some("kubernetes")),
        ("web/tsconfig.build.json", "{}", Some("jsonc")),
        ("templates.yaml", "{{- if .Values.x }}", Some("template")),
        ("overlay/kustomization.yaml", object, Some("kustomization")),
        ("Dockerfile", "", Some("dockerfile")),
        ("build/web.Dockerfile", "", Some("dockerfile")),
        ("Dockerfile.dockerignore", "", None),
        ("Dockerfiles.txt", "", None),
        (".env", "", Some("dotenv")),
        (".env.production", "", Some("dotenv")),
        ("C:\\shop\\pom.xml", "", Some("xml")),
        ("logo.png", "", None),
        ("LICENSE", "", None),
    ] {
        assert_eq!(id(name, head), kind, "{name}: {head}");
    }
}

#[test]
fn what_kustomize_reads_is_no_object_of_a_cluster() {
    use palisade_model::json;
    let is_object = kubernetes::is_object;
    assert!(is_object(&json!({"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization"})));
    assert!(!is_object(&json!({"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component"})));
    assert!(!is_object(&json!({"kind": "Pod"})));
}
