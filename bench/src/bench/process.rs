//! Whole processes, measured from outside: wall and processor time and peak memory of a command and all it started.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

use crate::{Context, workload};

/// The first argument by which this program measures one command in a process of its own.
const MEASURE: &str = "--measure-one";

/// What one run of a command took.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Figures {
    /// Seconds on the wall.
    pub(crate) wall: f64,
    /// Processor seconds, user and system.
    cpu: f64,
    /// Peak resident memory in MiB.
    peak: f64,
    /// Exit code; none where the command was stopped at its time limit.
    code: Option<i32>,
}

/// Where this process was started only to measure a command: does it, and says how it went.
pub(crate) fn measured_child() -> Option<Result<(), String>> {
    let mut arguments = std::env::args_os().skip(1);
    (arguments.next()? == MEASURE).then(|| measure_here(&arguments.collect::<Vec<_>>()))
}

/// The first word is the time limit in seconds, the others are the command.
fn measure_here(words: &[OsString]) -> Result<(), String> {
    let [limit, program, arguments @ ..] = words else { return Err("no command to measure".into()) };
    let limit: f64 = limit.to_str().and_then(|text| text.parse().ok()).ok_or("no time limit")?;
    let start = Instant::now();
    let mut child = Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("starting {}: {error}", program.display()))?;
    let status = wait(&mut child, limit).map_err(|error| format!("waiting for {}: {error}", program.display()))?;
    let wall = start.elapsed().as_secs_f64();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|error| format!("reading resource usage: {error}"))?;
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    let figures = Figures {
        wall,
        cpu: seconds(usage.user_time()) + seconds(usage.system_time()),
        peak: usage.max_rss() as f64 / 1024.0,
        code: status.and_then(|status| status.code()),
    };
    println!("{}", serde_json::to_string(&figures).map_err(|error| error.to_string())?);
    Ok(())
}

/// Waits for the end of `child`; past the limit it is stopped and there is no status.
fn wait(child: &mut Child, limit: f64) -> std::io::Result<Option<ExitStatus>> {
    let start = Instant::now();
    while start.elapsed().as_secs_f64() < limit {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        // Short against what is measured: the quickest command takes several milliseconds.
        std::thread::sleep(Duration::from_micros(200));
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}

/// The run of median time on the wall among `runs`.
pub(crate) fn measure(program: &Path, arguments: &[&str], runs: usize) -> Result<Figures, String> {
    measure_within(f64::MAX, program, arguments, runs)
}

pub(crate) fn measure_within(limit: f64, program: &Path, arguments: &[&str], runs: usize) -> Result<Figures, String> {
    let all = (0..runs).map(|_| once(limit, program, arguments)).collect::<Result<Vec<_>, _>>()?;
    median(all)
}

/// Two commands in turns, so that a slow minute of the machine slows both.
pub(crate) fn measure_in_turns(
    program: &Path,
    [first, second]: [&[&str]; 2],
    runs: usize,
) -> Result<[Figures; 2], String> {
    let (mut ones, mut others) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        ones.push(once(f64::MAX, program, first)?);
        others.push(once(f64::MAX, program, second)?);
    }
    Ok([median(ones)?, median(others)?])
}

fn median(mut all: Vec<Figures>) -> Result<Figures, String> {
    all.sort_by(|a, b| a.wall.total_cmp(&b.wall));
    all.get(all.len() / 2).copied().ok_or_else(|| "no runs".into())
}

fn once(limit: f64, program: &Path, arguments: &[&str]) -> Result<Figures, String> {
    let this = std::env::current_exe().map_err(|error| format!("finding this program: {error}"))?;
    let output = Command::new(&this)
        .arg(MEASURE)
        .arg(limit.to_string())
        .arg(program)
        .args(arguments)
        .output()
        .map_err(|error| format!("measuring {}: {error}", program.display()))?;
    serde_json::from_slice(&output.stdout).map_err(|error| {
        format!("measuring {}: {error}: {}", program.display(), String::from_utf8_lossy(&output.stderr))
    })
}

