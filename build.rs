//! Tells `--version` the commit and the target. It never fails the build.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=WXOPS_COMMIT");
    // A debug build is not made anew for each commit, so its commit may be an older one.
    if std::env::var("PROFILE").as_deref() == Ok("release") {
        for name in ["HEAD", "logs/HEAD"] {
            if let Some(path) =
                git(&["rev-parse", "--git-path", name]).filter(|path| std::path::Path::new(path).exists())
            {
                println!("cargo:rerun-if-changed={path}");
            }
        }
    }
    let commit = std::env::var("WXOPS_COMMIT").ok().filter(|commit| !commit.is_empty());
    let commit = commit.or_else(|| git(&["rev-parse", "--short=12", "HEAD"])).unwrap_or_else(|| "unknown".into());
    println!("cargo:rustc-env=WXOPS_COMMIT={commit}");
    println!("cargo:rustc-env=WXOPS_TARGET={}", std::env::var("TARGET").unwrap_or_default());
}

fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}
