//! For people at a terminal: each finding with its excerpt.

use std::io::{self, Write};

use super::Report;
use crate::render;

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    report.write_findings(|finding| Ok(format!("{}\n\n", render::finding(finding)).into_bytes()), b"", out)
}
