//! Archives that are read, and those that are refused.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, Header};

use super::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An archive of entries: name, type, content. The name is written as it is, whatever the crate would say of it.
fn packed(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (name, kind, bytes) in entries {
        let mut header = Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        builder.append(&header, *bytes).unwrap();
    }
    gzip(&builder.into_inner().unwrap())
}

fn refused(bytes: &[u8], limits: &Limits) -> ArchiveError {
    files(bytes, limits).unwrap_err()
}

fn damage(bytes: &[u8]) -> String {
    match refused(bytes, &Limits::default()) {
        ArchiveError::Damaged(message) => message,
        ArchiveError::TooLarge(message) => panic!("{message}"),
    }
}

#[test]
fn files_have_clean_paths_and_folders_are_passed_over() {
    let archive = packed(&[
        ("./a/b.txt", EntryType::Regular, b"one"),
        ("a/", EntryType::Directory, b""),
        ("old/", EntryType::Regular, b""),
        ("global", EntryType::XGlobalHeader, b"12 comment=x"),
        ("/c", EntryType::Continuous, b""),
    ]);
    let read = files(&archive, &Limits::default()).unwrap();
    let read: Vec<_> = read.iter().map(|file| (&*file.path, &*file.bytes)).collect();
    assert_eq!(read, [("a/b.txt", &b"one"[..]), ("c", b"")]);
}

#[test]
fn names_beyond_the_header_are_read() {
    let long = format!("{}/data.json", "folder".repeat(50));
    let mut builder = Builder::new(Vec::new());
    let mut header = Header::new_gnu();
    header.set_size(2);
    builder.append_data(&mut header, &long, &b"{}"[..]).unwrap();
    builder.append_pax_extensions([("path", "from/pax.json".as_bytes())]).unwrap();
    header.set_path("short").unwrap();
    header.set_cksum();
    builder.append(&header, &b"[]"[..]).unwrap();
    let read = files(&gzip(&builder.into_inner().unwrap()), &Limits::default()).unwrap();
    assert_eq!(read.iter().map(|file| &*file.path).collect::<Vec<_>>(), [&*long, "from/pax.json"]);
}

#[test]
fn what_is_no_plain_file_or_leads_out_is_refused() {
    assert_eq!(damage(b"PK"), "the file is not compressed with gzip");
    assert_eq!(damage(&packed(&[("a", EntryType::Symlink, b"")])), "`a` is a link");
    assert_eq!(damage(&packed(&[("a", EntryType::Link, b"")])), "`a` is a link");
    for kind in [EntryType::Fifo, EntryType::Char, EntryType::Block, EntryType::GNUSparse] {
        assert!(!damage(&packed(&[("a", kind, b"")])).is_empty());
    }
    for path in ["../a", "a/../../b", "c:\\a", "a\\b", "."] {
        let said = damage(&packed(&[(path, EntryType::Regular, b"")]));
        assert_eq!(said, format!("the path `{}` leads out of the archive", path.escape_debug()));
    }
}

#[test]
fn what_is_cut_off_or_damaged_is_refused() {
    let whole = packed(&[("a", EntryType::Regular, &[b' '; 5000])]);
    assert_eq!(damage(whole.get(..whole.len() - 20).unwrap()), CUT_OFF);
    let mut header = Header::new_ustar();
    header.set_path("a").unwrap();
    header.set_size(900);
    header.set_cksum();
    let alone = header.as_bytes();
    assert_eq!(damage(&gzip(alone)), CUT_OFF);
    assert!(damage(&gzip(&alone[..300])).starts_with("the archive is damaged: "));
    assert!(damage(&gzip(&[1; 512])).starts_with("the archive is damaged: "));
}

#[test]
fn limits_hold_before_memory_is_taken() {
    let limits = Limits { max_bytes: 5000, max_files: 1 };
    let two = |size: usize| {
        let bytes = vec![b' '; size];
        packed(&[("a", EntryType::Regular, &bytes), ("b", EntryType::Regular, &bytes)])
    };
    let too_large = |message: &str| ArchiveError::TooLarge(message.to_owned());
    assert_eq!(refused(&two(9), &limits), too_large("the archive holds more than 1 entries"));
    let many = Limits { max_files: 9, ..limits };
    assert_eq!(refused(&two(3000), &many), too_large("the archive unpacks to more than 5000 bytes"));
    assert_eq!(refused(&two(6000), &many), too_large("`a` is larger than 5000 bytes"));
    let mut header = Header::new_ustar();
    header.set_path("a").unwrap();
    header.set_size(1 << 32);
    header.set_cksum();
    assert_eq!(refused(&gzip(header.as_bytes()), &Limits::default()), too_large("`a` is larger than 268435456 bytes"));
}
