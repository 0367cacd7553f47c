//! Disks that are full, and disks that fail. What can be made durable nowhere is refused, at once; what was
//! acknowledged before is there; nobody has to restart anything.

use super::load::{Came, Load, Pace, Sample};
use super::verdict::Verdict;
use super::{back, limit, outage};
use crate::faults::{Order, OwnMariaDb};
use crate::http;
use crate::rows::{Db, skip};
use crate::slow_disk::compiled;
use crate::stage::{Serve, Stage, until};
use crate::stories::tell;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// So many fsyncs work.
const SYNCS: &str = "40";
/// Later requests are refused within this time.
const REFUSED: Duration = Duration::from_secs(1);
/// From the mend of a disk to the first acknowledgement, and to the first event in the database.
const RECOVERED: Duration = Duration::from_secs(4);

/// Puts the ill disk of scripts/ under whatever the stage starts, for the files whose path begins so.
pub fn preload(stage: &mut Stage, shim: &Path, prefix: &Path, files: &[(&str, &Path)]) {
    for (name, path) in [("LD_PRELOAD", shim), ("ILL_DISK", prefix)].iter().chain(files) {
        stage.env.push(((*name).into(), path.to_str().expect("an ASCII path").into()));
    }
}

/// A disk that is soon full: a filesystem of a few MiB, or the ill disk for who may not mount one.
pub struct SmallDisk {
    folder: tempfile::TempDir,
    mounted: bool,
}

impl SmallDisk {
    /// An empty one of so many MiB.
    pub fn new(mib: u32) -> Self {
        let folder = tempfile::Builder::new().prefix("wxops-disk.").tempdir().expect("a temporary folder");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={mib}m,mode=700"), "wxops"]).arg(folder.path());
        let mounted = mount.output().is_ok_and(|done| done.status.success());
        SmallDisk { folder, mounted }
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// To be done before anything of the stage is started; false, loudly, where there is nothing to make it of.
    pub fn put_under(&self, stage: &mut Stage, story: &str) -> bool {
        if self.mounted {
            stage.settings += "spool_tmpfs = true\n";
            return true;
        }
        let Some(shim) = compiled("ill_disk", stage.folder()) else {
            skip(story, "a small disk can't be mounted, and cc is not installed");
            return false;
        };
        preload(stage, &shim, self.path(), &[("ILL_DISK_FULL", &self.filler())]);
        true
    }

    /// Writes until there is no room.
    pub fn fill(&self) {
        let mut file = File::create(self.filler()).expect("room for a name");
        for size in [1 << 16, 1 << 12, 1] {
            while self.mounted && file.write_all(&vec![1; size]).is_ok() {}
        }
    }

    /// There is room again.
    pub fn free(&self) {
        std::fs::remove_file(self.filler()).expect("it was filled");
    }

    fn filler(&self) -> PathBuf {
        self.path().join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        if self.mounted {
            let _ = Command::new("umount").arg("-l").arg(self.path()).status();
        }
    }
}

/// `/readyz` says that no callback can be made durable.
async fn red(serve: &Serve) {
    until("/readyz to be red", async || {
        let answer = http::get(serve.address(), "/readyz").await.ok()?;
        (answer.status == 503).then_some(())
    })
    .await;
}

/// Every request in this time got its 503 quickly.
fn refused_quickly(verdict: &mut Verdict, from: Instant, to: Instant) {
    let within = |sample: &Sample| sample.begun > from && sample.begun + sample.took < to;
    let all = verdict.count(within);
    let good = verdict.count(|one| within(one) && one.came == Came::Answer(503) && one.took <= REFUSED);
    verdict.bar(all > 0, "nothing was asked while the disk was ill");
    verdict.bar(all == good, format!("{} of {all} were not refused within {REFUSED:?}", all - good));
}

/// Waits for the first refusal.
async fn first_refusal(load: &Load) -> Instant {
    let refused = |sample: &Sample| sample.came == Came::Answer(503);
    until("the first refusal", async || load.samples().into_iter().find(refused)).await;
    Instant::now()
}

mod sqlite {
    use super::*;

    /// Database and spool are on the disk that is full.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_full_disk() {
        let fault = "disk full, and freed again";
        let disk = SmallDisk::new(12);
        tell(Stage::below(disk.path(), fault), limit(), async |mut stage| {
            if !disk.put_under(&mut stage, fault) {
                return;
            }
            let serve = stage.serve().await;
            let load = Load::start_noting_in(&stage, serve.address(), Pace::default(), &std::env::temp_dir());
            tokio::time::sleep(Duration::from_secs(1)).await;
            disk.fill();
            first_refusal(&load).await;
            red(&serve).await;
            let ill = Instant::now();
            tokio::time::sleep(outage() / 5).await;

            let end = Instant::now();
            disk.free();
            let recovered = back::until_stored(&stage, &serve, end).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
            let mut verdict = load.judge(fault, &stage).await;
            refused_quickly(&mut verdict, ill, end);
            verdict.recovered(recovered, RECOVERED);
            verdict.close(&serve);
        })
        .await;
    }

