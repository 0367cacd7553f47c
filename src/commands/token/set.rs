//! `wxops token set`: a bad token is replaced by hand at once.

use crate::app::App;
use crate::commands::Context;
use crate::domain::secret::Secret;
use crate::error::{Error, Lang, Result, Text};
use crate::report::Report;
use crate::say;
use serde_json::json;
use std::io::{BufRead, IsTerminal, Read};

/// Store a token that a person brings, read from stdin
///
/// Its end is unknown: it is trusted until the platform refuses it.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops token set < token.txt")]
pub struct Set {}

/// Longer than any token of the platform, which asks for room for 512.
const MOST: u64 = 4096;

struct Stored {
    account: String,
    generation: i64,
}

impl Set {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let app = App::open(context.config()?.clone()).await?;
        let account = app.config.access(None)?;
        let typed = std::io::stdin().is_terminal();
        if typed && context.no_input {
            return Err(Error::usage(say!(
                "the token is read from stdin, and --no-input forbids to ask for it";
                "token 从标准输入读取，而 --no-input 禁止提问"
            ))
            .next(from_file()));
        }
        if typed {
            context.out.note(&say!("paste the token, then press Enter"; "请粘贴 token 并按回车"));
        }
        let read = tokio::task::spawn_blocking(move || {
            let (mut text, mut stdin) = (String::new(), std::io::stdin().lock().take(MOST));
            let read = if typed { stdin.read_line(&mut text) } else { stdin.read_to_string(&mut text) };
            read.map(|_| text)
        });
        let unread = |e| Error::usage(say!("stdin can't be read as text"; "无法从标准输入读取文本")).source(e);
        let text = read.await.map_err(std::io::Error::from).and_then(|read| read).map_err(unread)?;
        let text = text.trim();
        if text.is_empty() || text.len() as u64 >= MOST || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Error::usage(say!(
                "stdin holds no access_token: one line of printable letters, at most 4 kB";
                "标准输入中没有 access_token：应为一行可打印字符，不超过 4 kB"
            ))
            .next(from_file()));
        }
        let token = app.tokens.set(account, Secret::new(text)).await?;
        context.out.report(&Stored { account: account.name.clone(), generation: token.generation })
    }
}

fn from_file() -> Text {
    say!("wxops token set < FILE"; "用法：wxops token set < 文件")
}

impl Report for Stored {
    fn json(&self) -> serde_json::Value {
        json!({ "account": self.account, "generation": self.generation.to_string() })
    }

    fn text(&self, lang: Lang) -> String {
        let Stored { account, generation } = self;
        say!("{account}: stored as generation {generation}, trusted until refused"; "{account}：已存为第 {generation} 代，使用到被拒绝为止")
            .in_lang(lang)
            .to_owned()
    }
}
