//! `wxops init`: the files of a new installation, its database, and what to paste into the WeChat console; or what
//! starts its jobs.

mod call;
mod crontab;
mod templates;
mod units;

use super::Context;
use crate::config::{Config, Sources};
use crate::error::{Error, Lang, Result};
use crate::report::{Report, escape};
use crate::say;
use crate::store::{Options, Store};
use serde_json::json;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use templates::{TOML, dotenv};

/// Write .env and wxops.toml, create the database, print the callback URL
///
/// A second run changes nothing.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops init --dir wechat\n  wxops init --systemd /etc/systemd/system")]
pub struct Init {
    /// The folder that gets the files
    #[arg(long, value_name = "DIR", default_value = ".", conflicts_with_all = ["systemd", "crontab"])]
    pub dir: PathBuf,
    /// Instead: write the units and timers for serve and its jobs, with the
    /// paths of this binary and its configuration
    #[arg(long, value_name = "DIR", conflicts_with = "crontab")]
    pub systemd: Option<PathBuf>,
    /// Instead: print the lines of the jobs for a crontab, with the same paths
    #[arg(long)]
    pub crontab: bool,
    /// Overwrite units that are there with another text
    #[arg(short, long, requires = "systemd", conflicts_with = "crontab")]
    pub yes: bool,
}

/// What was made and what was there before.
#[derive(Debug)]
pub struct Made {
    /// Files that were written.
    pub written: Vec<PathBuf>,
    /// Files that were there and are as they were.
    pub kept: Vec<PathBuf>,
    /// What the console wants; `None` until `WXOPS_PUBLIC_URL` is set.
    pub callback_url: Option<String>,
    /// What WeCom's console wants, of each application that receives callbacks, by name.
    pub wecom_urls: Vec<(String, String)>,
    /// What is configured names an account.
    pub account: bool,
    /// A configuration elsewhere because of which these files are not read.
    pub overruled_by: Option<PathBuf>,
}

impl Init {
    /// The verb.
    pub async fn run(self, context: &mut Context) -> Result<()> {
        if let Some(dir) = &self.systemd {
            return units::write(context, dir, self.yes).await;
        }
        if self.crontab {
            return crontab::show(context);
        }
        let made = self.make(&context.sources, create_database).await?;
        context.out.report(&made)
    }

    /// Writes what is missing, loads it back, and creates the database. `create_database` leaves one that
    /// exists as it is.
    pub async fn make(
        &self,
        sources: &Sources,
        create_database: impl AsyncFnOnce(&Config) -> Result<()>,
    ) -> Result<Made> {
        let (mut written, mut kept) = (Vec::new(), Vec::new());
        // Without the `.` in between, which would stand in every message.
        let dir: PathBuf = sources.dir.join(&self.dir).components().collect();
        std::fs::create_dir_all(&dir).map_err(|error| cannot_write(&dir, error))?;
        for (name, text) in [(".env", dotenv()), ("wxops.toml", TOML.to_owned())] {
            let path = dir.join(name);
            let list = if write_new(&path, &text)? { &mut written } else { &mut kept };
            list.push(path);
        }
        // A path that was typed is one of the folder it was typed in.
        let typed = |file| std::path::absolute(sources.dir.join(file)).ok();
        let mut config = Config::load(&Sources {
            dir: dir.clone(),
            config: sources.config.as_ref().and_then(typed),
            ..sources.clone()
        })?;
        config.place_database(&dir);
        create_database(&config).await?;
        Ok(Made {
            written,
            kept,
            callback_url: config.public_url.as_ref().map(|url| format!("{url}/wechat/event")),
            wecom_urls: wecom_urls(&config),
            account: config.receives(),
            overruled_by: config.file.filter(|file| *file != dir.join("wxops.toml")),
        })
    }
}

