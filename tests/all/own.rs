//! The harness is held to something that is not itself.

use crate::load::events::Events;
use crate::rows::{Db, Rows};
use crate::signer::{Keys, encrypt, signature};
use crate::stage::series;

/// Values of every sort come out as text, on both.
#[tokio::test]
async fn rows_come_as_text() {
    for db in [Db::Sqlite, Db::MariaDb] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("wxops.db"), b"").unwrap();
        let Some(rows) = Rows::open(db, "rows::rows_come_as_text", folder.path()).await else { continue };
        rows.execute("CREATE TABLE t (a BIGINT, b VARCHAR(9), c BLOB, d DATETIME)").await;
        rows.execute("INSERT INTO t VALUES (7, '你好', x'00ff', '2026-11-21 08:09:10'), (-1, NULL, NULL, NULL)").await;
        let all = rows.all("SELECT a, b, HEX(c), d, a + 1 FROM t ORDER BY a DESC").await;
        let first: Vec<_> = all[0].iter().map(|value| value.as_deref().unwrap()).collect();
        assert_eq!(first, ["7", "你好", "00FF", "2026-11-21 08:09:10", "8"]);
        assert_eq!((all[1][0].as_deref(), all[1][1].as_deref(), all[1][3].as_deref()), (Some("-1"), None, None));
    }
}

/// The worked example printed in the official push guide.
#[test]
fn the_official_sample_comes_out() {
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../vectors/official-account-crypto.json")).unwrap();
    let sample = &vectors["official_sample"];
    let text = |name: &str| sample[name].as_str().unwrap().to_owned();
    let keys =
        Keys { app_id: text("appid"), token: text("token"), aes_key: text("encoding_aes_key"), ..Keys::default() };
    let random = text("random").into_bytes().try_into().unwrap();
    assert_eq!(encrypt(&keys, random, text("plain").as_bytes()), text("encrypt"));
    let (timestamp, nonce) = (text("timestamp"), text("nonce"));
    assert_eq!(signature(&[&keys.token, &timestamp, &nonce]), text("signature"));
    assert_eq!(signature(&[&keys.token, &timestamp, &nonce, &text("encrypt")]), text("msg_signature"));
}

#[test]
fn series_are_found_by_name_and_labels() {
    let page =
        "# HELP a_total x\na_total{platform=\"p\",reason=\"xml\"} 2\na_total{reason=\"slow\"} 3\nab_total 4\nb 5\n";
    assert_eq!(series(page, "a_total", &[("reason", "xml")]), [2.0]);
    assert_eq!(series(page, "a_total", &[]), [2.0, 3.0]);
    assert_eq!(series(page, "b", &[]), [5.0]);
}

#[test]
fn every_event_is_found_again_by_its_row() {
    let events = Events::new("gh_0123456789ab", 1_700_000_000, vec!["oKNOWN_Aa".into(), "oKNOWN_aA".into()]);
    for number in 0..5000 {
        let event = events.at(number);
        assert_eq!(events.number_of(&event.openid, event.kind, event.created), Some(number));
    }
    assert_eq!(events.at(7).openid, "oKNOWN_Aa");
    assert_eq!(events.number_of("oOTHER", "event.subscribe", 1_700_000_000), None);
    assert_eq!(events.number_of("oKNOWN_Aa", "message.text", 1_700_000_000), None);
    assert_eq!(events.number_of("oKNOWN_Aa", "message.text", 1_699_999_999), None);
}
