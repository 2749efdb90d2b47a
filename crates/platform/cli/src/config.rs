//! `palisade.toml`: what a repository wants by default. A flag wins over the file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use palisade_model::{Diagnostic, Location, Severity, Source, Span};
use palisade_runtime::Network;
use palisade_verdict::selection::{Mode, Override, Overrides, Selector};
use serde::Deserialize;
use toml::Spanned;

use crate::Failure;
use crate::args::Global;

/// The name of the file.
pub(crate) const FILE: &str = "palisade.toml";
/// Where waivers are looked for, beside the configuration.
pub(crate) const WAIVERS: &str = ".palisade/waivers.yaml";

/// The whole file. Unknown keys are errors, so that a typing mistake never weakens a gate.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Config {
    /// Defaults of `palisade check` and `palisade mutate`.
    pub(crate) check: Check,
    /// `[network]`: what policies may reach.
    pub(crate) network: Network,
    /// `[server]`: listeners, limits and records of `palisade serve`.
    server: palisade_server::config::ServerConfig,
    /// `[store]`: where `palisade serve` keeps its state.
    store: palisade_server::StoreConfig,
    /// `[kubernetes]`: the cluster that it stands in.
    kubernetes: palisade_server::KubernetesConfig,
    /// `[identity]`: who may do what.
    identity: palisade_server::IdentityConfig,
    /// `[owners]`: where catalogue files are.
    owners: palisade_server::OwnersConfig,
    /// `[severity]`: by policy or rule, how much violations matter.
    severity: BTreeMap<Spanned<String>, Severity>,
    /// `[[override]]`, in order; the last one that matches wins.
    r#override: Vec<OverrideTable>,
    /// The folder of the file, which relative paths start from.
    #[serde(skip)]
    pub(crate) root: PathBuf,
    /// The file itself, where there is one.
    #[serde(skip)]
    pub(crate) source: Option<Arc<Source>>,
}

/// An entry of `[[override]]`. Lists that are left out mean any.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct OverrideTable {
    policies: Vec<Spanned<String>>,
    kinds: Vec<String>,
    namespaces: Vec<String>,
    names: Vec<String>,
    paths: Vec<String>,
    mode: Option<ModeName>,
    severity: Option<Severity>,
}

/// The modes as the file writes them.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ModeName {
    Enforce,
    Warn,
    Audit,
    Off,
}

impl From<ModeName> for Mode {
    fn from(name: ModeName) -> Self {
        match name {
            ModeName::Enforce => Self::Enforce,
            ModeName::Warn => Self::Warn,
            ModeName::Audit => Self::Audit,
            ModeName::Off => Self::Off,
        }
    }
}

/// `[check]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Check {
    /// What `palisade check` judges when it is given no path.
    pub(crate) paths: Vec<PathBuf>,
    /// Policy files and folders.
    pub(crate) policies: Vec<PathBuf>,
    /// A Kyverno values file.
    pub(crate) values: Option<PathBuf>,
    /// The mildest severity that fails a run, or `never`.
    pub(crate) fail_on: Option<String>,
    /// The mildest severity that is shown.
    pub(crate) severity: Option<String>,
    /// The file of known findings.
    pub(crate) baseline: Option<PathBuf>,
    /// The file of waivers.
    pub(crate) waivers: Option<PathBuf>,
}

impl Config {
    /// Reads `--config`, or the nearest file upward; the defaults where there is none.
    pub(crate) fn load(global: &Global) -> Result<Self, Failure> {
        let Some(path) = global.config.clone().or_else(nearest) else { return Ok(Self::default()) };
        let text = std::fs::read_to_string(&path).map_err(|error| {
            Failure::new(format!("reading configuration `{}`: {error}", path.display()), "check the path of --config")
        })?;
        let mut config = Self::parse(&path, &text)?;
        config.root = path.parent().map(Path::to_path_buf).unwrap_or_default();
        Ok(config)
    }

    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self, Failure> {
        let source = Source::new(path.display().to_string(), text);
        let config: Self = toml::from_str(text).map_err(|error| {
            let span = Span::new(error.span().unwrap_or(0..0));
            let diagnostic =
                Diagnostic::error("PAL-P0002", format!("configuration cannot be used: {}", error.message()))
                    .at(Location { source: source.clone(), span }, "")
                    .help("`palisade explain PAL-P0002` lists the keys");
            Failure::Input(vec![diagnostic])
        })?;
        Ok(Self { source: Some(source), ..config })
    }

