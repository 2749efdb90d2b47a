//! `palisade.toml`: what a repository wants by default. A flag wins over the file.

use std::path::{Path, PathBuf};

use palisade_model::{Diagnostic, Location, Source, Span};
use serde::Deserialize;

use crate::Failure;
use crate::args::Global;

const FILE: &str = "palisade.toml";

/// The whole file. Unknown keys are errors, so that a typing mistake never weakens a gate.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Config {
    /// Defaults of `palisade check` and `palisade mutate`.
    pub(crate) check: Check,
    /// The folder of the file, which relative paths start from.
    #[serde(skip)]
    pub(crate) root: PathBuf,
}

/// `[check]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Check {
    /// Policy files and folders.
    pub(crate) policies: Vec<PathBuf>,
    /// A Kyverno values file.
    pub(crate) values: Option<PathBuf>,
    /// The mildest severity that fails a run, or `never`.
    pub(crate) fail_on: Option<String>,
    /// The mildest severity that is shown.
    pub(crate) severity: Option<String>,
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

    fn parse(path: &Path, text: &str) -> Result<Self, Failure> {
        toml::from_str(text).map_err(|error| {
            let source = Source::new(path.display().to_string(), text);
            let span = Span::new(error.span().unwrap_or(0..0));
            let diagnostic =
                Diagnostic::error("PAL-P0002", format!("configuration cannot be used: {}", error.message()))
                    .at(Location { source, span }, "")
                    .help("`palisade explain PAL-P0002` lists the keys");
            Failure::Input(vec![diagnostic])
        })
    }

    /// A path of the file, made relative to the working directory.
    pub(crate) fn resolve(&self, path: &Path) -> PathBuf {
        self.root.join(path)
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
    fn keys_are_read() {
        let config = Config::parse(Path::new("p"), "[check]\npolicies = ['a']\nfail-on = 'high'\n").unwrap();
        assert_eq!(config.check.policies, [PathBuf::from("a")]);
        assert_eq!(config.check.fail_on.as_deref(), Some("high"));
    }
}
