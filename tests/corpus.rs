//! Every file of the fuzz corpus through the function of its target: what a fuzzer found once needs none to be found
//! again. `scripts/fuzz` looks for more.

#[path = "../fuzz/targets.rs"]
mod targets;

use std::fs;
use std::panic;
use std::path::Path;

/// Fewer files than there are now would mean that the corpus was not found.
fn every_file(target: &str, least: usize, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut ran = 0;
    for file in files {
        let path = file.expect("an entry").path();
        let data = fs::read(&path).expect("a file of ours");
        assert!(panic::catch_unwind(|| run(&data)).is_ok(), "{} makes it panic", path.display());
        ran += 1;
    }
    assert!(ran >= least, "only {ran} files in {}", folder.display());
}

#[test]
fn requests() {
    every_file("push", 100, targets::push);
}

#[test]
fn envelopes() {
    every_file("envelope", 30, targets::envelope);
}

#[test]
fn documents() {
    every_file("xml", 70, targets::xml);
}
