//! Certificates that are wrong in one thing each, made by openssl, in a server of openssl.

use super::scene::{Scene, of};
use crate::rows::skip;
use crate::stage::until;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A folder with a CA; ends its servers.
pub struct Authority {
    folder: tempfile::TempDir,
    servers: Vec<Child>,
}

impl Authority {
    /// `None`, loudly, without openssl.
    pub fn new(story: &str) -> Option<Self> {
        if !Command::new("openssl").arg("version").output().is_ok_and(|output| output.status.success()) {
            skip(story, "openssl is not installed");
            return None;
        }
        let made = Authority { folder: tempfile::tempdir().unwrap(), servers: Vec::new() };
        made.openssl("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -keyout ca.key -out ca.pem -subj /CN=wxops-test-CA");
        made.openssl(
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out csr.pem -subj /CN=localhost",
        );
        Some(made)
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A certificate of the CA for a name, that ends in so many days.
    pub fn issue(&self, certificate: &str, name: &str, days: &str) {
        std::fs::write(self.path().join("names"), format!("subjectAltName=DNS:{name}\n")).unwrap();
        self.openssl(&format!(
            "x509 -req -in csr.pem -CA ca.pem -CAkey ca.key -CAcreateserial -extfile names -days {days} -out {certificate}"
        ));
    }

    pub fn openssl(&self, args: &str) {
        let done = Command::new("openssl").args(args.split(' ')).current_dir(self.path()).output().unwrap();
        assert!(done.status.success(), "openssl {args}: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// Serves a page behind this certificate; the URL.
    async fn serve(&mut self, certificate: &str, key: &str) -> String {
        let log = self.path().join(format!("{certificate}.log"));
        let args = ["s_server", "-accept", "127.0.0.1:0", "-www", "-cert", certificate, "-key", key];
        let mut command = Command::new("openssl");
        command.args(args).current_dir(self.path()).stdin(Stdio::null()).stderr(Stdio::null());
        self.servers.push(command.stdout(std::fs::File::create(&log).unwrap()).spawn().unwrap());
        let port = until("openssl to listen", async || {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            let line = text.lines().find(|line| line.starts_with("ACCEPT "))?;
            Some(line.rsplit(':').next()?.to_owned())
        })
        .await;
        format!("https://localhost:{port}/wechat/event")
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        for server in &mut self.servers {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

#[tokio::test]
async fn each_wrong_certificate_is_named() {
    let Some(mut authority) = Authority::new("check::each_wrong_certificate_is_named") else { return };
    let mut trusting = Scene::new();
    trusting.env.push(("SSL_CERT_FILE".into(), authority.path().join("ca.pem").display().to_string()));

    authority.issue("expired.pem", "localhost", "-1");
    let url = authority.serve("expired.pem", "key.pem").await;
    let finding = trusting.wrong(&url, "tls", "tls_expired", 1).await;
    let yesterday = (chrono::Utc::now() - chrono::TimeDelta::days(1)).format("%Y-").to_string();
    assert!(finding["message"].as_str().unwrap().contains(&yesterday), "the day: {finding}");

    authority.issue("name.pem", "other.example.com", "30");
    let url = authority.serve("name.pem", "key.pem").await;
    let finding = trusting.wrong(&url, "tls", "tls_name", 1).await;
    assert!(finding["message"].as_str().unwrap().contains("other.example.com"), "{finding}");

    authority.issue("good.pem", "localhost", "30");
    let url = authority.serve("good.pem", "key.pem").await;
    let mut strict = Scene::new();
    strict.env.push(("SSL_CERT_FILE".into(), "/dev/null".into()));
    let finding = strict.wrong(&url, "tls", "tls_unknown_ca", 1).await;
    assert!(finding["message"].as_str().unwrap().contains("wxops-test-CA"), "{finding}");
    assert!(finding["next"].as_str().unwrap().contains("fullchain"), "{finding}");

    authority.openssl(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -keyout self.key -out self.pem -subj /CN=localhost -addext subjectAltName=DNS:localhost",
    );
    let url = authority.serve("self.pem", "self.key").await;
    trusting.wrong(&url, "tls", "tls_self_signed", 1).await;
}

#[tokio::test]
async fn a_certificate_that_ends_soon_is_warned_of() {
    let Some(mut authority) = Authority::new("check::a_certificate_that_ends_soon_is_warned_of") else { return };
    let mut scene = Scene::new();
    scene.env.push(("SSL_CERT_FILE".into(), authority.path().join("ca.pem").display().to_string()));
    authority.issue("soon.pem", "localhost", "3");
    let url = authority.serve("soon.pem", "key.pem").await;
    let done = scene.check(&["--json", &url]).await.expect_code(1);
    let checks = done.json()[0]["checks"].as_array().unwrap().clone();
    assert_eq!(
        (of(&checks, "tls")["verdict"].as_str(), &of(&checks, "tls")["cause"]),
        (Some("warning"), &"tls_ends_soon".into())
    );
    assert_eq!(of(&checks, "url_check")["cause"], "page", "openssl's own page");
}

#[tokio::test]
async fn plain_http_under_an_https_url() {
    let scene = Scene::new();
    // A fake would wait for a head; a plain server answers to what it can't read.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answers = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 512]).await;
                let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
            });
        }
    });
    let url = format!("https://localhost:{}/wechat/event", address.port());
    scene.wrong(&url, "tls", "tls_plain_http", 1).await;
    answers.abort();
}