    /// What the file makes of the policies' own severities and enforcement: `[severity]` first, the most precise name
    /// last, then `[[override]]` in order.
    pub(crate) fn overrides(&self) -> Overrides {
        let precision = |name: &str| name.chars().filter(|c| !matches!(c, '*' | '?')).count();
        let mut severities: Vec<_> = self.severity.iter().collect();
        severities.sort_by_key(|(name, _)| precision(name.get_ref()));
        let severity = |(name, severity): (&Spanned<String>, &Severity)| Override {
            selector: Selector { policies: vec![name.get_ref().as_str().into()], ..Selector::default() },
            mode: None,
            severity: Some(*severity),
        };
        Overrides(severities.into_iter().map(severity).chain(self.r#override.iter().map(OverrideTable::read)).collect())
    }

    /// The names of policies and rules that the file mentions, each with its place.
    pub(crate) fn named_policies(&self) -> impl Iterator<Item = &Spanned<String>> {
        self.severity.keys().chain(self.r#override.iter().flat_map(|table| &table.policies))
    }

    /// The place of something in the file.
    pub(crate) fn locate<T>(&self, part: &Spanned<T>) -> Option<Location> {
        Some(Location { source: self.source.clone()?, span: Span::new(part.span()) })
    }

    /// What `palisade serve` reads, with paths from the configuration's folder.
    pub(crate) fn server(&self) -> palisade_server::Config {
        let mut config = palisade_server::Config {
            server: self.server.clone(),
            store: self.store.clone(),
            kubernetes: self.kubernetes.clone(),
            identity: self.identity.clone(),
            owners: self.owners.clone(),
        };
        config.server.data = config.server.data.map(|folder| self.resolve(&folder));
        config.owners.catalogs.iter_mut().for_each(|path| *path = self.resolve(path));
        config
    }

    /// A path of the file, made relative to the working directory.
    pub(crate) fn resolve(&self, path: &Path) -> PathBuf {
        self.root.join(path)
    }
}

impl OverrideTable {
    fn read(&self) -> Override {
        let texts = |texts: &[String]| texts.iter().map(|text| text.as_str().into()).collect();
        Override {
            selector: Selector {
                policies: self.policies.iter().map(|name| name.get_ref().as_str().into()).collect(),
                kinds: texts(&self.kinds),
                namespaces: texts(&self.namespaces),
                names: texts(&self.names),
                paths: self.paths.iter().map(|path| path.as_str().into()).collect(),
                fingerprint: None,
            },
            mode: self.mode.map(Mode::from),
            severity: self.severity,
        }
    }
}

/// The nearest `palisade.toml`, as a relative path so that messages stay short.
fn nearest() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    let mut up = PathBuf::new();
    for folder in here.ancestors() {
        if folder.join(FILE).is_file() {
            return Some(up.join(FILE));
        }
        up.push("..");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_mistake_is_an_error_with_its_place() {
        let Err(Failure::Input(diagnostics)) = Config::parse(Path::new("palisade.toml"), "[check]\npolicy = []\n")
        else {
            panic!("an unknown key must not be accepted");
        };
        assert!(diagnostics[0].to_string().starts_with("palisade.toml:2:1: error[PAL-P0002]"), "{}", diagnostics[0]);
    }

    #[test]
    fn overrides_come_after_severities_and_precise_names_after_vague_ones() {
        let text = "[severity]\n'images/tag' = 'low'\n'*' = 'high'\n[[override]]\npolicies = ['images']\n\
                    paths = ['legacy/**']\nmode = 'warn'\n";
        let config = Config::parse(Path::new("p"), text).unwrap();
        let overrides = config.overrides();
        let names: Vec<_> = overrides.0.iter().map(|entry| &*entry.selector.policies[0]).collect();
        assert_eq!(names, ["*", "images/tag", "images"]);
        assert_eq!((overrides.0[2].mode, overrides.0[2].severity), (Some(Mode::Warn), None));
        let places: Vec<_> = config.named_policies().filter_map(|name| config.locate(name)).collect();
        assert_eq!(places.iter().map(|at| at.start().line).collect::<Vec<_>>(), [3, 2, 5]);
        for wrong in ["[severity]\na = 'bad'\n", "[[override]]\nmode = 'block'\n", "[[override]]\nfiles = ['a']\n"] {
            assert!(Config::parse(Path::new("p"), wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn keys_are_read() {
        let config = Config::parse(Path::new("p"), "[check]\npolicies = ['a']\nfail-on = 'high'\n").unwrap();
        assert_eq!(config.check.policies, [PathBuf::from("a")]);
        assert_eq!(config.check.fail_on.as_deref(), Some("high"));
    }
}
