//! For people at a terminal: each finding with its excerpt.

use std::io::{self, Write};

use super::Report;
use crate::render;

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for finding in &report.findings {
        writeln!(out, "{}\n", render::finding(finding))?;
    }
    Ok(())
}
