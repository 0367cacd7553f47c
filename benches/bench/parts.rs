//! What is measured beside the whole, each in a process of its own: the door that stores nothing (c), the
//! group commit without a door (d), and the least a server can do, for the load's own ceiling.

use super::outcome::Outcome;
use super::sealed::{CONNECTIONS, Choice};
use super::under::{Cpu, Told};
use crate::load::events::Events;
use crate::signer::{self, Keys};
use ring::hmac;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::watch;
use wxops::domain::account::{Access, AesKey, Mode, Official, Platform};
use wxops::domain::event::{Element, Event};
use wxops::domain::secret::Secret;
use wxops::error::Result;
use wxops::events;
use wxops::serve::{self, Keep, Refused, Seen};
use wxops::store::{Arrival, Options, Store, Stored};
use wxops::wire::dedupe::dedupe_key;

/// (c): verifies, decrypts, parses, hashes, and keeps nothing.
#[derive(Clone)]
struct Nothing(Arc<(Arc<Official>, hmac::Key)>);

impl Keep for Nothing {
    fn account(&self, _: Option<&str>) -> Option<Arc<Official>> {
        Some(self.0.0.clone())
    }
    async fn keep(&self, _: Arrival) -> Result<Stored> {
        Ok(Stored::New)
    }
    fn dedupe(&self) -> &hmac::Key {
        &self.0.1
    }
    fn window(&self) -> Option<i64> {
        None
    }
    fn now(&self) -> chrono::DateTime<chrono::Utc> {
        chrono::Utc::now()
    }
    fn refused(&self, refused: Refused) {
        panic!("the load is honest, but {} refused it: {}", refused.account, refused.refusal.reason);
    }
    fn acknowledged(&self, _: &str, _: &Event, _: &Seen, _: Stored, _: Duration) {}
}

/// Serves (c) until it is killed.
pub async fn door() {
    let keys = Keys::default();
    let account = Official {
        access: Access::new(Platform::Official, "main", &keys.app_id, ""),
        tokens: vec![Secret::new(keys.token)],
        aes_keys: vec![AesKey::parse(&keys.aes_key).expect("the vectors' key")],
        mode: Mode::Secure,
        original_id: Some(keys.original_id),
        replies: Default::default(),
    };
    let listener = listener().await;
    let routes = serve::callbacks(Nothing(Arc::new((Arc::new(account), key()))));
    let (_stop, never) = watch::channel(false);
    serve::listen(listener, routes, never, Duration::ZERO).await;
}

/// Answers 200 to whatever comes in one piece with its head, until it is killed.
pub async fn ceiling() {
    let listener = listener().await;
    while let Ok((mut stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            let mut buffer = vec![0; 64 * 1024];
            let mut filled = 0;
            while let Ok(read @ 1..) = stream.read(&mut buffer[filled..]).await {
                filled += read;
                if whole(&buffer[..filled]) {
                    filled = 0;
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
                }
            }
        });
    }
}

fn whole(request: &[u8]) -> bool {
    request.ends_with(b"</xml>")
}

async fn listener() -> TcpListener {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    println!("listening on http://{}", listener.local_addr().expect("bound"));
    listener
}

fn key() -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, &[7; 32])
}

/// (d): so many arrivals, made ahead, for so long at the most, [`CONNECTIONS`] of them in flight.
pub async fn commits(url: &str, seconds: u64, count: u64) {
    let options = Options { migrate: true, create: true, zone: None };
    let store = Store::open(&Secret::new(url), options).await.expect("the database opens");
    store.migrate().await.expect("the schema");
    let account: Arc<str> = "main".into();
    store.enter_account(&account, "official", "wx").await.expect("the account");
    let arrivals = arrivals(&account, count);
    let choice = Arc::new(Mutex::new(Choice::new(arrivals.len(), Duration::from_secs(seconds))));
    let before = Cpu::now(std::process::id());
    let start = Instant::now();
    let tasks: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (store, arrivals, choice) = (store.clone(), arrivals.clone(), choice.clone());
            tokio::spawn(async move {
                let mut latencies = Vec::new();
                let mut failed = 0;
                loop {
                    let next = choice.lock().expect("nobody panics").next();
                    let Some(number) = next else { break (latencies, failed) };
                    let start = Instant::now();
                    match store.arrive(arrivals[number].clone()).await {
                        Ok(_) => latencies.push(start.elapsed().as_micros() as u32),
                        Err(_) => failed += 1,
                    }
                }
            })
        })
        .collect();
    let mut latencies = Vec::new();
    let mut failed = 0;
    for task in tasks {
        let (more, wrong) = task.await.expect("no task panics");
        latencies.extend(more);
        failed += wrong;
    }
    let elapsed = start.elapsed();
    let ([server, database, _], busy) = Cpu::now(std::process::id()).since(&before);
    let begun = choice.lock().expect("nobody panics").begun();
    let outcome = Outcome::new(latencies, begun, failed, elapsed);
    Told { outcome, cpu_s: [server, database, 0.0], busy }.tell();
}

/// The mix of the load, verified and parsed. The tree of the message is dropped: the store does not look at it.
fn arrivals(account: &Arc<str>, count: u64) -> Arc<[Arrival]> {
    let events = Events::new(&Keys::default().original_id, signer::now() - 86_400, Vec::new());
    let key = key();
    (0..count)
        .map(|number| {
            let raw = events.at(number).xml;
            let mut event = wxops::wire::push::read(&raw).expect("a message of the load");
            let key = dedupe_key(&key, account, &event);
            event.root = Element::default();
            let acts = events::handles(event.kind);
            Arrival::new(account.clone(), key, event, raw, chrono::Utc::now()).acting(acts)
        })
        .collect()
}
