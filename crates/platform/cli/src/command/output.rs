//! Where a result goes: the standard output, or a file that is only replaced once it is whole.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use palisade_runtime::{Readers, replace_file};

use crate::Failure;

/// Writes a text that may be styled to `file`, or to the standard output; styles are for terminals only.
pub(super) fn write_to(
    file: Option<&Path>,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    let Some(file) = file else { return write_out(anstream::stdout().lock(), write) };
    replace(file, |out| {
        let mut plain = io::BufWriter::new(anstream::StripStream::new(out));
        write(&mut plain)?;
        plain.flush()
    })
}

/// Writes data that holds no styles and no control characters, such as JSON, as it is.
pub(super) fn write_data(
    file: Option<&Path>,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    let Some(file) = file else { return write_out(io::stdout().lock(), write) };
    replace(file, |out| {
        let mut out = io::BufWriter::new(out);
        write(&mut out)?;
        out.flush()
    })
}

fn write_out(out: impl Write, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = io::BufWriter::with_capacity(1 << 16, out);
    match write(&mut out).and_then(|()| out.flush()) {
        // A reader that has seen enough may leave; what was decided stays decided.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// Replaces `file` by way of a neighbour, so that a full disk never leaves half a file behind. A link stays a link, and
/// what is no regular file, such as a device or a pipe, is written to and not replaced.
pub(super) fn replace(file: &Path, write: impl FnOnce(fs::File) -> io::Result<()>) -> Result<(), Failure> {
    let failure = |error: io::Error| {
        Failure::new(format!("writing `{}`: {error}", file.display()), "check the folder, its permissions and the disk")
    };
    if fs::metadata(file).is_ok_and(|old| !old.is_file()) {
        return fs::OpenOptions::new().write(true).open(file).and_then(write).map_err(failure);
    }
    let file = &fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let replaced = replace_file(file, Readers::Anyone, |new| {
        write(new.try_clone()?)?;
        fs::metadata(file).map_or(Ok(()), |old| new.set_permissions(old.permissions()))
    });
    replaced.map_err(failure)
}
