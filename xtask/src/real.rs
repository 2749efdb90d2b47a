//! Every command over a folder of real repositories, as people meet them: what ends how, what it costs, and that no rewrite
//! takes a line away.
//!
//! Each folder below the given one is a repository. `check` runs in every format and writes a baseline; `mutate --write` runs on a
//! copy, which `git diff` compares with the original. Deliberately absent: judging the findings, which people do.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::shell::{Result, cargo};

const FORMATS: [&str; 7] = ["human", "json", "sarif", "junit", "github", "gitlab", "markdown"];
const POLICIES: &str = "pack:kubernetes";

/// Builds the command and runs it over the repositories below `arguments`' folder; the other arguments are more policies.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let (folder, policies) = arguments.split_first().ok_or("say which folder: `cargo x real DIR [POLICIES...]`")?;
    cargo(&["build", "--workspace", "--bin", "palisade"])?;
    let folder = fs::canonicalize(folder).map_err(|error| format!("opening `{folder}`: {error}"))?;
    let program = fs::canonicalize("target/debug/palisade").map_err(|error| format!("finding palisade: {error}"))?;
    let work = fs::canonicalize("target").map_err(|error| format!("finding target: {error}"))?.join("real");
    let mut repositories: Vec<PathBuf> = entries(&folder)?.into_iter().filter(|path| path.is_dir()).collect();
    repositories.sort();
    let mut lost = 0;
    for repository in &repositories {
        lost += Run { program: &program, repository, work: &work, policies }.all()?;
    }
    if lost > 0 { Err(format!("`mutate --write` has taken {lost} lines away")) } else { Ok(()) }
}

struct Run<'a> {
    program: &'a Path,
    repository: &'a Path,
    work: &'a Path,
    policies: &'a [String],
}

impl Run<'_> {
    /// Prints what every command did; the lines that were lost.
    fn all(&self) -> Result<usize> {
        crate::say(&format!("{}", self.repository.display()));
        fs::create_dir_all(self.work).map_err(|error| format!("making `{}`: {error}", self.work.display()))?;
        let out = self.work.join("out");
        for format in FORMATS {
            self.command(&["check", ".", "--format", format, "--output"], &out, self.repository)?;
        }
        self.command(&["check", ".", "--output", "/dev/null", "--write-baseline"], &out, self.repository)?;
        let copy = self.work.join("copy");
        drop(fs::remove_dir_all(&copy));
        copied(self.repository, &copy)?;
        self.command(&["mutate", "--write"], Path::new("."), &copy)?;
        let (changed, lost) = compared(self.repository, &copy)?;
        crate::say(&format!("  lines changed by mutate --write: {changed}, lost: {lost}"));
        Ok(lost)
    }

    fn command(&self, arguments: &[&str], last: &Path, within: &Path) -> Result<()> {
        let mut command = Command::new(self.program);
        command.current_dir(within).env("NO_COLOR", "1").args(arguments).arg(last);
        for policies in std::iter::once(POLICIES).chain(self.policies.iter().map(String::as_str)) {
            command.args(["-p", policies]);
        }
        let begun = Instant::now();
        let output = command.output().map_err(|error| format!("starting palisade: {error}"))?;
        let told = String::from_utf8_lossy(&output.stderr);
        let errors = told.lines().filter(|line| line.starts_with("error")).count();
        crate::say(&format!(
            "  {}: exit code {}, {errors} errors, {:.1} s",
            arguments.join(" "),
            output.status.code().map_or_else(|| "none".to_owned(), |code| code.to_string()),
            begun.elapsed().as_secs_f64(),
        ));
        // What was judged and what was not stands at the end.
        told.lines().rev().take(4).collect::<Vec<_>>().iter().rev().for_each(|line| crate::say(&format!("    {line}")));
        Ok(())
    }
}

/// Lines that were changed in their places, and lines that are gone.
fn compared(before: &Path, after: &Path) -> Result<(usize, usize)> {
    let output = Command::new("git")
        .args(["diff", "--no-index", "--no-color", "-U0"])
        .args([before, after])
        .output()
        .map_err(|error| format!("starting git: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let (mut changed, mut lost) = (0, 0);
    for hunk in text.lines().filter_map(|line| line.strip_prefix("@@ -")) {
        let mut sides = hunk.split(' ').map(|side| side.split_once(',').map_or(1, |(_, n)| n.parse().unwrap_or(0)));
        let (old, new): (usize, usize) = (sides.next().unwrap_or(0), sides.next().unwrap_or(0));
        changed += old.min(new);
        lost += old.saturating_sub(new);
    }
    Ok((changed, lost))
}

fn copied(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).map_err(|error| format!("making `{}`: {error}", to.display()))?;
    for path in entries(from)? {
        let target = to.join(path.file_name().unwrap_or_default());
        let kind = fs::symlink_metadata(&path).map_err(|error| format!("reading `{}`: {error}", path.display()))?;
        if kind.is_dir() {
            copied(&path, &target)?;
        } else if kind.is_file() {
            fs::copy(&path, &target).map_err(|error| format!("copying `{}`: {error}", path.display()))?;
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = || fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<std::io::Result<_>>();
    read().map_err(|error| format!("reading `{}`: {error}", folder.display()))
}
