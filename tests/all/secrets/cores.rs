//! No core file: it would hold every secret that is in memory.

use super::scene::Scene;
use crate::process::{Server, WRAPPER};
use std::fs;
use std::os::unix::process::ExitStatusExt;

/// A crash of a process that was started where cores are wanted leaves none.
#[tokio::test]
async fn a_crash_leaves_no_core() {
    let scene = Scene::new();
    let config = scene.write("wxops.toml", scene.toml("http://127.0.0.1:1"));
    let wrapper = scene.write("wrapper", "ulimit -c unlimited 2> /dev/null || ulimit -c hard\nexec \"$@\"\n");
    let env = [(WRAPPER.to_owned(), format!("sh {wrapper}"))];
    let mut serve =
        Server::start(scene.folder.path(), &["--config", &config, "serve"], &env, "listening on http://").await;
    none_is_allowed(serve.pid());
    serve.signal("ABRT");
    let end = serve.status().await;
    assert_eq!((end.signal(), end.core_dumped()), (Some(6), false), "{}", serve.log());
    let names = fs::read_dir(scene.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let cores: Vec<_> = names.filter(|name| name.to_string_lossy().starts_with("core")).collect();
    assert!(cores.is_empty(), "{cores:?}");
}

/// The limit on core files of a process is 0, and can't be raised again.
pub fn none_is_allowed(pid: u32) {
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(line.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{line}");
}
