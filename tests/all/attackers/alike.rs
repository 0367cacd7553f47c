//! What is refused is refused alike: neither the answer nor its time tells how far a request got.

use super::stage;
use crate::http::{self, Connection};
use crate::messages::{OPENID, text};
use crate::signer::{self, Keys, Mode, encrypt, encrypt_padded, now, sealed};
use crate::stage::Stage;
use crate::stories::{LIMIT, tell};
use rand::seq::SliceRandom;
use std::time::{Duration, Instant};

/// Of each kind in a round.
const SAMPLES: usize = 300;
/// The usual times of kinds may differ by this part. Without equal work they differ by a multiple of it.
const APART: f64 = 0.1;
/// What others do on the machine can only make kinds differ, and never make them alike: one quiet round proves it.
const ROUNDS: usize = 6;
/// The part of the samples below the usual time. Other work on the machine only ever adds to a sample, so that the quick
/// ones say the most about the work itself.
const QUICK: usize = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_do_not_tell_how_far_they_got() {
    tell(stage("attackers::alike::refusals_do_not_tell_how_far_they_got"), LIMIT * 3, play).await;
}

/// Requests of the same length that fail at the first check, in the middle and at the last; and one that is turned away
/// before all work, to prove that the stopwatch would see a difference.
fn kinds(stage: &Stage) -> Vec<(&'static str, Vec<u8>)> {
    let keys = &stage.keys;
    let message = text(OPENID, &"x".repeat(6_000), 1);
    let right = encrypt(keys, [7; 16], message.as_bytes());
    let other_appid = Keys { app_id: "wx9999999999999999".into(), ..keys.clone() };
    let length = right.len() / 4 * 3 / 32 * 32;
    let around = |encrypt: &str| sealed(keys, Mode::Secure, encrypt, "", now());
    let zeros = "0".repeat(40);
    [
        ("a wrong signature", around(&right).set("signature", &zeros)),
        ("a wrong msg_signature", around(&right).set("msg_signature", &zeros)),
        ("a wrong padding", around(&encrypt_padded(keys, vec![0; length]))),
        ("a wrong appid", around(&encrypt(&other_appid, [7; 16], message.as_bytes()))),
        ("no nonce", around(&right).without("nonce")),
    ]
    .into_iter()
    .map(|(name, push)| (name, http::request("POST", &push.target("/wechat/event"), &[], &push.body)))
    .collect()
}

async fn play(stage: Stage) {
    let serve = stage.serve().await;
    let kinds = kinds(&stage);
    let mut connection = Connection::open(serve.address()).await.unwrap();
    let mut said = Vec::new();
    for round in 1..=ROUNDS {
        let usual_times = usual(&mut connection, &kinds).await;
        let (turned_away, refused) = usual_times.split_last().unwrap();
        let (least, most) = (refused.iter().min().unwrap(), refused.iter().max().unwrap());
        let apart = most.as_secs_f64() / least.as_secs_f64() - 1.0;
        let names = kinds.iter().map(|(name, _)| *name);
        said.push(format!("round {round}: {apart:.3} apart, {:?}", names.zip(&usual_times).collect::<Vec<_>>()));
        println!("{}", said.last().unwrap());
        if apart <= APART && turned_away.as_secs_f64() * (1.0 + 2.0 * APART) < least.as_secs_f64() {
            return;
        }
    }
    panic!("in no round alike:\n{}", said.join("\n"));
}

/// The usual time of each kind, when little else is done; they take turns in random order, so that all meet the same weather.
async fn usual(connection: &mut Connection, kinds: &[(&str, Vec<u8>)]) -> Vec<Duration> {
    let mut times = vec![Vec::with_capacity(SAMPLES); kinds.len()];
    let mut order: Vec<usize> = (0..kinds.len()).collect();
    let mut first = None;
    for _ in 0..SAMPLES {
        order.shuffle(&mut rand::rng());
        for kind in &order {
            let start = Instant::now();
            connection.write(&kinds[*kind].1).await.unwrap();
            let answer = connection.answer().await.unwrap();
            times[*kind].push(start.elapsed());
            let text = (answer.status, answer.body.clone(), without_date(&answer.headers));
            assert_eq!(&text, first.get_or_insert(text.clone()), "{}", kinds[*kind].0);
        }
    }
    times
        .into_iter()
        .map(|mut times| {
            times.sort_unstable();
            times[times.len() / QUICK]
        })
        .collect()
}

fn without_date(headers: &[(String, String)]) -> Vec<(String, String)> {
    headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("date")).cloned().collect()
}

/// Kinds of different lengths could not take the same time.
#[test]
fn the_kinds_are_of_one_length() {
    let keys = Keys::default();
    let other = Keys { app_id: "wx9999999999999999".into(), ..keys.clone() };
    let (one, another) = (encrypt(&keys, [7; 16], b"message"), encrypt(&other, [7; 16], b"message"));
    assert_eq!((one.len(), signer::signature(&["a"]).len()), (another.len(), 40));
}