pub(crate) fn row(what: &str, figures: Figures) {
    let end = figures.code.map_or("stopped at the limit".into(), |code| format!("exit {code}"));
    println!("{what:<52} {:>9.3} s wall {:>9.3} s cpu {:>9.1} MiB  {end}", figures.wall, figures.cpu, figures.peak);
}

pub(crate) fn text(path: &Path) -> String {
    path.display().to_string()
}

/// The whole Kyverno corpus through `palisade test`.
pub(crate) fn corpus(context: &Context) -> Result<(), String> {
    let folder = context.corpora.join("kyverno-policies");
    if !folder.exists() {
        println!("skipped: `{}` is absent", folder.display());
        return Ok(());
    }
    for threads in ["1", "2"] {
        let figures = measure(&context.palisade, &["test", &text(&folder), "--compat", "--jobs", threads], 5)?;
        row(&format!("palisade test kyverno-policies, {threads} threads"), figures);
    }
    Ok(())
}

/// `check` over growing numbers of manifests and policies, on one thread.
pub(crate) fn check(context: &Context) -> Result<(), String> {
    let sizes: &[usize] = if context.quick { &[1, 100, 1_000] } else { &[1, 100, 10_000] };
    for &number in sizes {
        for rules in [1, 20, 200] {
            let (manifests, policies) = inputs(context, number, rules)?;
            let figures = measure(
                &context.palisade,
                &["check", &manifests, "-p", &policies, "--jobs", "1", "--format", "json"],
                3,
            )?;
            row(&format!("palisade check, {number} manifests, {rules} policies"), figures);
        }
    }
    Ok(())
}

fn inputs(context: &Context, manifests: usize, policies: usize) -> Result<(String, String), String> {
    let manifests = workload::manifests(&context.work, manifests)?;
    let policies = workload::policies(&context.work, policies)?;
    Ok((text(&manifests), text(&policies)))
}

/// One thread against two.
pub(crate) fn threads(context: &Context) -> Result<(), String> {
    let number = if context.quick { 1_000 } else { 10_000 };
    let (manifests, policies) = inputs(context, number, 200)?;
    let arguments = |threads| ["check", &manifests, "-p", &policies, "--jobs", threads, "--format", "json"];
    let [one, two] = measure_in_turns(&context.palisade, [&arguments("1"), &arguments("2")], 7)?;
    for (threads, figures) in [(1, one), (2, two)] {
        row(&format!("palisade check, {number} manifests, {threads} threads"), figures);
        println!("  {:.0} manifests/s", number as f64 / figures.wall);
    }
    println!("two threads: {:.2} times one", one.wall / two.wall);
    Ok(())
}

/// Palisade and Kyverno on the same files, one after the other. Kyverno is stopped once it has taken so much longer
/// that the answer is known.
pub(crate) fn kyverno(context: &Context) -> Result<(), String> {
    let Some(kyverno) = context.peer("kyverno") else { return Ok(()) };
    let sizes: &[(usize, usize)] = if context.quick { &[(100, 20)] } else { &[(100, 20), (1_000, 20), (10_000, 200)] };
    for &(number, rules) in sizes {
        let (manifests, policies) = inputs(context, number, rules)?;
        let ours = measure(&context.palisade, &["check", &manifests, "-p", &policies, "--format", "json"], 3)?;
        row(&format!("palisade check, {number} manifests, {rules} policies"), ours);
        let limit = (ours.wall * 40.0).max(120.0);
        let theirs = measure_within(limit, &kyverno, &["apply", &policies, "-r", &manifests], 1)?;
        row(&format!("kyverno apply, {number} manifests, {rules} policies"), theirs);
        compare(ours, theirs);
    }
    Ok(())
}

/// How much better `ours` is than `theirs`, which may have been stopped at its limit.
pub(crate) fn compare(ours: Figures, theirs: Figures) {
    let least = if theirs.code.is_none() { "at least " } else { "" };
    println!(
        "palisade: {least}{:.1} times faster on the wall, {least}{:.1} times less processor time, {:.3} of the memory",
        theirs.wall / ours.wall,
        theirs.cpu / ours.cpu,
        ours.peak / theirs.peak
    );
}
