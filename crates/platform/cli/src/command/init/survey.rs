//! What is in a repository: manifests, policies, charts, overlays, and the CI that runs there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use palisade_document::walk;
use palisade_model::Value;

use crate::input::{self, in_parallel};
use crate::languages::{self, LANGUAGES};

/// A CI system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ci {
    GitHub,
    GitLab,
}

/// What was found, as paths relative to the repository, in order.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Folders and files of manifests.
    pub(super) manifests: Vec<PathBuf>,
    /// Objects in them.
    pub(super) objects: usize,
    /// Folders and files of policies.
    pub(super) policies: Vec<PathBuf>,
    /// Policies in them, by language.
    pub(super) languages: Vec<(&'static str, usize)>,
    /// Helm charts.
    pub(super) charts: Vec<PathBuf>,
    /// Kustomize overlays and bases.
    pub(super) kustomizations: Vec<PathBuf>,
    /// CI systems.
    pub(super) ci: Vec<Ci>,
}

/// What one file is.
#[derive(Debug, Default)]
struct Content {
    objects: usize,
    /// Policies by index into the table of languages.
    policies: Vec<usize>,
    /// Whether the file describes a test, so that the objects around it are its fixtures.
    test: bool,
}

/// Looks at everything below `root` that is not ignored.
pub(super) fn survey(root: &Path, jobs: usize) -> Survey {
    let extensions = ["yaml", "yml", "json"].into_iter().chain(languages::extensions()).map(str::to_owned).collect();
    let found = walk::files(&[root.to_owned()], &walk::Options { extensions, hidden: false });
    let inside = |path: &PathBuf| path.strip_prefix(root).unwrap_or(path).to_owned();
    let named = |names: &'static [&str]| {
        let is_named =
            |path: &&PathBuf| path.file_name().is_some_and(|name| names.iter().any(|wanted| name == *wanted));
        let folder = |path: &PathBuf| inside(path).parent().map(Path::to_path_buf).unwrap_or_default();
        found.files.iter().filter(is_named).map(folder).collect::<BTreeSet<_>>()
    };
    let charts = named(&["Chart.yaml"]);
    // What is inside a chart is a template or a value, and no manifest before it is rendered.
    let is_plain = |path: &PathBuf| !charts.iter().any(|chart| inside(path).starts_with(chart));
    let plain: Vec<PathBuf> = found.files.iter().filter(|path| is_plain(path)).cloned().collect();
    let contents = in_parallel(&plain, jobs, |path| content(path));
    let files: Vec<_> = plain.iter().map(inside).zip(contents).collect();
    let mut survey = sort(&files);
    survey.charts = outermost(&charts);
    survey.kustomizations = named(&["kustomization.yaml", "kustomization.yml", "Kustomization"]).into_iter().collect();
    let ci = [(Ci::GitHub, ".github/workflows"), (Ci::GitLab, ".gitlab-ci.yml")];
    survey.ci = ci.into_iter().filter(|(_, path)| root.join(path).exists()).map(|(ci, _)| ci).collect();
    survey
}

/// Charts inside charts are rendered with the outer one.
fn outermost(charts: &BTreeSet<PathBuf>) -> Vec<PathBuf> {
    let inner = |chart: &&PathBuf| charts.iter().any(|other| other != *chart && chart.starts_with(other));
    charts.iter().filter(|chart| !inner(chart)).cloned().collect()
}

fn content(path: &Path) -> Content {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    if let Some(language) = LANGUAGES.iter().position(|language| language.extensions().contains(&extension)) {
        let is_test = path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("_test"));
        return Content { policies: if is_test { Vec::new() } else { vec![language] }, ..Content::default() };
    }
    let mut content = Content::default();
    for document in input::read(path).documents {
        let resource = document.resource();
        let group = resource.object.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
        if let Some(language) = LANGUAGES.iter().position(|language| language.claims(&resource)) {
            content.policies.push(language);
        } else if matches!(
            (group.split('/').next(), resource.kind()),
            (Some("cli.kyverno.io"), _) | (Some("test.gatekeeper.sh"), _)
        ) {
            content.test |= matches!(resource.kind(), "Test" | "Suite");
        } else if input::is_object(&document) && !group.starts_with("kustomize.config.k8s.io") {
            content.objects += 1;
        }
    }
    content
}