    /// From the 41st fsync on each fails, of the database as of the spool.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_disk_that_fails() {
        let fault = "EIO after the 40th fsync";
        tell(Stage::new(Db::Sqlite, fault), limit(), async |mut stage| {
            let Some(shim) = compiled("ill_disk", stage.folder()) else { return skip(fault, "cc is not installed") };
            let (folder, mended) = (stage.folder().to_owned(), stage.folder().join("mended"));
            preload(&mut stage, &shim, &folder.join("wxops.db"), &[("ILL_DISK_MENDED", &mended)]);
            stage.env.push(("ILL_DISK_SYNCS".into(), SYNCS.into()));
            let serve = stage.serve().await;
            let load = Load::start(&stage, serve.address(), Pace::default());
            first_refusal(&load).await;
            red(&serve).await;
            let ill = Instant::now();
            tokio::time::sleep(outage() / 5).await;

            let end = Instant::now();
            std::fs::write(&mended, "").unwrap();
            let recovered = back::until_stored(&stage, &serve, end).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
            let mut verdict = load.judge(fault, &stage).await;
            refused_quickly(&mut verdict, ill, end);
            verdict.recovered(recovered, RECOVERED);
            verdict.close(&serve);
        })
        .await;
    }
}

/// On MariaDB the disk of `serve` is that of the spool: it counts while the server is away.
mod mariadb {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_full_disk() {
        let fault = "server stopped, disk of the spool full, and freed again";
        let disk = SmallDisk::new(12);
        play(fault, async |stage| {
            stage.settings = format!("spool_dir = \"{}\"\n", disk.path().join("spool").display());
            disk.put_under(stage, fault).then(|| Ill {
                begin: Box::new(|| disk.fill()),
                end: Box::new(|| disk.free()),
                at_start: false,
            })
        })
        .await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_disk_that_fails() {
        let fault = "server stopped, EIO after the 40th fsync of the spool";
        play(fault, async |stage| {
            let Some(shim) = compiled("ill_disk", stage.folder()) else {
                skip(fault, "cc is not installed");
                return None;
            };
            let (folder, mended) = (stage.folder().to_owned(), stage.folder().join("mended"));
            preload(stage, &shim, &folder.join("wxops-spool"), &[("ILL_DISK_MENDED", &mended)]);
            stage.env.push(("ILL_DISK_SYNCS".into(), SYNCS.into()));
            let mend = Box::new(move || std::fs::write(&mended, "").unwrap());
            Some(Ill { begin: Box::new(|| ()), end: mend, at_start: true })
        })
        .await;
    }

    /// How a disk falls ill and is mended.
    struct Ill<'a> {
        begin: Box<dyn Fn() + 'a>,
        end: Box<dyn Fn() + 'a>,
        /// It needs no `begin`.
        at_start: bool,
    }

    /// The server stops; events are spooled; the disk of the spool falls ill; it is mended; the server goes on.
    async fn play<'a>(fault: &'static str, ill: impl AsyncFnOnce(&mut Stage) -> Option<Ill<'a>>) {
        let folder = tempfile::tempdir().unwrap();
        let Some(mut server) = OwnMariaDb::start_in(folder.path(), fault) else { return };
        let url = server.url.clone();
        let stage = async { Some(Stage::on_server(&url).await) };
        tell(stage, limit(), async |mut stage| {
            let Some(disk) = ill(&mut stage).await else { return };
            let serve = stage.serve().await;
            let load = Load::start(&stage, serve.address(), Pace::default());
            tokio::time::sleep(Duration::from_secs(1)).await;
            server.order(Order::Hang);
            if !disk.at_start {
                tokio::time::sleep(Duration::from_secs(4)).await;
            }
            (disk.begin)();
            first_refusal(&load).await;
            red(&serve).await;
            let ill = Instant::now();
            tokio::time::sleep(outage() / 5).await;

            let end = Instant::now();
            (disk.end)();
            let spooled = back::until_acknowledged(&serve, end).await;
            server.order(Order::GoOn);
            let recovered = back::until_stored(&stage, &serve, Instant::now()).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
            let mut verdict = load.judge(fault, &stage).await;
            refused_quickly(&mut verdict, ill, end);
            verdict.bar(spooled <= RECOVERED, format!("the spool took {spooled:?} to recover"));
            verdict.recovered(recovered, RECOVERED);
            verdict.close(&serve);
        })
        .await;
    }
}
