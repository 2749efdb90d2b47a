//! Rego beside Conftest, OPA and Gatekeeper's `gator`: the same rules over the same files, one after the other.

use std::fs;
use std::path::PathBuf;

use palisade_model::Value;

use crate::process::{Figures, compare, measure, measure_in_turns, measure_within, row, text};
use crate::{Context, workload};

/// Rules of the Rego workload.
const RULES: usize = 60;
/// A peer is stopped here, in seconds.
const LIMIT: f64 = 300.0;

/// Many files through `check` and through `conftest test`.
pub(crate) fn conftest(context: &Context) -> Result<(), String> {
    let Some(conftest) = context.peer("conftest") else { return Ok(()) };
    let number = if context.quick { 100 } else { 1_000 };
    let (manifests, rules) = (text(&workload::manifests(&context.work, number)?), rules(context)?);
    let two = check(context, &manifests, &format!("{number} manifests"))?;
    let theirs = measure_within(LIMIT, &conftest, &["test", &manifests, "-p", &rules, "-o", "json"], 1)?;
    row(&format!("conftest test, {number} manifests, {RULES} rules"), theirs);
    compare(two, theirs);
    Ok(())
}

/// Many reviews in one process: `check` over files, `opa eval` over one array of the same objects, `opa exec` over the files.
pub(crate) fn opa(context: &Context) -> Result<(), String> {
    let Some(opa) = context.peer("opa") else { return Ok(()) };
    let number = if context.quick { 1_000 } else { 10_000 };
    let (reviews, rules) = (text(&workload::reviews(&context.work, number)?), rules(context)?);
    let two = check(context, &reviews, &format!("{number} JSON files"))?;
    let array = text(&array(context, number)?);
    let query = "[answer | some review in input; answer := data.main.deny with input as review]";
    let theirs = measure_within(LIMIT, &opa, &["eval", "-d", &rules, "-i", &array, query], 3)?;
    row(&format!("opa eval, {number} objects in one array, {RULES} rules"), theirs);
    compare(two, theirs);
    let exec = ["exec", "--decision", "main/deny", "--bundle", &rules, &reviews];
    let theirs = measure_within(LIMIT, &opa, &exec, 3)?;
    row(&format!("opa exec, {number} JSON files, {RULES} rules"), theirs);
    compare(two, theirs);
    Ok(())
}

/// Constraint templates through `check` and through `gator test`.
pub(crate) fn gator(context: &Context) -> Result<(), String> {
    let Some(gator) = context.peer("gator") else { return Ok(()) };
    let number = if context.quick { 100 } else { 1_000 };
    let manifests = text(&workload::manifests(&context.work, number)?);
    let templates = text(&workload::templates(&context.work, 20)?);
    let arguments = ["check", &manifests, "-p", &templates, "--format", "json"];
    let ours = measure(&context.palisade, &arguments, 3)?;
    row(&format!("palisade check, {number} manifests, 20 templates"), ours);
    let theirs = measure_within(LIMIT, &gator, &["test", "-f", &manifests, "-f", &templates, "-o", "json"], 1)?;
    row(&format!("gator test, {number} manifests, 20 templates"), theirs);
    compare(ours, theirs);
    Ok(())
}

/// One thread against two; the figures of two.
fn check(context: &Context, folder: &str, what: &str) -> Result<Figures, String> {
    let rules = rules(context)?;
    let arguments = |threads| ["check", folder, "-p", &rules, "--jobs", threads, "--format", "json"];
    let [one, two] = measure_in_turns(&context.palisade, [&arguments("1"), &arguments("2")], 7)?;
    for (threads, figures) in [(1, one), (2, two)] {
        row(&format!("palisade check, {what}, {RULES} Rego rules, {threads} threads"), figures);
    }
    println!("two threads: {:.2} times one", one.wall / two.wall);
    Ok(two)
}

fn rules(context: &Context) -> Result<String, String> {
    Ok(text(&workload::rego(&context.work, RULES)?))
}

/// The objects as one JSON array in a file; made on first use.
fn array(context: &Context, number: usize) -> Result<PathBuf, String> {
    let path = context.work.join(format!("reviews-{number}.json"));
    if !path.exists() {
        let array = Value::array((0..number).map(workload::object).collect::<Vec<_>>());
        fs::write(&path, array.to_json()).map_err(|error| format!("writing `{}`: {error}", path.display()))?;
    }
    Ok(path)
}