/// Of each WeCom application that receives callbacks its name and URL.
fn wecom_urls(config: &Config) -> Vec<(String, String)> {
    let base = config.public_url.as_deref().unwrap_or("WXOPS_PUBLIC_URL");
    let receiving = config.wecoms.iter().filter(|wecom| wecom.receives());
    receiving.map(|wecom| (wecom.name.clone(), format!("{base}{}", config.wecom_path(wecom)))).collect()
}

/// Makes the file of an SQLite database with its schema; of MySQL or MariaDB only the login is tried, its
/// schema is `wxops db migrate`'s.
async fn create_database(config: &Config) -> Result<()> {
    Store::open(&config.database_url, Options { migrate: true, create: true, ..Options::default() }).await.map(drop)
}

/// Writes a file only its owner can read; `false` when there is something of that name already.
fn write_new(path: &Path, text: &str) -> Result<bool> {
    let mut file = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => return Err(cannot_write(path, error)),
    };
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|error| cannot_write(path, error))?;
    Ok(true)
}

fn cannot_write(path: &Path, error: std::io::Error) -> Error {
    let path = path.display();
    Error::failed(say!("cannot write {path}: {error}"; "无法写入 {path}：{error}"))
}

impl Report for Made {
    fn json(&self) -> serde_json::Value {
        json!({
            "written": self.written,
            "kept": self.kept,
            "callback_url": self.callback_url,
            "wecom_callback_urls": self.wecom_urls.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
            "overruled_by": self.overruled_by,
        })
    }

    fn text(&self, lang: Lang) -> String {
        let mut lines = Vec::new();
        for path in &self.written {
            let path = path.display();
            lines.push(say!("wrote {path}"; "已写入 {path}"));
        }
        for path in &self.kept {
            let path = path.display();
            lines.push(say!("{path} is there already, unchanged"; "{path} 已存在，未作改动"));
        }
        if self.written.is_empty() {
            lines.push(say!("nothing was changed"; "未作任何改动"));
        }
        if let Some(file) = &self.overruled_by {
            let file = file.display();
            lines.push(say!("beware: {file} is read instead of wxops.toml here"; "注意：实际读取的是 {file}，而非此处的 wxops.toml"));
        }
        lines.push(match &self.callback_url {
            Some(url) => say!(
                "URL for the WeChat console: {url} (Token and EncodingAESKey: in .env)";
                "公众平台后台填写的 URL：{url}（Token 与 EncodingAESKey 见 .env）"
            ),
            None => say!(
                "URL for the WeChat console: WXOPS_PUBLIC_URL followed by /wechat/event; set WXOPS_PUBLIC_URL in .env (Token and EncodingAESKey are there)";
                "公众平台后台填写的 URL：WXOPS_PUBLIC_URL 加 /wechat/event；请在 .env 中设置 WXOPS_PUBLIC_URL（Token 与 EncodingAESKey 也在其中）"
            ),
        });
        for (name, url) in &self.wecom_urls {
            lines.push(say!(
                "URL for WeCom's console, application {name} (接收消息): {url} (Token and EncodingAESKey: as configured)";
                "企业微信管理后台“接收消息”填写的 URL（应用 {name}）：{url}（Token 与 EncodingAESKey 与配置一致）"
            ));
        }
        if !self.account {
            lines.push(say!(
                "next: put AppID and AppSecret into .env, then: wxops serve";
                "下一步：在 .env 中填写 AppID 与 AppSecret，然后运行 wxops serve"
            ));
        }
        lines.iter().map(|line| escape(line.in_lang(lang)).into_owned()).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::config::Environment;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    fn sources(dir: &Path, env: &[(&str, &str)]) -> Sources {
        Sources {
            flags: Default::default(),
            env: env.iter().copied().collect::<Environment>(),
            config: None,
            dir: dir.to_owned(),
            etc: dir.join("etc/wxops.toml"),
            uid: std::fs::metadata(dir).unwrap().uid(),
            container: false,
        }
    }

    async fn init(sources: &Sources, dir: &str) -> Result<(Made, String)> {
        let mut url = String::new();
        let made = Init { dir: dir.into(), systemd: None, crontab: false, yes: false }
            .make(sources, async |config: &Config| {
                url = config.database_url.reveal().to_owned();
                Ok(())
            })
            .await?;
        Ok((made, url))
    }

    #[tokio::test]
    async fn the_files_are_private_and_load() {
        let folder = tempfile::tempdir().unwrap();
        let env = [("WECHAT_APP_ID", "wx1"), ("WXOPS_PUBLIC_URL", "https://example.com/")];
        let sources = sources(folder.path(), &env);
        let (made, url) = init(&sources, ".").await.unwrap();
        assert_eq!((made.written.len(), made.kept.len(), made.overruled_by.is_none()), (2, 0, true));
        assert_eq!(made.callback_url.as_deref(), Some("https://example.com/wechat/event"));
        assert_eq!(url, format!("sqlite://{}/wxops.db", folder.path().display()));
        for path in &made.written {
            assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o7777, 0o600);
        }
        let config = Config::load(&sources).unwrap();
        let official = config.official(None).unwrap();
        let token = official.tokens[0].reveal();
        assert!(token.len() == 32 && token.bytes().all(|c| c.is_ascii_alphanumeric()));
        assert_eq!(official.aes_keys.len(), 1);
        for text in [made.text(Lang::En), made.text(Lang::Zh), made.json().to_string()] {
            assert!(text.contains("https://example.com/wechat/event") && !text.contains(token));
        }
    }

