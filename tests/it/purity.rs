//! Keeps clocks, randomness and hash maps out of `protocol` and `machine`: they are `no_std`, nothing in them brings
//! `std` back, and they depend on nothing that has a clock or a source of randomness.

use std::fs;
use std::path::{Path, PathBuf};

/// What the pure crates may depend on. None of them reads a clock or rolls dice.
const PURE: [&str; 7] = [
    "agent-gateway-protocol",
    "percent-encoding",
    "serde",
    "serde_json",
    "thiserror",
    "url",
    "wide",
];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

fn sources(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else {
            let text = fs::read_to_string(&path).expect("a source");
            found.push((path, text));
        }
    }
}

#[test]
fn the_pure_crates_are_no_std_and_nothing_brings_std_back() {
    for name in ["protocol", "machine"] {
        let mut found = Vec::new();
        sources(&folder(name).join("src"), &mut found);
        let root = folder(name).join("src/lib.rs");
        let (_, root) = found
            .iter()
            .find(|(path, _)| *path == root)
            .expect("lib.rs");
        assert!(root.lines().any(|line| line == "#![no_std]"), "{name}");
        for (path, text) in &found {
            for (number, line) in text.lines().enumerate() {
                let code = line.split("//").next().unwrap_or_default();
                assert!(
                    !code.contains("std::") && !code.contains("extern crate std"),
                    "{}:{}: {line}",
                    path.display(),
                    number + 1
                );
            }
        }
    }
}

#[test]
fn the_pure_crates_depend_on_nothing_with_a_clock_or_dice() {
    for name in ["protocol", "machine"] {
        let manifest = fs::read_to_string(folder(name).join("Cargo.toml")).expect("a manifest");
        let (_, dependencies) = manifest
            .split_once("\n[dependencies]\n")
            .expect("dependencies");
        let dependencies = dependencies.split("\n[").next().unwrap_or_default();
        for line in dependencies.lines().filter(|line| !line.is_empty()) {
            let dependency = line.split(['.', ' ']).next().unwrap_or_default();
            assert!(PURE.contains(&dependency), "{name} depends on {dependency}");
        }
        let std = manifest.contains("\"std\"");
        assert!(!std, "{name} switches `std` on");
    }
}
