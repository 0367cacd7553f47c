//! Behind examples/nginx.conf as it is shipped: only addresses, ports and file names are this machine's.

use super::scene::{Scene, of};
use super::tls::Authority;
use crate::http;
use crate::rows::{Db, skip};
use crate::stage::{Stage, until};
use crate::stories::{LIMIT, tell};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command};

/// A running nginx; ends with its owner.
struct Nginx(Child);

impl Drop for Nginx {
    fn drop(&mut self) {
        // TERM, so that its workers end too.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

/// The command, also where sbin is not in the path.
fn nginx() -> Command {
    let mut command = Command::new("nginx");
    command.env("PATH", format!("{}:/usr/local/sbin:/usr/sbin", std::env::var("PATH").unwrap_or_default()));
    command
}

fn free_ports() -> [SocketAddr; 2] {
    let taken = [0, 1].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    taken.map(|listener| listener.local_addr().unwrap())
}

/// Starts nginx with the example in front of `to`.
async fn start(folder: &Path, to: SocketAddr, http: SocketAddr, https: SocketAddr) -> Nginx {
    let at = |name: &str| folder.join(name).display().to_string();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/nginx.conf");
    let mut site = std::fs::read_to_string(example).unwrap();
    for (shipped, here) in [
        ("127.0.0.1:8080", to.to_string()),
        ("listen 80;", format!("listen {http};")),
        ("listen 443 ssl;", format!("listen {https} ssl;")),
        ("/etc/ssl/certs/wx.example.com.pem", at("good.pem")),
        ("/etc/ssl/private/wx.example.com.key", at("key.pem")),
        ("/var/log/nginx/wxops.log", at("access.log")),
    ] {
        assert_eq!(site.matches(shipped).count(), 1, "{shipped}");
        site = site.replace(shipped, &here);
    }
    let temp =
        ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|name| format!("{name}_temp_path {};", at(name)));
    let whole = format!("daemon off; pid {};\nevents {{}}\nhttp {{ {}\n{site} }}\n", at("nginx.pid"), temp.join(" "));
    std::fs::write(folder.join("nginx.conf"), whole).unwrap();
    let errors = at("error.log");
    let child = nginx().args(["-p", &at(""), "-e", &errors, "-c", &at("nginx.conf")]).spawn().unwrap();
    let running = Nginx(child);
    until("nginx to listen", async || http::get(http, "/").await.ok()).await;
    running
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_the_shipped_example() {
    let story = "check::behind_the_shipped_example";
    if !nginx().arg("-v").output().is_ok_and(|output| output.status.success()) {
        return skip(story, "nginx is not installed");
    }
    let Some(authority) = Authority::new(story) else { return };
    authority.issue("good.pem", "localhost", "30");
    tell(Stage::new(Db::Sqlite, story), LIMIT, async |stage| {
        let mut serve = stage.serve().await;
        let [http, https] = free_ports();
        let nginx = start(authority.path(), serve.address(), http, https).await;
        let mut scene = Scene::new();
        scene.keys = stage.keys.clone();
        scene.env.push(("SSL_CERT_FILE".into(), authority.path().join("ca.pem").display().to_string()));
        let url = format!("https://localhost:{}/wechat/event", https.port());
        let checks = scene.good(&url).await;
        assert_eq!(of(&checks, "tls")["verdict"], "ok", "{checks:#?}");
        scene.good(&format!("http://localhost:{}/wechat/event", http.port())).await;

        // What the example does not pass on, and what it says when the program is gone.
        scene.wrong(&format!("https://localhost:{}/event", https.port()), "url_check", "path", 1).await;
        serve.stop().await;
        scene.wrong(&url, "url_check", "bad_gateway", 1).await;
        let log = std::fs::read_to_string(authority.path().join("access.log")).unwrap();
        assert!(log.contains("GET /wechat/event") && !log.contains("signature"), "{log}");
        drop(nginx);
    })
    .await;
}
