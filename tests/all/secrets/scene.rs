//! A folder with a configuration whose every secret is a canary, and verbs that are run in it side by side.

use super::canary::Canaries;
use crate::process::{self, Outcome};
use crate::verbs;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// So many processes at once.
const AT_ONCE: usize = 4;
/// The account.
pub const APP_ID: &str = "wx00canary00000000";
pub const ORIGINAL_ID: &str = "gh_00canary0000";

/// The forms of what a verb says: both languages, every form of the log, all as loud as can be.
pub const FORMS: [&[&str]; 3] = [
    &["-vvv", "--lang", "en"],
    &["-vvv", "--lang", "zh", "--log-format", "json"],
    &["-vvv", "--json", "--log-format", "journald"],
];

/// One run of the program.
#[derive(Clone, Default)]
pub struct Act {
    /// Where; the scene's folder unless said.
    pub folder: Option<PathBuf>,
    pub args: Vec<String>,
    pub env: Vec<(String, String)>,
    pub stdin: String,
    /// What is wrong, for the message of a failing test.
    pub about: String,
}

impl Act {
    pub fn new(about: &str, args: &[&str]) -> Self {
        Act { about: about.into(), args: args.iter().map(|arg| (*arg).to_owned()).collect(), ..Act::default() }
    }

    /// The same in each of these forms.
    pub fn in_forms(&self, forms: &[&[&str]]) -> Vec<Act> {
        let form = |form: &&[&str]| {
            let args = form.iter().map(|arg| (*arg).to_owned()).chain(self.args.iter().cloned());
            Act { args: args.collect(), ..self.clone() }
        };
        forms.iter().map(form).collect()
    }
}

/// The folder and its canaries.
pub struct Scene {
    pub canaries: Canaries,
    pub folder: TempDir,
}

impl Scene {
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("wxops-secrets.").tempdir().unwrap();
        Scene { canaries: Canaries::of_the_program(), folder }
    }

    /// A good configuration with every secret set of an Official Account; the platform is at `api_base`.
    pub fn toml(&self, api_base: &str) -> String {
        self.with(api_base, "")
    }

    /// The same, with accounts of the other platforms, and a client of the token service.
    pub fn whole(&self, api_base: &str) -> String {
        let others = format!(
            "[[client]]\nname = \"canary\"\ntoken_sha256 = \"{}\"\nscopes = [\"token:game\"]\n\
             [wecom.office]\ncorp_id = \"wwcanary\"\nagent_id = \"1000002\"\napi_base = \"{api_base}\"\n{}\
             [minigame.game]\napp_id = \"wx00canary00000001\"\napi_base = \"{api_base}\"\n\
             token_from = \"{api_base}/api/token/game\"\n{}",
            sha256(&self.canaries.client),
            self.lines("wecom", api_base),
            self.lines("minigame", api_base),
        );
        self.with(api_base, &others)
    }

    /// The Official Account's table is the last one.
    fn with(&self, api_base: &str, others: &str) -> String {
        format!(
            "database_url = \"sqlite://{}\"\nlisten = \"127.0.0.1:0\"\nmetrics_listen = \"127.0.0.1:0\"\n\
             public_url = \"http://127.0.0.1:1\"\n{}[[hook]]\nname = \"canary\"\nurl = \"http://127.0.0.1:1/{}\"\n\
             secret = \"{}\"\nevents = [\"*\"]\n{others}[official.main]\napp_id = \"{APP_ID}\"\n\
             original_id = \"{ORIGINAL_ID}\"\nmode = \"secure\"\napi_base = \"{api_base}\"\n{}",
            self.folder.path().join("wxops.db").display(),
            self.lines("", api_base),
            self.canaries.hook.1,
            self.canaries.hook.0,
            self.lines("official", api_base),
        )
    }

    /// The secrets of a table, or of the top of the file.
    fn lines(&self, table: &str, api_base: &str) -> String {
        let chosen = self.canaries.settings.iter().filter(|setting| setting.table() == table);
        let chosen = chosen.filter(|setting| setting.variable != "DATABASE_URL");
        // A group robot has its key in its URL: it is where the platform is.
        let value = |value: &str| match value.strip_prefix("http://127.0.0.1:1/") {
            Some(path) if api_base.starts_with("http://127.") => format!("{api_base}/{path}"),
            _ => value.to_owned(),
        };
        chosen.filter_map(|set| set.key.as_ref().map(|key| format!("{key} = {:?}\n", value(&set.value)))).collect()
    }

    /// A file of mode 0600 below the folder.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Runs them all, a few at once.
    pub async fn play(&self, acts: Vec<Act>) -> Vec<(Act, Outcome)> {
        let turn = Arc::new(Semaphore::new(AT_ONCE));
        let mut running = JoinSet::new();
        for act in acts {
            let (turn, folder) = (turn.clone(), self.folder.path().to_owned());
            running.spawn(async move {
                let _turn = turn.acquire().await.unwrap();
                let args: Vec<_> = act.args.iter().map(String::as_str).collect();
                let folder = act.folder.as_deref().unwrap_or(&folder);
                let outcome = process::run(folder, &args, &act.env, &act.stdin).await;
                (act, outcome)
            });
        }
        running.join_all().await
    }

    /// Runs them all and fails with each that showed a secret, or broke.
    pub async fn keep_quiet(&self, acts: Vec<Act>) -> Vec<(Act, Outcome)> {
        let ended = self.play(acts).await;
        let faults: Vec<_> = ended.iter().filter_map(|(act, outcome)| self.fault(act, outcome)).collect();
        assert!(faults.is_empty(), "{} of {} runs:\n{}", faults.len(), ended.len(), faults.join("\n"));
        ended
    }

    fn fault(&self, act: &Act, outcome: &Outcome) -> Option<String> {
        let Outcome { code, stdout, stderr } = outcome;
        let mut why = self.canaries.seen_in(stdout);
        why.extend(self.canaries.seen_in(stderr));
        if code.is_none() || stderr.contains("internal error") {
            why.push("it broke".to_owned());
        }
        let Act { about, args, .. } = act;
        let args = args.join(" ");
        (!why.is_empty()).then(|| format!("--- {about}: {why:?}\nwxops {args}\n{stdout}{stderr}"))
    }

    /// Fails where this shows a secret.
    #[track_caller]
    pub fn unseen(&self, what: &str, said: &str) {
        let seen = self.canaries.seen_in(said);
        assert!(seen.is_empty(), "{what} shows {seen:?}:\n{said}");
    }
}

fn sha256(text: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Every verb of the program's own help, with arguments that make it work where the suite knows some, and a limit
/// for those that would not end.
pub async fn every_verb(folder: &Path) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for verb in verbs::discovered().await {
        let known = verbs::VERBS.iter().find(|(name, _)| *name == verb).map(|(_, args)| (*args).to_owned());
        let args = match known {
            Some(args) => args.replace("CALLBACK", "http://127.0.0.1:1/wechat/event"),
            None => required(&verbs::help(&verb).await),
        };
        let limit = if verbs::ENDLESS.contains(&verb.as_str()) { "300ms" } else { "5s" };
        let words = verb.split(' ').chain(args.split(' ')).chain(["--timeout", limit]);
        all.push(words.filter(|word| !word.is_empty()).map(str::to_owned).collect());
    }
    assert!(all.len() > 15 && folder.exists(), "{all:?}");
    all
}

/// A word for each argument that the usage line demands.
fn required(help: &str) -> String {
    let usage = help.lines().find(|line| line.starts_with("Usage: ")).unwrap_or_default();
    usage.split_whitespace().filter(|word| word.starts_with('<')).map(|_| "1 ").collect()
}
