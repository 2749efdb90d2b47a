//! What is in a repository: manifests, policies, charts, overlays, and the CI that runs there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use palisade_document::kind::kubernetes::is_object;
use palisade_intake::{folders, in_parallel};
use palisade_model::{Resource, Value};
use palisade_policy::{Language, Phase};

use palisade_policies::languages::{self, LANGUAGES};

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
    /// Folders and files of policies that only change or make objects.
    pub(super) mutations: Vec<PathBuf>,
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
    /// Policies that judge, by index into the table of languages.
    policies: Vec<usize>,
    /// Policies that only change or make objects.
    mutations: usize,
    /// Whether the file describes a test, so that the objects around it are its fixtures.
    test: bool,
}

/// What a file is to this command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Manifest,
    Policy,
    Mutation,
}

impl Content {
    /// A file with both is a file of policies.
    fn kind(&self, fixture: bool) -> Option<Kind> {
        match (self.policies.is_empty(), self.mutations, self.objects) {
            (false, ..) => Some(Kind::Policy),
            (true, 1.., _) => Some(Kind::Mutation),
            (true, 0, 1..) if !fixture => Some(Kind::Manifest),
            _ => None,
        }
    }
}

/// Looks at everything below `root` that is not ignored.
pub(super) fn survey(root: &Path, jobs: usize) -> Survey {
    let extensions = ["yaml", "yml", "json"].into_iter().chain(languages::extensions()).map(str::to_owned).collect();
    let found = folders::files(&[root.to_owned()], &folders::Options { extensions, hidden: false });
    let inside = |path: &PathBuf| path.strip_prefix(root).unwrap_or(path).to_owned();
    let named = |names: &'static [&str]| {
        let is_named =
            |path: &&PathBuf| path.file_name().is_some_and(|name| names.iter().any(|wanted| name == *wanted));
        let folder = |path: &PathBuf| inside(path).parent().map(Path::to_path_buf).unwrap_or_default();
        found.files.iter().filter(is_named).map(folder).collect::<BTreeSet<_>>()
    };
    let charts = named(&["Chart.yaml"]);
    // A template of a chart is no manifest before it is rendered.
    let parts = charts.iter().flat_map(|chart| [chart.join("templates"), chart.join("charts")]);
    let parts: BTreeSet<_> = parts.collect();
    let is_plain = |path: &PathBuf| !inside(path).ancestors().any(|folder| parts.contains(folder));
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
    let inner = |chart: &&PathBuf| chart.ancestors().skip(1).any(|folder| charts.contains(folder));
    charts.iter().filter(|chart| !inner(chart)).cloned().collect()
}

fn content(path: &Path) -> Content {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    if let Some(language) = LANGUAGES.iter().position(|language| language.extensions().contains(&extension)) {
        let is_test = path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("_test"));
        return Content { policies: if is_test { Vec::new() } else { vec![language] }, ..Content::default() };
    }
    let mut content = Content::default();
    for document in palisade_intake::read(path).documents {
        let resource = document.resource();
        let api_version = resource.object.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
        if let Some(language) = LANGUAGES.iter().position(|language| language.claims(&resource)) {
            if judges(language, &resource) {
                content.policies.push(language);
            } else {
                content.mutations += 1;
            }
        } else if ["cli.kyverno.io/", "test.gatekeeper.sh/"].iter().any(|test| api_version.starts_with(test)) {
            content.test |= matches!(resource.kind(), "Test" | "Suite");
        } else if is_object(&document.value) {
            content.objects += 1;
        }
    }
    content
}

/// Whether a policy judges, alone or, as bindings and exceptions do, together with others.
fn judges(language: usize, document: &Resource) -> bool {
    let load = |language: &&dyn Language| language.load(std::slice::from_ref(document), &[]).policies;
    let policies = LANGUAGES.get(language).map(load).unwrap_or_default();
    policies.is_empty() || policies.iter().any(|policy| policy.info().has_phase(Phase::Validate))
}

/// Sorts files into manifests and policies; the fixtures of policy tests are neither.
fn sort(files: &[(PathBuf, Content)]) -> Survey {
    let parent = |path: &Path| path.parent().map(Path::to_path_buf).unwrap_or_default();
    let tests: BTreeSet<_> = files.iter().filter(|(_, content)| content.test).map(|(path, _)| parent(path)).collect();
    let is_fixture = |path: &Path| folders(path).any(|folder| tests.contains(folder));
    let of_kind = |kind| files.iter().filter(move |(path, content)| content.kind(is_fixture(path)) == Some(kind));
    let paths = |kind| of_kind(kind).map(|(path, _)| path.as_path()).collect::<Vec<_>>();
    let (manifests, policies, mutations) = (paths(Kind::Manifest), paths(Kind::Policy), paths(Kind::Mutation));
    let count =
        |language| files.iter().flat_map(|(_, content)| &content.policies).filter(|of| **of == language).count();
    let languages = LANGUAGES.iter().enumerate().map(|(at, language)| (language.id(), count(at)));
    Survey {
        objects: of_kind(Kind::Manifest).map(|(_, content)| content.objects).sum(),
        manifests: roots(&manifests, &[&policies[..], &mutations].concat()),
        mutations: roots(&mutations, &[&policies[..], &manifests].concat()),
        policies: roots(&policies, &manifests),
        languages: languages.filter(|(_, number)| *number > 0).collect(),
        ..Survey::default()
    }
}

/// The widest folders below the root that hold `wanted` files and none of the `unwanted`; files where there is none.
fn roots(wanted: &[&Path], unwanted: &[&Path]) -> Vec<PathBuf> {
    let mixed: BTreeSet<&Path> = unwanted.iter().flat_map(|path| folders(path)).collect();
    let widest =
        |path: &&Path| folders(path).take_while(|folder| !mixed.contains(folder)).last().unwrap_or(path).to_owned();
    wanted.iter().map(widest).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The folders below the root that a file is in, the innermost first.
fn folders(path: &Path) -> impl Iterator<Item = &Path> {
    path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty())
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
        let (wanted, unwanted): (Vec<_>, Vec<_>) =
            (wanted.iter().map(|path| &**path).collect(), unwanted.iter().map(|path| &**path).collect());
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
