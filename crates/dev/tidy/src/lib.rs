//! Rules of the repository, as tests.

#![cfg(test)]

mod dependencies;
mod documents;
mod imports;
mod source;

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

fn walk(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            walk(&path, ending, found);
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
}

/// Files under these folders, with their text.
fn files(places: &[&str], ending: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for place in places {
        walk(&root().join(place), ending, &mut found);
    }
    found.sort();
    found.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

fn rust() -> Vec<(PathBuf, String)> {
    files(&["crates", "services"], ".rs")
}
