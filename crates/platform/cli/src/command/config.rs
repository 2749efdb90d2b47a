//! `palisade config show`: the settings in force, and where each comes from.

use std::fmt::Write as _;

use palisade_config::{InForce, Origin, quoted};

use super::output::write_to;
use crate::args::Global;
use crate::config::{Config, sections, state_folder};
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
        /// Say where each setting comes from: file and line, environment or default; a flag of a command wins over all
        #[arg(long)]
        origin: bool,
    },
}

/// Runs the command.
pub(crate) fn run(args: &Args, global: &Global) -> Result<Outcome, Failure> {
    let Action::Show { origin } = args.action;
    let config = Config::load(global)?;
    let text = show(in_force(&config, |name| std::env::var(name).ok()), origin);
    write_to(None, |out| out.write_all(visible(&text).as_bytes()))?;
    Ok(Outcome::quiet())
}

/// The keys in force. The state folder of the environment counts only where the file names none.
fn in_force(config: &Config, variable: impl Fn(&str) -> Option<String>) -> Vec<InForce> {
    let mut found = config.document.in_force(&sections(), variable);
    let data = found.iter_mut().find(|found| found.key == "server.data" && found.origin == Origin::Default);
    if let (Some(data), Some(folder)) = (data, state_folder()) {
        data.value = quoted(&folder.to_string_lossy());
        data.origin = Origin::Variable("XDG_STATE_HOME");
    }
    found
}

fn show(found: Vec<InForce>, origin: bool) -> String {
    let lines: Vec<_> =
        found.into_iter().map(|found| (format!("{} = {}", found.key, found.value), found.origin)).collect();
    let width = lines.iter().map(|(line, _)| line.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for (line, from) in lines {
        let _ = if origin { writeln!(text, "{line:width$}  # {from}") } else { writeln!(text, "{line}") };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Check;
    use std::path::Path;

    #[test]
    fn each_setting_says_where_it_comes_from() {
        let text = "[check]\npolicies = [\n  'a',\n  'b',\n]\nfail-on = 'high'\n[severity]\n'x/y' = 'low'\n\
                    [[override]]\nmode = 'warn'\n[store]\nurl = 'postgres://me:hush@db/palisade'\n";
        let config = Config::parse(Path::new("palisade.toml"), text).unwrap();
        let variable = |name: &str| (name == "PALISADE_FAIL_ON").then(|| "never".to_owned());
        let shown = show(in_force(&config, variable), true);
        let lines: Vec<_> = shown.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        for line in [
            "check.policies = [ 'a', 'b', ] # palisade.toml:2",
            "check.fail-on = \"never\" # PALISADE_FAIL_ON",
            "check.severity = \"info\" # default",
            "check.waivers = \".palisade/waivers.yaml\" # default",
            "severity.\"x/y\" = 'low' # palisade.toml:8",
            "override[0].mode = 'warn' # palisade.toml:10",
            "server.api.listen = \"127.0.0.1:8420\" # default",
            "store.url = \"postgres://me:***@db/palisade\" # palisade.toml:12",
            "store.decision-days = 30 # default",
            "identity.token-lifetime = \"8760h\" # default",
        ] {
            assert!(lines.iter().any(|shown| shown == line), "{line} is not in\n{shown}");
        }
        assert!(!shown.contains("hush"));
    }

    /// What one version prints, the same version reads.
    #[test]
    fn what_is_shown_can_be_read() {
        let shown = show(in_force(&Config::default(), |_| None), false);
        Config::parse(Path::new("shown.toml"), &shown).map_err(|_| shown).unwrap();
    }

    /// The variables that the commands read are those that the declarations name.
    #[test]
    fn variables_are_declared() {
        use clap::CommandFactory as _;
        let root = crate::args::Cli::command();
        let check = root.get_subcommands().find(|command| command.get_name() == "check").unwrap();
        let mut read: Vec<_> =
            check.get_arguments().filter_map(clap::Arg::get_env).filter_map(|env| env.to_str()).collect();
        let mut declared: Vec<_> = Check::TABLE.keys.iter().filter_map(|key| key.variable).collect();
        read.sort_unstable();
        declared.sort_unstable();
        assert_eq!(read, declared);
    }
}
