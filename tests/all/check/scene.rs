//! What is configured on the side of the person who checks, and what the check tells them.

use crate::process::{self, Outcome};
use crate::signer::{Keys, Mode};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use tempfile::TempDir;

/// A folder with a configuration. The fields may be changed before the verb is run.
pub struct Scene {
    pub keys: Keys,
    pub mode: Mode,
    /// Further lines at the top of the file.
    pub top: String,
    /// Further lines of the account.
    pub account: String,
    /// Further tables.
    pub tables: String,
    pub env: Vec<(String, String)>,
    pub folder: TempDir,
}

impl Scene {
    pub fn new() -> Self {
        Scene {
            keys: Keys::default(),
            mode: Mode::Secure,
            top: "metrics_listen = \"127.0.0.1:0\"\n".into(),
            account: String::new(),
            tables: String::new(),
            env: Vec::new(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// Runs the verb with further arguments.
    pub async fn check(&self, args: &[&str]) -> Outcome {
        let Keys { app_id, secret, original_id, token, aes_key } = &self.keys;
        let (top, account, tables, mode) = (&self.top, &self.account, &self.tables, self.mode.word());
        let key = if self.mode == Mode::Plain { String::new() } else { format!("aes_key = \"{aes_key}\"\n") };
        let text = format!(
            "{top}[official.main]\napp_id = \"{app_id}\"\napp_secret = \"{secret}\"\noriginal_id = \"{original_id}\"\n\
             token = \"{token}\"\n{key}mode = \"{mode}\"\n{account}{tables}"
        );
        let path = self.folder.path().join("wxops.toml");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let args = [&["--config", "wxops.toml", "callback", "check"], args].concat();
        process::run(self.folder.path(), &args, &self.env, "").await
    }

    /// All is well: exit 0, and nothing is wrong with what was asked. The findings.
    pub async fn good(&self, url: &str) -> Vec<Value> {
        let findings = self.findings(url, &[], 0).await;
        assert!(!findings.iter().any(bad), "{findings:#?}");
        findings
    }

    /// One thing is wrong: the exit code, the cause in JSON, and both languages say what to do.
    pub async fn wrong(&self, url: &str, check: &str, cause: &str, code: i32) -> Value {
        self.wrong_with(url, &[], check, cause, code).await
    }

    /// The same with further arguments.
    pub async fn wrong_with(&self, url: &str, args: &[&str], check: &str, cause: &str, code: i32) -> Value {
        let found = self.named(url, args, check, cause, code).await;
        self.in_chinese(url, args, code).await;
        found
    }

    /// The same, for causes whose Chinese sentence another act looks at.
    pub async fn named(&self, url: &str, args: &[&str], check: &str, cause: &str, code: i32) -> Value {
        let findings = self.findings(url, args, code).await;
        let found: Vec<_> = findings.iter().filter(|finding| bad(finding)).collect();
        let causes: Vec<_> = found.iter().map(|finding| (&finding["check"], &finding["cause"])).collect();
        assert!(
            found.iter().any(|finding| finding["check"] == check && finding["cause"] == cause),
            "{check} {cause}, not {causes:?}: {findings:#?}"
        );
        assert_eq!(found.len(), 1, "nothing else: {findings:#?}");
        assert!(found[0]["next"].as_str().is_some_and(|next| !next.is_empty()), "{:?}", found[0]);
        found[0].clone()
    }

    async fn findings(&self, url: &str, args: &[&str], code: i32) -> Vec<Value> {
        let done = self.check(&[&["--json", url], args].concat()).await.expect_code(code);
        let lines = done.json();
        assert_eq!(lines.len(), 1, "{}", done.stdout);
        let verdict = lines[0]["verdict"].as_str().unwrap();
        assert_eq!(verdict, ["ok", "failed", "unreachable"][usize::from(code == 1) + 2 * usize::from(code == 69)]);
        assert!(!lines[0]["url"].as_str().unwrap().contains('?'), "the URL without its query");
        if code != 0 {
            let last: Value = serde_json::from_str(done.stderr.lines().last().unwrap()).unwrap();
            assert_eq!((last["type"].as_str(), last["code"].as_i64()), (Some("exit_error"), Some(code.into())));
        }
        lines[0]["checks"].as_array().unwrap().clone()
    }

    /// The same for a Chinese reader: what is wrong and what to do, on stdout and as the error.
    async fn in_chinese(&self, url: &str, args: &[&str], code: i32) {
        let done = self.check(&[&["--lang", "zh", url], args].concat()).await.expect_code(code);
        let lines: Vec<_> = done.stdout.lines().collect();
        let bad = lines.iter().position(|line| line.starts_with("失败") || line.starts_with("无应答")).unwrap();
        for line in [lines[bad], lines[bad + 1]] {
            let said = line.trim_start_matches("失败").trim_start_matches("无应答");
            assert!(said.chars().filter(|c| is_chinese(*c)).count() > 4, "{line}");
        }
        assert!(lines[bad + 1].trim_start().starts_with("下一步："), "{}", lines[bad + 1]);
        let last = done.stderr.lines().last().unwrap();
        assert!(last.starts_with("错误：") && last.contains("下一步："), "{last}");
    }
}

/// The finding about a check.
#[track_caller]
pub fn of<'all>(findings: &'all [Value], check: &str) -> &'all Value {
    findings.iter().find(|finding| finding["check"] == check).unwrap_or_else(|| panic!("no {check} in {findings:#?}"))
}

fn bad(finding: &Value) -> bool {
    matches!(finding["verdict"].as_str(), Some("failed" | "unreachable"))
}

pub fn is_chinese(c: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&c)
}
