//! `tests/parts.md` says which test proves which part of an issue; here its names are held to the sources.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_named_test_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tests: Vec<_> =
        ["src", "tests"].iter().flat_map(|folder| files(&root.join(folder))).flat_map(tests_of).collect();
    let page = fs::read_to_string(root.join("tests/parts.md")).unwrap();
    let mut open = 0;
    let mut faults = Vec::new();
    for (number, part, proofs, is_open) in rows(&page) {
        open += usize::from(is_open);
        if proofs.is_empty() && !is_open {
            faults.push(format!("tests/parts.md:{number}: `{part}` names no test and does not stand below Open"));
        }
        let unknown = proofs.iter().filter(|proof| !tests.iter().any(|test| proves(proof, test)));
        faults.extend(unknown.map(|proof| format!("tests/parts.md:{number}: there is no test `{proof}`")));
    }
    println!("{open} parts are open");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn names_are_matched_by_file_and_function() {
    let test = (PathBuf::from("tests/all/callback.rs"), "handshake".to_owned());
    assert!(proves("callback.rs::handshake", &test));
    assert!(proves("all::callback::handshake", &test));
    assert!(!proves("refusals.rs::handshake", &test));
    assert!(!proves("callback.rs::handshak", &test));
    let text = "#[test]\nfn a() {}\nfn helper() {}\n#[tokio::test(flavor = \"x\")]\nasync fn b() {}\nstories! {\n    c,\n    d, // why\n}\n";
    assert_eq!(test_names(text), ["a", "b", "c", "d"]);
}

/// (line, part, tests named in backticks, stands below `Open`) of each row of each table.
fn rows(page: &str) -> Vec<(usize, String, Vec<String>, bool)> {
    let mut open = false;
    let mut rows = Vec::new();
    for (number, line) in page.lines().enumerate() {
        if let Some(heading) = line.strip_prefix('#') {
            open = heading.trim_start_matches('#').trim() == "Open";
        }
        let cells: Vec<_> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        let is_row = line.starts_with('|') && !line.contains("---") && cells[0] != "part";
        if let (true, [part, proofs]) = (is_row, &cells[..]) {
            let proofs = proofs.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            rows.push((number + 1, (*part).to_owned(), proofs, open));
        }
    }
    rows
}

/// `file.rs::function` or `path::to::function`: the function's name, in a file that the word before it names.
fn proves(proof: &str, (file, name): &(PathBuf, String)) -> bool {
    let mut words = proof.rsplit("::");
    let function = words.next().unwrap();
    let Some(place) = words.next().map(|word| word.trim_end_matches(".rs")) else { return false };
    let place = place.rsplit('/').next().unwrap();
    name == function && file.with_extension("").iter().any(|part| part == place)
}

fn tests_of(file: PathBuf) -> Vec<(PathBuf, String)> {
    test_names(&fs::read_to_string(&file).unwrap()).into_iter().map(|name| (file.clone(), name)).collect()
}

/// Macros that make a test on each database of every name they list.
const LISTS: &[&str] = &["stories! {", "fault_stories! {", "on_both! {", "ordeals! {"];

/// Functions behind `#[test]` or `#[tokio::test]`, and the names in a list of [`LISTS`].
fn test_names(text: &str) -> Vec<String> {
    let (mut names, mut marked, mut in_list) = (Vec::new(), false, false);
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            marked = true;
        } else if LISTS.iter().any(|list| line.starts_with(list)) {
            in_list = true;
        } else if in_list && line.starts_with('}') {
            in_list = false;
        } else if in_list {
            names.extend(
                line.split("//").next().unwrap().split(',').map(str::trim).filter(|n| !n.is_empty()).map(str::to_owned),
            );
        } else if let Some((_, rest)) = line.split_once("fn ").filter(|_| marked) {
            names.push(rest.split(['(', '<']).next().unwrap().to_owned());
            marked = false;
        }
    }
    names
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    found
}