    #[tokio::test]
    async fn a_second_run_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let sources = sources(folder.path(), &[]);
        init(&sources, "new/place").await.unwrap();
        let read = || ["new/place/.env", "new/place/wxops.toml"].map(|f| std::fs::read(folder.path().join(f)).unwrap());
        let before = read();
        let (made, _) = init(&sources, "new/place").await.unwrap();
        assert_eq!((made.written.len(), made.kept.len()), (0, 2));
        assert!(made.text(Lang::En).contains("nothing was changed") && made.text(Lang::Zh).contains("未作任何改动"));
        assert_eq!(read(), before);
    }

    /// What the files offer as comments must work once the `#` is gone.
    #[tokio::test]
    async fn the_commented_lines_are_good() {
        let folder = tempfile::tempdir().unwrap();
        let sources = sources(folder.path(), &[]);
        init(&sources, ".").await.unwrap();
        for (name, text) in [(".env", dotenv()), ("wxops.toml", TOML.split("# More than").next().unwrap().to_owned())] {
            let open = text.lines().map(|l| l.strip_prefix('#').filter(|l| !l.starts_with(' ')).unwrap_or(l));
            let open = open.collect::<Vec<_>>().join("\n").replace("wx...", "wx1");
            std::fs::write(folder.path().join(name), open).unwrap();
        }
        let config = Config::load(&sources).unwrap();
        assert_eq!(config.official(None).unwrap().app_id, "wx1");
        assert!(config.replay_window.is_some() && config.api_token.is_some());
    }

    #[tokio::test]
    async fn what_is_in_the_way_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "").unwrap();
        let error = init(&sources(folder.path(), &[]), "file/x").await.unwrap_err();
        assert!(error.what.en.contains("file/x"), "{error}");
        let etc = folder.path().join("etc/wxops.toml");
        std::fs::create_dir_all(etc.parent().unwrap()).unwrap();
        write_new(&etc, "").unwrap();
        let (made, _) = init(&sources(folder.path(), &[]), ".").await.unwrap();
        assert_eq!(made.overruled_by, Some(etc));
    }

    #[tokio::test]
    async fn the_database_file_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::load(&sources(folder.path(), &[])).unwrap();
        config.place_database(folder.path());
        create_database(&config).await.unwrap();
        create_database(&config).await.unwrap();
        assert!(folder.path().join("wxops.db").exists());
        config.place_database(Path::new("/nowhere"));
        config.database_url = crate::domain::secret::Secret::new("sqlite:///nowhere/wxops.db");
        let error = create_database(&config).await.unwrap_err();
        assert_eq!(error.kind.exit_code(), 78);
    }
}
