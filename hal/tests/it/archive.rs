//! Files: whole or not at all, and anything else is refused by name.

use std::path::Path;

use hal::archive::{self, Archive, ArchiveError};
use hal::coord::FpgaOnWafer;
use hal::wafer::{ConfigurationWords, PlaybackWords};

fn words() -> ConfigurationWords {
    let words = (0..1000).map(|i: u64| i.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
    ConfigurationWords { by_fpga: [(FpgaOnWafer::new::<12>(), words)].into() }
}

fn read(bytes: &[u8]) -> Result<ConfigurationWords, ArchiveError> {
    archive::from_bytes(Path::new("some/file"), bytes)
}

#[test]
fn a_file_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("words");
    archive::write(&path, &words()).unwrap();
    assert_eq!(archive::read::<ConfigurationWords>(&path).unwrap(), words());
    let other = ConfigurationWords::default();
    archive::write(&path, &other).unwrap();
    assert_eq!(archive::read::<ConfigurationWords>(&path).unwrap(), other);
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 1, "no part of a file is left behind");
}

#[test]
fn truncated_files_are_refused_by_name() {
    let bytes = archive::to_bytes(&words()).unwrap();
    for cut in 0..bytes.len() {
        let error = read(&bytes[..cut]).unwrap_err();
        assert!(error.to_string().starts_with("some/file: "), "{error}");
        let expected = matches!(
            (cut, &error),
            (0..32, ArchiveError::Foreign { .. }) | (32.., ArchiveError::Damaged { .. })
        );
        assert!(expected, "cut at {cut}: {error}");
    }
}

#[test]
fn damaged_files_are_refused() {
    let bytes = archive::to_bytes(&words()).unwrap();
    for at in 20..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x10;
        assert!(matches!(read(&damaged), Err(ArchiveError::Damaged { .. })), "byte {at}");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert!(matches!(read(&longer), Err(ArchiveError::Damaged { .. })));
}

#[test]
fn foreign_files_are_refused() {
    assert!(matches!(read(b""), Err(ArchiveError::Foreign { .. })));
    let text = b"NEURON {\n\tSUFFIX hh\n\tUSEION na READ ena WRITE ina\n}\n";
    assert!(matches!(read(text), Err(ArchiveError::Foreign { .. })));
}

#[test]
fn files_of_another_kind_or_version_are_refused() {
    let playback = archive::to_bytes(&PlaybackWords::default()).unwrap();
    let error = read(&playback).unwrap_err();
    assert_eq!(error.to_string(), "some/file: holds `PLAYBACK`, expected `WORDS`");
    let mut newer = archive::to_bytes(&words()).unwrap();
    newer[16] += 1;
    let found = ConfigurationWords::VERSION + 1;
    assert!(matches!(read(&newer), Err(ArchiveError::WrongVersion { found: f, .. }) if f == found));
}

#[test]
fn a_missing_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing");
    let error = archive::read::<ConfigurationWords>(&path).unwrap_err();
    assert!(error.to_string().starts_with(path.to_str().unwrap()), "{error}");
    let error = archive::write(&path.join("below"), &words()).unwrap_err();
    assert!(matches!(error, ArchiveError::Io { .. }));
}
