//! The documents agree with the repository, as far as a test can check.

use crate::{files, root, rust};

/// The documents for people who are new to the repository.
const DOCUMENTS: [&str; 5] = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "docs/README.md"];

/// Words in backticks that look like a path of the repository; `<noun>` stands for any name.
fn named_paths(text: &str) -> Vec<&str> {
    let words = text.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    words.filter(|word| is_path(word) && !word.starts_with('/') && !word.contains([' ', '<', '*', '…', ':'])).collect()
}

fn is_path(word: &str) -> bool {
    let folder = word.ends_with('/');
    folder || [".rs", ".md", ".toml", ".proto", ".sql", ".sh", ".lock"].iter().any(|ending| word.ends_with(ending))
}

#[test]
fn every_path_that_a_document_names_exists() {
    let all = rust().into_iter().chain(files(&["migrations"], ".sql"));
    let sources: Vec<String> = all.map(|(path, _)| path.to_string_lossy().into_owned()).collect();
    for document in DOCUMENTS {
        let text = std::fs::read_to_string(root().join(document)).unwrap();
        for path in named_paths(&text) {
            // A path such as `domain/events.rs` means that file in every service.
            let part = format!("/{path}");
            let exists = root().join(path).exists()
                || sources.iter().any(|file| file.ends_with(&part) || (part.ends_with('/') && file.contains(&part)));
            assert!(exists, "{document} names {path}, which does not exist");
        }
        let folder = root().join(document).parent().unwrap().to_owned();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            assert!(link.starts_with("http") || folder.join(link).exists(), "{document} links to {link}");
        }
    }
    let architecture = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    assert!(named_paths(&architecture).len() > 60, "the paths of ARCHITECTURE.md are not read");
}

#[test]
fn every_page_of_docs_is_listed_and_says_at_its_top_what_it_is_made_from() {
    let index = std::fs::read_to_string(root().join("docs/README.md")).unwrap();
    for entry in std::fs::read_dir(root().join("docs")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name == "README.md" {
            continue;
        }
        let row = index.lines().find(|line| line.contains(&format!("({name}")));
        let row = row.unwrap_or_else(|| panic!("docs/README.md does not list {name}"));
        if row.contains("`make ") {
            let text = std::fs::read_to_string(&path).unwrap();
            let top: String = text.lines().take(4).collect();
            assert!(top.contains("`make "), "{name} does not say at its top what it is made from");
        }
    }
}
