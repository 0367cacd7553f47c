//! Nothing answers: no platform, no database, or a database that refuses the password and quotes it.

use super::canary::core;
use super::scene::{Act, FORMS, Scene, every_verb};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_reachable() {
    let mut scene = Scene::new();
    let proxy = core("the proxy's password");
    scene.canaries.add("the proxy's password", &proxy);
    let database = database(&scene).await;
    let password = scene.canaries.value("DB_PASSWORD").to_owned();
    let url = scene.canaries.value("DATABASE_URL").to_owned();
    let escaped: String = password.bytes().map(|byte| format!("%{byte:02X}")).collect();

    let away = scene.whole("http://127.0.0.1:1");
    let proxied = format!("{away}proxy = \"http://user:{proxy}@127.0.0.1:1\"\n");
    let lookup = scene.whole(&format!("https://{}.invalid", "no-such-host"));
    let other = |url: &str| {
        away.lines()
            .map(
                |line| if line.starts_with("database_url") { format!("database_url = \"{url}\"") } else { line.into() },
            )
            .collect::<Vec<_>>()
            .join("\n")
    };
    let configs = [
        ("no platform", away.clone()),
        ("no proxy", proxied),
        ("no name", lookup),
        ("no database", other(&url)),
        ("a database that refuses", other(&format!("mysql://canary:{escaped}@{database}/canary"))),
    ];
    let migrate = scene.write("first.toml", &away);
    scene.keep_quiet(vec![Act::new("the schema", &["--config", &migrate, "db", "migrate"])]).await;
    let verbs = every_verb(scene.folder.path()).await;
    let mut acts = Vec::new();
    for (about, config) in configs {
        let config = scene.write(&format!("{about}.toml"), config);
        for (number, verb) in verbs.iter().enumerate() {
            let mut act = Act::new(about, &["--config", &config]);
            act.args.extend(verb.iter().cloned());
            act.stdin = core("nobody's token");
            acts.extend(act.in_forms(&[FORMS[number % 2], FORMS[2]]));
        }
    }
    // The parts, as many a CRM has them, with a password that needs escaping.
    let parts = ["DB_HOST", "DB_USER", "DB_NAME", "DB_PORT", "DB_PASSWORD"];
    for (host, port) in [("127.0.0.1", "1"), database.split_once(':').unwrap(), ("no such host", "3306")] {
        let values = [host, "canary", "canary", port, &password];
        let mut act = Act::new("the database's parts", &["db", "status"]);
        act.env = parts.iter().zip(values).map(|(name, value)| ((*name).to_owned(), value.to_owned())).collect();
        acts.extend(act.in_forms(&FORMS));
    }
    let ended = scene.keep_quiet(acts).await;
    let count = |code| ended.iter().filter(|(_, outcome)| outcome.code == Some(code)).count();
    assert!(count(69) > 20 && count(78) > 10, "{} and {}", count(69), count(78));
}

/// A server of MySQL's protocol that refuses every login and quotes the password that it wanted.
async fn database(scene: &Scene) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let password = scene.canaries.value("DB_PASSWORD").to_owned();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let password = password.clone();
            tokio::spawn(async move {
                let _ = refuse(stream, &password).await;
            });
        }
    });
    address
}

/// Handshake V10, then ERR 1045.
async fn refuse(mut stream: TcpStream, password: &str) -> std::io::Result<()> {
    const CAPABILITIES: u32 = 0x0008_a209;
    let mut hello = b"\x0a8.0.0\0\x01\0\0\0saltsalt\0".to_vec();
    hello.extend(&CAPABILITIES.to_le_bytes()[..2]);
    hello.extend(b"\x2d\x02\0");
    hello.extend(&CAPABILITIES.to_le_bytes()[2..]);
    hello.extend(b"\x15\0\0\0\0\0\0\0\0\0\0saltsaltsalt\0mysql_native_password\0");
    stream.write_all(&packet(0, &hello)).await?;
    let mut answer = [0; 4096];
    if stream.read(&mut answer).await? == 0 {
        return Ok(());
    }
    let words = format!("Access denied for user 'canary'@'localhost' (using password: {password})");
    let refusal = [b"\xff\x15\x04#28000", words.as_bytes()].concat();
    stream.write_all(&packet(2, &refusal)).await
}

fn packet(number: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = (payload.len() as u32).to_le_bytes()[..3].to_vec();
    bytes.push(number);
    bytes.extend(payload);
    bytes
}
