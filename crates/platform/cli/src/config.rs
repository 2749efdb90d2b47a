//! `palisade.toml`: what a repository wants by default. A flag wins over the file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use palisade_config::{Document, Kind, Section, Setting, Spanned, choice, quoted, section};
use palisade_model::{Diagnostic, Location, Severity, Source};
use palisade_policies::packs::DEFAULT;
use palisade_runtime::Network;
use palisade_verdict::selection::{Mode, Override, Overrides, Selector};

use crate::Failure;
use crate::args::Global;

/// The name of the file.
pub(crate) const FILE: &str = "palisade.toml";
/// Where waivers are looked for, beside the configuration.
pub(crate) const WAIVERS: &str = ".palisade/waivers.yaml";

/// Every section, in the order of the reference.
pub(crate) fn sections() -> Vec<Section> {
    let overrides = <Vec<OverrideTable> as Setting>::KIND;
    let severity = Kind::Map("policy or rule, with `*` and `?`", &<Severity as Setting>::KIND);
    let doc = "How much violations matter, by policy or `policy/rule`; the most precise name wins.";
    let own = [
        Check::SECTION,
        Section { name: "severity", doc, kind: severity },
        Section { name: "override", doc: OverrideTable::TABLE.doc, kind: overrides },
        Network::SECTION,
    ];
    own.into_iter().chain(palisade_server::Config::sections()).collect()
}

/// The whole file. Unknown keys are errors, so that a typing mistake never weakens a gate.
#[derive(Debug, Default)]
pub(crate) struct Config {
    /// Defaults of `palisade check` and `palisade mutate`.
    pub(crate) check: Check,
    /// What policies may reach.
    pub(crate) network: Network,
    /// What `palisade serve` reads.
    server: palisade_server::Config,
    /// By policy or rule, how much violations matter.
    severity: BTreeMap<Spanned<String>, Severity>,
    /// In order; the last one that matches wins.
    overrides: Vec<OverrideTable>,
    /// The folder of the file, which relative paths start from.
    pub(crate) root: PathBuf,
    /// The file itself, where there is one.
    pub(crate) document: Document,
}

section! {
    /// What the configuration makes of the policies' own words; the last entry that matches wins. Lists that are left
    /// out mean any.
    #[derive(Debug)]
    struct OverrideTable {
        /// Policies or rules by name, with `*` and `?`.
        policies: Vec<Spanned<String>> = Vec::new();
        /// Kinds of objects.
        kinds: Vec<String> = Vec::new();
        /// Namespaces, with `*` and `?`.
        namespaces: Vec<String> = Vec::new();
        /// Names of objects, with `*` and `?`.
        names: Vec<String> = Vec::new();
        /// Files, as globs from the folder of the configuration.
        paths: Vec<String> = Vec::new();
        /// Whether violations deny, warn, are recorded only, or are not looked for.
        mode: Option<ModeName> = None;
        /// How much violations matter.
        severity: Option<Severity> = None;
    }
}

choice! {
    /// The modes as the file writes them.
    enum ModeName {
        /// Violations fail.
        Enforce = "enforce",
        /// Violations are told.
        Warn = "warn",
        /// Violations are recorded.
        Audit = "audit",
        /// The rule does not run.
        Off = "off",
    }
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

/// What fails a run.
const FAIL_ON: Kind = Kind::Word(&["info", "low", "medium", "high", "critical", "never"]);

section! {
    /// What `palisade check`, `mutate` and `serve` judge, and by what. Paths start from the folder of the file.
    #[derive(Debug)]
    pub(crate) struct Check("check") {
        /// What `palisade check` judges when it is given no path.
        pub(crate) paths: Vec<PathBuf> = Vec::new();
        /// Policy files and folders, or built-in packs.
        pub(crate) policies: Vec<PathBuf> = Vec::new() => implied = || format!("[{}]", quoted(DEFAULT));
        /// A Kyverno values file: variables that stand in for look-ups.
        pub(crate) values: Option<PathBuf> = None;
        /// The mildest severity that fails a run, or `never`.
        pub(crate) fail_on: Option<String> [FAIL_ON] = None => implied = || quoted("info"), variable = "PALISADE_FAIL_ON";
        /// The mildest severity that is shown.
        pub(crate) severity: Option<String> [<Severity as Setting>::KIND] = None => implied = || quoted("info"), variable = "PALISADE_SEVERITY";
        /// The file of known findings.
        pub(crate) baseline: Option<PathBuf> = None => variable = "PALISADE_BASELINE";
        /// The file of waivers.
        pub(crate) waivers: Option<PathBuf> = None => implied = || quoted(WAIVERS), variable = "PALISADE_WAIVERS";
    }
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
        Document::parse(&source, &sections()).and_then(Self::of).map_err(Failure::Input)
    }

    fn of(document: Document) -> Result<Self, Vec<Diagnostic>> {
        Ok(Self {
            check: document.section("check")?,
            network: document.section("network")?,
            server: palisade_server::Config::of(&document)?,
            severity: document.section("severity")?,
            overrides: document.section("override")?,
            root: PathBuf::new(),
            document,
        })
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
        Overrides(severities.into_iter().map(severity).chain(self.overrides.iter().map(OverrideTable::read)).collect())
    }

    /// The names of policies and rules that the file mentions, each with its place.
    pub(crate) fn named_policies(&self) -> impl Iterator<Item = &Spanned<String>> {
        self.severity.keys().chain(self.overrides.iter().flat_map(|table| &table.policies))
    }

    /// The place of something in the file.
    pub(crate) fn locate<T>(&self, part: &Spanned<T>) -> Option<Location> {
        self.document.locate(part)
    }

    /// What `palisade serve` reads, with paths from the configuration's folder.
    pub(crate) fn server(&self) -> palisade_server::Config {
        let mut config = self.server.clone();
        config.server.data = config.server.data.map(|folder| self.resolve(&folder)).or_else(state_folder);
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

/// Where the environment says that programs keep their state.
pub(crate) fn state_folder() -> Option<PathBuf> {
    let home = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    home.map(|home| home.join("palisade"))
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

    /// A file of version 0.1 with every key that there was, each in force as it is written.
    #[test]
    fn a_configuration_of_the_first_version_is_accepted() {
        let text = include_str!("../tests/upgrade/palisade-0.1.toml");
        let config = Config::parse(Path::new("palisade-0.1.toml"), text).unwrap();
        config.server().validate().unwrap();
        let in_force = config.document.in_force(&sections(), |_| None);
        let written = in_force.iter().filter(|found| found.origin != palisade_config::Origin::Default);
        assert_eq!(written.count(), 92, "as many as version 0.1 showed");
        assert_eq!(config.server.kubernetes.reports, palisade_kube::Reports::OpenReports);
        assert_eq!(config.overrides().0.len(), 5);
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
