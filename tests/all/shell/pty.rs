//! A terminal: the binary's own, on which a person looks and types.

use crate::process::{self, Outcome};
use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::process::Child;

/// A binary on a terminal.
pub struct Pty {
    child: Child,
    keys: File,
    screen: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
    start: Instant,
}

impl Pty {
    /// Starts it with stdin, stdout and stderr on a terminal of its own, as its controlling one.
    pub fn start(folder: &Path, args: &[&str], env: &[(&str, &str)]) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&master).and_then(|()| unlockpt(&master)).expect("ours");
        let name = ptsname(&master, Vec::new()).expect("its name");
        let other = || -> OwnedFd { open(&name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).expect("its other end") };
        let mut all = vec![(process::WRAPPER, "setsid --ctty"), ("TERM", "xterm-256color"), ("NO_COLOR", "")];
        all.extend(env);
        let all: Vec<_> = all.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let start = Instant::now();
        let mut command = process::command(folder, args, &all);
        let child = command.stdin(other()).stdout(other()).stderr(other()).spawn().expect("setsid is there");
        // What it holds of the terminal goes with it, so that the end is seen.
        drop(command);
        let keys = File::from(master);
        let screen = Arc::<Mutex<Vec<u8>>>::default();
        let (mut from, to) = (keys.try_clone().expect("a second handle"), screen.clone());
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // The terminal of a child that has gone reads as an error.
            while let Ok(count @ 1..) = from.read(&mut bytes) {
                to.lock().unwrap().extend_from_slice(&bytes[..count]);
            }
        });
        Pty { child, keys, screen, reader, start }
    }

    /// All that was shown so far.
    pub fn shown(&self) -> String {
        String::from_utf8_lossy(&self.screen.lock().unwrap()).into_owned()
    }

    /// Waits until the terminal shows this; how long after the start that was.
    pub async fn until(&self, words: &str) -> Duration {
        let end = self.start + crate::stage::PATIENCE;
        while !self.shown().contains(words) {
            assert!(Instant::now() < end, "no `{words}` on the terminal: {:?}", self.shown());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        self.start.elapsed()
    }

    /// Types keys; `\x03` is Ctrl-C.
    pub fn keys(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("the terminal is open");
    }

    /// Waits for the end; both streams are on the screen.
    pub async fn end(mut self) -> Outcome {
        let ended = tokio::time::timeout(crate::stage::PATIENCE, self.child.wait()).await;
        let status = ended.unwrap_or_else(|_| panic!("it goes on: {:?}", self.shown())).expect("our own child");
        // The other ends are closed with the child: the reader comes to its end.
        let (screen, reader) = (self.screen.clone(), self.reader);
        tokio::task::spawn_blocking(|| reader.join()).await.expect("it runs").expect("it does not panic");
        let stdout = String::from_utf8_lossy(&screen.lock().unwrap()).into_owned();
        Outcome { code: status.code(), stdout, stderr: String::new() }
    }
}
