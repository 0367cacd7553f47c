//! What systemd's watchdog hears: as long as we live, and not when a write hangs in the disk.

use crate::faults::{Stall, fault_stories};
use crate::http::{self, Connection};
use crate::messages::{OPENID, text};
use crate::rows::{Db, skip};
use crate::signer;
use crate::slow_disk::compiled;
use crate::stage::{Stage, until};
use crate::stories::tell;
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

fault_stories! {
    a_database_that_is_away_is_no_reason_to_be_killed,
}

/// What systemd wants to hear from within.
const WATCHDOG: Duration = Duration::from_millis(1000);

/// Stands for systemd's end of the notify socket.
struct Systemd(UnixDatagram);

impl Systemd {
    fn before(stage: &mut Stage) -> Self {
        let path = stage.folder().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_nonblocking(true).unwrap();
        stage.env.push(("NOTIFY_SOCKET".into(), path.to_str().unwrap().into()));
        stage.env.push(("WATCHDOG_USEC".into(), WATCHDOG.as_micros().to_string()));
        Systemd(socket)
    }

    /// What was said since the last time.
    fn heard(&self) -> String {
        let (mut all, mut buffer) = (String::new(), [0; 4096]);
        while let Ok(count) = self.0.recv(&mut buffer) {
            all += &format!("{}\n", String::from_utf8_lossy(&buffer[..count]));
        }
        all
    }

    /// The longest time without WATCHDOG=1 from now on.
    async fn longest_silence(&self, watch: Duration) -> Duration {
        let (start, mut last, mut longest) = (Instant::now(), Instant::now(), Duration::ZERO);
        while start.elapsed() < watch {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if self.heard().contains("WATCHDOG=1") {
                last = Instant::now();
            }
            longest = longest.max(last.elapsed());
        }
        longest
    }
}

/// Away, or locked by somebody else: a restart would not mend it.
async fn a_database_that_is_away_is_no_reason_to_be_killed(mut stage: Stage) {
    let systemd = Systemd::before(&mut stage);
    let stall = Stall::before(&mut stage).await;
    let serve = stage.serve().await;
    stall.begin();
    let message = text(OPENID, "meanwhile", 1);
    let (silence, _) = tokio::join!(systemd.longest_silence(Duration::from_secs(8)), serve.push(&message));
    assert!(silence < WATCHDOG, "systemd would have killed it after {silence:?}\n{}", serve.log());
    stall.end();
}

/// The thread that writes to the file does not come back from fsync: systemd is to start another process. Until then
/// SIGTERM ends it in time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_that_hangs_in_the_disk_is_told_to_systemd() {
    let story = "ordeal::watchdog::a_writer_that_hangs_in_the_disk_is_told_to_systemd";
    tell(Stage::new(Db::Sqlite, story), crate::faults::LIMIT, async |mut stage| {
        let Some(shim) = compiled("ill_disk", stage.folder()) else { return skip(story, "cc is not installed") };
        let systemd = Systemd::before(&mut stage);
        let hangs = stage.folder().join("hangs");
        let database = stage.folder().join("wxops.db-wal");
        for (name, path) in [("LD_PRELOAD", &shim), ("ILL_DISK", &database), ("ILL_DISK_HANGS", &hangs)] {
            stage.env.push((name.into(), path.to_str().unwrap().into()));
        }
        let mut serve = stage.serve().await;
        assert!(systemd.longest_silence(2 * WATCHDOG).await < WATCHDOG, "{}", serve.log());

        std::fs::write(&hangs, "").unwrap();
        let message = text(OPENID, "meanwhile", 1);
        let push = signer::push(&stage.keys, stage.mode, &message);
        let request = http::request("POST", &push.target("/wechat/event"), &[], &push.body);
        let mut connection = Connection::open(serve.address()).await.unwrap();
        connection.write(&request).await.unwrap();
        let silence = systemd.longest_silence(4 * WATCHDOG).await;
        assert!(silence > 2 * WATCHDOG, "only {silence:?} of silence\n{}", serve.log());
        assert!(serve.log().contains("hangs in the disk"), "{}", serve.log());
        std::fs::remove_file(&hangs).unwrap();
        assert_eq!(connection.answer().await.unwrap().body.len(), 0);
        until("WATCHDOG=1 again", async || systemd.heard().contains("WATCHDOG=1").then_some(())).await;

        std::fs::write(&hangs, "").unwrap();
        connection.write(&request).await.unwrap();
        let (code, took) = serve.stop().await;
        assert!(code == Some(0) && took < Duration::from_secs(5), "exit {code:?} after {took:?}\n{}", serve.log());
    })
    .await;
}
