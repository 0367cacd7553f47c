//! What stands around the binary: the unit, the proxies' examples, the smoke test.

use crate::rows::skip;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// The worst exposure `systemd-analyze security` may find, in tenths.
const EXPOSURE: &str = "15";

#[test]
fn the_unit_is_verified_and_hardened() {
    if !there("systemd-analyze", &["--version"]) {
        return skip("packaging::the_unit_is_verified_and_hardened", "systemd-analyze is not installed");
    }
    let folder = tempfile::tempdir().unwrap();
    let unit = fs::read_to_string(repository("systemd/wxops.service")).unwrap();
    // The binary is not where a package would put it.
    let unit = unit.replace("/usr/local/bin/wxops", env!("CARGO_BIN_EXE_wxops"));
    let path = folder.path().join("wxops.service");
    fs::write(&path, unit).unwrap();
    let path = path.to_str().unwrap();
    let verified = run("systemd-analyze", &["verify", "--man=no", path]);
    assert!(verified.status.success() && verified.stderr.is_empty(), "{verified:?}");
    let exposed = run("systemd-analyze", &["security", "--offline=true", "--threshold", EXPOSURE, path]);
    assert!(exposed.status.success(), "{}", String::from_utf8_lossy(&exposed.stdout));
}

#[test]
fn the_socket_is_verified() {
    if !there("systemd-analyze", &["--version"]) {
        return skip("packaging::the_socket_is_verified", "systemd-analyze is not installed");
    }
    let folder = tempfile::tempdir().unwrap();
    let unit = fs::read_to_string(repository("systemd/wxops.service")).unwrap();
    let unit = unit.replace("/usr/local/bin/wxops", env!("CARGO_BIN_EXE_wxops"));
    fs::write(folder.path().join("wxops.service"), unit).unwrap();
    let path = folder.path().join("wxops.socket");
    fs::copy(repository("systemd/wxops.socket"), &path).unwrap();
    let verified = run("systemd-analyze", &["verify", "--man=no", path.to_str().unwrap()]);
    assert!(verified.status.success() && verified.stderr.is_empty(), "{verified:?}");
}

#[test]
fn nginx_accepts_its_example() {
    if !there("nginx", &["-v"]) || !there("openssl", &["version"]) {
        return skip("packaging::nginx_accepts_its_example", "nginx or openssl is not installed");
    }
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (key, certificate) = (at("key.pem"), at("certificate.pem"));
    let ec = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x"];
    let made = run("openssl", &[&ec[..], &["-keyout", &key, "-out", &certificate]].concat());
    assert!(made.status.success(), "{made:?}");
    let site = fs::read_to_string(repository("examples/nginx.conf")).unwrap();
    let site = site
        .replace("/etc/ssl/certs/wx.example.com.pem", &certificate)
        .replace("/etc/ssl/private/wx.example.com.key", &key)
        .replace("/var/log/nginx/wxops.log", &at("access.log"));
    fs::write(at("site.conf"), site).unwrap();
    let whole = format!("pid {};\nevents {{}}\nhttp {{ include {}; }}\n", at("pid"), at("site.conf"));
    fs::write(at("nginx.conf"), whole).unwrap();
    let errors = at("error.log");
    let tested = run("nginx", &["-t", "-q", "-p", &at(""), "-e", &errors, "-c", &at("nginx.conf")]);
    assert!(tested.status.success() && tested.stderr.is_empty(), "{}", String::from_utf8_lossy(&tested.stderr));
}

#[test]
fn the_smoke_test_passes() {
    let start = Instant::now();
    let smoke = repository("examples/smoke.sh");
    let done = run(smoke.to_str().unwrap(), &[env!("CARGO_BIN_EXE_wxops")]);
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

pub fn there(program: &str, args: &[&str]) -> bool {
    command(program, args).output().is_ok_and(|output| output.status.success())
}

pub fn run(program: &str, args: &[&str]) -> Output {
    command(program, args).output().unwrap_or_else(|error| panic!("{program}: {error}"))
}

/// Programs of the administrator's stand in sbin, which a user's PATH need not hold.
fn command(program: &str, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    let path = std::env::var("PATH").unwrap_or_default();
    command.args(args).env("PATH", format!("{path}:/usr/local/sbin:/usr/sbin:/sbin"));
    command
}
