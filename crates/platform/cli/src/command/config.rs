//! `palisade config show`: the settings in force, and where each comes from.

use std::fmt::Write as _;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::output::write_to;
use crate::args::Global;
use crate::config::{Config, WAIVERS};
use crate::render::visible;
use crate::{Failure, Outcome};

/// Show the settings in force
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Print every setting as `palisade.toml` would write it
    Show {
        /// Say where each setting comes from: file and line, environment or default
        #[arg(long)]
        origin: bool,
    },
}

/// A setting that has a default or a variable of the environment. A flag of a command wins over all of them.
struct Setting {
    key: &'static str,
    variable: Option<&'static str>,
    default: &'static str,
}

const SETTINGS: [Setting; 5] = [
    Setting { key: "check.baseline", variable: Some("PALISADE_BASELINE"), default: "" },
    Setting { key: "check.fail-on", variable: Some("PALISADE_FAIL_ON"), default: "info" },
    Setting { key: "check.policies", variable: None, default: palisade_policies::packs::DEFAULT },
    Setting { key: "check.severity", variable: Some("PALISADE_SEVERITY"), default: "info" },
    Setting { key: "check.waivers", variable: Some("PALISADE_WAIVERS"), default: WAIVERS },
];

/// A line of the output.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    key: String,
    value: String,
    origin: String,
}

/// Runs the command.
pub(crate) fn run(args: &Args, global: &Global) -> Result<Outcome, Failure> {
    let Action::Show { origin } = args.action;
    let config = Config::load(global)?;
    let lines = settings(&config, |name| std::env::var(name).ok());
    let width = lines.iter().map(|line| line.key.chars().count() + line.value.chars().count() + 3).max().unwrap_or(0);
    let mut text = String::new();
    for Line { key, value, origin: from } in lines {
        let setting = format!("{key} = {value}");
        let _ = if origin { writeln!(text, "{setting:width$}  # {from}") } else { writeln!(text, "{setting}") };
    }
    write_to(None, |out| out.write_all(visible(&text).as_bytes()))?;
    Ok(Outcome::quiet())
}

/// The settings in force: those of the file, unless the environment has another word, and defaults for the rest.
fn settings(config: &Config, variable: impl Fn(&str) -> Option<String>) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(source) = &config.source
        && let Ok(table) = DeTable::parse(source.text())
    {
        leaves(table.get_ref(), "", &mut |key, value| {
            let text = source.text().get(value.span()).unwrap_or_default();
            let at = format!("{}:{}", source.name(), source.position(value.span().start).line);
            lines.push(Line { key, value: text.split_whitespace().collect::<Vec<_>>().join(" "), origin: at });
        });
    }
    for setting in SETTINGS {
        let found = setting.variable.and_then(|name| Some((name, variable(name)?)));
        let quoted = |text: &str| palisade_model::Value::from(text).to_json();
        let line = lines.iter_mut().find(|line| line.key == setting.key);
        match (line, found) {
            (Some(line), Some((name, text))) => (line.value, line.origin) = (quoted(&text), name.to_owned()),
            (Some(_), None) => {}
            (None, Some((name, text))) => {
                lines.push(Line { key: setting.key.into(), value: quoted(&text), origin: name.to_owned() });
            }
            (None, None) if setting.default.is_empty() => {}
            (None, None) => {
                lines.push(Line { key: setting.key.into(), value: quoted(setting.default), origin: "default".into() });
            }
        }
    }
    lines.sort();
    lines
}

/// Calls `visit` for every value of a table that is no table itself; tables in lists are numbered.
fn leaves(table: &DeTable<'_>, prefix: &str, visit: &mut impl FnMut(String, &Spanned<DeValue<'_>>)) {
    for (key, value) in table {
        let plain = key.get_ref().chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        let key = if plain { key.get_ref().to_string() } else { format!("{:?}", key.get_ref()) };
        let key = if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
        leaf(key, value, visit);
    }
}

fn leaf(key: String, value: &Spanned<DeValue<'_>>, visit: &mut impl FnMut(String, &Spanned<DeValue<'_>>)) {
    match value.get_ref() {
        DeValue::Table(table) => leaves(table, &key, visit),
        DeValue::Array(items) if items.iter().any(|item| matches!(item.get_ref(), DeValue::Table(_))) => {
            for (index, item) in items.iter().enumerate() {
                leaf(format!("{key}[{index}]"), item, visit);
            }
        }
        _ => visit(key, value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn each_setting_says_where_it_comes_from() {
        let text = "[check]\npolicies = [\n  'a',\n  'b',\n]\nfail-on = 'high'\n[severity]\n'x/y' = 'low'\n[[override]]\nmode = 'warn'\n";
        let config = Config::parse(Path::new("palisade.toml"), text).unwrap();
        let variable = |name: &str| (name == "PALISADE_FAIL_ON").then(|| "never".to_owned());
        let shown: Vec<_> = settings(&config, variable)
            .into_iter()
            .map(|l| format!("{} = {} # {}", l.key, l.value, l.origin))
            .collect();
        assert_eq!(
            shown,
            [
                "check.fail-on = \"never\" # PALISADE_FAIL_ON",
                "check.policies = [ 'a', 'b', ] # palisade.toml:2",
                "check.severity = \"info\" # default",
                "check.waivers = \".palisade/waivers.yaml\" # default",
                "override[0].mode = 'warn' # palisade.toml:10",
                "severity.\"x/y\" = 'low' # palisade.toml:8",
            ]
        );
    }
}
