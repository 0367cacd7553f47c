//! `serve --sandbox`: server and stand-in platform in one process, everything in ./wxops-sandbox.

use super::sockets::Sockets;
use super::{Again, Server, local};
use crate::commands::Context;
use crate::config::{Config, Environment, Sources};
use crate::error::{Error, Result};
use crate::lifecycle::{Hangups, ServeLock};
use crate::sandbox::{self, Account, Options};
use crate::say;
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use tokio::net::TcpListener;

/// Database and configuration of the trial.
const FOLDER: &str = "wxops-sandbox";
/// The database in it.
const DATABASE: &str = "wxops.db";
/// Ports tried after one that is taken.
const NEXT_PORTS: u16 = 50;

pub(super) async fn run(mut sources: Sources, hangups: Hangups, context: &Context) -> Result<()> {
    let folder = std::path::absolute(sources.dir.join(FOLDER)).unwrap_or_else(|_| PathBuf::from(FOLDER));
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder);
    made.map_err(|e| cannot_write(&folder, e))?;

    // Before the file is written: a running trial goes by it.
    let lock = ServeLock::take(&folder.join(DATABASE))?;
    let platform = free(SocketAddr::from(([127, 0, 0, 1], sandbox::PORT))).await?;
    let account = Account::made("main", 1);
    let listen = free(sources_addr(&sources, "WXOPS_LISTEN", 8080)?).await?;
    let metrics = free(sources_addr(&sources, "WXOPS_METRICS_LISTEN", 9464)?).await?;
    let (listen_addr, metrics_addr, platform_addr) =
        (local(listen.local_addr())?, local(metrics.local_addr())?, local(platform.local_addr())?);
    let file = folder.join("wxops.toml");
    write(&file, &toml(&folder, &account, listen_addr, metrics_addr, platform_addr))?;

    sources.env = Environment::default();
    sources.flags.clear();
    sources.config = Some(file.clone());
    let mut config = Config::load(&sources)?;
    config.lang = Some(context.out.lang);
    let account = Account { callback: Some(format!("http://{listen_addr}/wechat/event")), ..account };
    let options = Options { followers: 1000, accounts: vec![account], ..Options::default() };
    let stand_in = sandbox::start_on(platform, options).await?;
    let sockets = Sockets { callbacks: vec![listen.into()], metrics: vec![metrics.into()] };
    let server = Server::start_on(config, Again { sources, hangups }, Some(lock), sockets).await?;
    let next = greeting(&file, &server, &stand_in.url());
    eprintln!("{}", next.in_lang(context.out.lang));
    server.run().await?;
    stand_in.stop().await;
    Ok(())
}

/// What to type in a second shell, ready to be pasted.
fn greeting(file: &Path, server: &Server, platform: &str) -> crate::error::Text {
    let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("wxops"));
    let wxops = format!("{} --config {}", shell(&program), shell(file));
    let addr = server.addr;
    say!(
        "callbacks on http://{addr}/wechat/event, the stand-in platform on {platform}\n\
         next, in another shell:\n  \
         {wxops} sandbox push subscribe --count 20\n  \
         {wxops} followers list --followed\n  \
         {wxops} events show 1\n\
         Ctrl-C ends both; the data stays in ./{FOLDER}";
        "回调地址 http://{addr}/wechat/event，沙箱平台 {platform}\n\
         接下来，在另一个终端：\n  \
         {wxops} sandbox push subscribe --count 20\n  \
         {wxops} followers list --followed\n  \
         {wxops} events show 1\n\
         Ctrl-C 结束两者；数据保留在 ./{FOLDER}"
    )
}

/// A path as a shell takes it.
fn shell(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

fn toml(folder: &Path, account: &Account, listen: SocketAddr, metrics: SocketAddr, platform: SocketAddr) -> String {
    let database = folder.join(DATABASE);
    let key = account.aes_key.as_ref().map_or("", |key| key.reveal());
    let robot = sandbox::webhook(&format!("http://{platform}"), Options::default().seed);
    format!(
        "# Made by wxops serve --sandbox at each start. Invented keys of the stand-in platform.\n\
         database_url = {:?}\nlisten = \"{listen}\"\nmetrics_listen = \"{metrics}\"\npublic_url = \"http://{listen}\"\n\
         alert_webhook = {robot:?}\n\n\
         [official.main]\napp_id = {:?}\napp_secret = {:?}\ntoken = {:?}\naes_key = {key:?}\nmode = \"secure\"\n\
         original_id = {:?}\napi_base = \"http://{platform}\"\n",
        format!("sqlite://{}", database.display()),
        account.app_id,
        account.secret.reveal(),
        account.token.reveal(),
        account.original_id,
    )
}

/// Written aside and renamed: a second shell never reads half of it.
fn write(file: &Path, text: &str) -> Result<()> {
    let aside = file.with_extension("toml.new");
    let write = || -> std::io::Result<()> {
        let mut open = std::fs::OpenOptions::new();
        open.write(true).create(true).truncate(true).mode(0o600).open(&aside)?.write_all(text.as_bytes())?;
        std::fs::rename(&aside, file)
    };
    write().map_err(|e| cannot_write(file, e))
}

fn cannot_write(path: &Path, error: std::io::Error) -> Error {
    let path = path.display();
    Error::failed(say!("cannot write {path}: {error}"; "无法写入 {path}：{error}"))
        .next(say!("run it in a folder that you may write to"; "请在可写的目录中运行"))
        .source(error)
}

/// What a flag or the environment says, else the usual port on loopback.
fn sources_addr(sources: &Sources, name: &'static str, port: u16) -> Result<SocketAddr> {
    let given = sources.flags.get(name).map(String::as_str).or(sources.env.get(name));
    let Some(given) = given else { return Ok(SocketAddr::from(([127, 0, 0, 1], port))) };
    given.parse().map_err(|_| {
        Error::config(say!("{name}: {given:?} is no address:port"; "{name}：{given:?} 不是 地址:端口"))
            .next(say!("write 127.0.0.1:8080"; "格式：127.0.0.1:8080"))
    })
}

/// The address, or the same on the next free port.
async fn free(addr: SocketAddr) -> Result<TcpListener> {
    let mut last = None;
    for step in 0..=NEXT_PORTS {
        let Some(port) = addr.port().checked_add(step) else { break };
        match TcpListener::bind(SocketAddr::new(addr.ip(), port)).await {
            Ok(listener) => return Ok(listener),
            Err(error) => last = Some(error),
        }
    }
    let error = last.map_or_else(String::new, |e| e.to_string());
    Err(Error::unavailable(say!("no free port from {addr} on: {error}"; "{addr} 起没有空闲端口：{error}")))
}