/// Sorts files into manifests and policies; the fixtures of policy tests are neither.
fn sort(files: &[(PathBuf, Content)]) -> Survey {
    let parent = |path: &Path| path.parent().map(Path::to_path_buf).unwrap_or_default();
    let tests: BTreeSet<_> = files.iter().filter(|(_, content)| content.test).map(|(path, _)| parent(path)).collect();
    let is_fixture = |path: &Path| tests.iter().any(|folder| path.starts_with(folder));
    let is_policy = |content: &Content| !content.policies.is_empty();
    let policies: Vec<_> = files.iter().filter(|(_, content)| is_policy(content)).map(|(path, _)| path).collect();
    let is_manifest =
        |(path, content): &&(PathBuf, Content)| content.objects > 0 && !is_policy(content) && !is_fixture(path);
    let manifests: Vec<_> = files.iter().filter(is_manifest).collect();
    let paths: Vec<_> = manifests.iter().map(|(path, _)| path).collect();
    let count =
        |language| files.iter().flat_map(|(_, content)| &content.policies).filter(|of| **of == language).count();
    let languages = LANGUAGES.iter().enumerate().map(|(at, language)| (language.id(), count(at)));
    Survey {
        objects: manifests.iter().map(|(_, content)| content.objects).sum(),
        manifests: roots(&paths, &policies),
        policies: roots(&policies, &paths),
        languages: languages.filter(|(_, number)| *number > 0).collect(),
        ..Survey::default()
    }
}

/// The widest folders below the root that hold `wanted` files and none of the `unwanted`; files where there is none.
fn roots(wanted: &[&PathBuf], unwanted: &[&PathBuf]) -> Vec<PathBuf> {
    let is_clean = |folder: &Path| !unwanted.iter().any(|path| path.starts_with(folder));
    let mut roots: BTreeSet<PathBuf> = BTreeSet::new();
    for path in wanted {
        if roots.iter().any(|root| path.starts_with(root)) {
            continue;
        }
        let folders = path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty());
        let widest = folders.take_while(|folder| is_clean(folder)).last();
        roots.insert(widest.unwrap_or(path).to_path_buf());
    }
    roots.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(texts: &[&str]) -> Vec<PathBuf> {
        texts.iter().map(PathBuf::from).collect()
    }

    #[test]
    fn the_widest_clean_folders_are_named() {
        let wanted = paths(&["deploy/a/x.yaml", "deploy/b/y.yaml", "mixed/m.yaml", "mixed/sub/n.yaml", "root.yaml"]);
        let unwanted = paths(&["mixed/policy.yaml", "policies/p.yaml"]);
        let (wanted, unwanted): (Vec<_>, Vec<_>) = (wanted.iter().collect(), unwanted.iter().collect());
        assert_eq!(roots(&wanted, &unwanted), paths(&["deploy", "mixed/m.yaml", "mixed/sub", "root.yaml"]));
        assert_eq!(roots(&unwanted, &wanted), paths(&["mixed/policy.yaml", "policies"]));
    }

    #[test]
    fn fixtures_of_policy_tests_are_no_manifests() {
        let objects = |objects| Content { objects, ..Content::default() };
        let files = [
            ("policies/p.yaml", Content { policies: vec![0], ..Content::default() }),
            ("policies/test/kyverno-test.yaml", Content { test: true, ..Content::default() }),
            ("policies/test/pod.yaml", objects(3)),
            ("deploy/pod.yaml", objects(2)),
        ];
        let survey = sort(&files.map(|(path, content)| (path.into(), content)));
        assert_eq!((survey.manifests, survey.objects), (paths(&["deploy"]), 2));
        assert_eq!(survey.policies, paths(&["policies"]));
    }
}
