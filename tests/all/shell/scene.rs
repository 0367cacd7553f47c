//! Every verb of the program, each with its own example as the line to run, and a stage on which they all work.

use crate::messages::{OPENID, subscribe, text};
use crate::platform::Platform;
use crate::process::{self, Outcome};
use crate::rows::Db;
use crate::stage::{Serve, Stage, until};
use crate::verbs::with_a_dead_notification;
use std::process::Stdio;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::sync::OnceCell;

/// A verb as its help describes it.
#[derive(Clone, Debug)]
pub struct Verb {
    /// `events list`.
    pub name: String,
    /// What `--help` says.
    pub help: String,
}

/// What an example needs on our stage: where its help has this flag, these words are added.
const ADDED: &[(&str, &str)] = &[
    ("--listen <ADDR>", "--listen 127.0.0.1:0"),
    ("--metrics-listen <ADDR>", "--metrics-listen 127.0.0.1:0"),
    ("--to <URL>", "--to CALLBACK"),
];

/// All verbs, by the program's own lists.
pub async fn verbs() -> Vec<Verb> {
    static FOUND: OnceCell<Vec<Verb>> = OnceCell::const_new();
    let find = async || {
        let mut found = Vec::new();
        for group in listed(&help("").await) {
            let page = help(&group).await;
            let below = listed(&page);
            if below.is_empty() {
                found.push(Verb { name: group, help: page });
                continue;
            }
            for verb in below {
                let name = format!("{group} {verb}");
                found.push(Verb { help: help(&name).await, name });
            }
        }
        assert!(found.len() >= 21, "{found:?}");
        found
    };
    FOUND.get_or_init(find).await.clone()
}

/// The groups that hold verbs.
pub async fn groups() -> Vec<String> {
    let mut groups: Vec<_> =
        verbs().await.iter().filter_map(|verb| Some(verb.name.split_once(' ')?.0.to_owned())).collect();
    groups.dedup();
    groups
}

/// Those that end by themselves.
pub async fn finite() -> Vec<Verb> {
    verbs().await.into_iter().filter(|verb| !verb.is_endless()).collect()
}

async fn help(verb: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &format!("{verb} --help")).await.expect_code(0).stdout
}

/// Runs a line in a folder.
pub async fn run(folder: &std::path::Path, line: &str) -> Outcome {
    process::run(folder, &line.split_whitespace().collect::<Vec<_>>(), &[], "").await
}

/// The names below `Groups:` or `Commands:`.
fn listed(help: &str) -> Vec<String> {
    let below = help.lines().skip_while(|line| *line != "Groups:" && *line != "Commands:").skip(1);
    let names = below.take_while(|line| line.starts_with("  ")).filter(|line| !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

impl Verb {
    /// The line of its example: everything before a pipe or a redirection.
    pub fn example(&self) -> String {
        let line = self.help.lines().nth(1).unwrap().trim();
        line.split([';', '|', '>', '<']).next().unwrap().trim().to_owned()
    }

    /// A verb that does not end says so in its first sentence.
    pub fn is_endless(&self) -> bool {
        self.help.lines().nth(3).unwrap().contains("until ")
    }

    /// Whether its result is why it is called: then `-q` shows it too.
    pub fn is_question(&self) -> bool {
        const QUESTIONS: [&str; 9] =
            ["show", "list", "near", "status", "stats", "forecast", "explain", "help", "completions"];
        let last = self.name.rsplit(' ').next().unwrap();
        QUESTIONS.contains(&last) || last == "man"
    }

    /// Whether it tells in its result what is wrong, and how bad that is by its exit code.
    pub fn is_examination(&self) -> bool {
        ["doctor", "status", "callback check", "queue validate"].contains(&self.name.as_str())
    }

    /// Whether it ended as it should on our stage; an examination may find something there.
    pub fn did_its_job(&self, code: Option<i32>) -> bool {
        code == Some(0) || (self.is_examination() && matches!(code, Some(1 | 69 | 77 | 78)))
    }

    /// The names of its own flags.
    pub fn flags(&self) -> Vec<String> {
        let own = self.help.lines().skip_while(|line| *line != "Options:").skip(1);
        let own = own.take_while(|line| *line != "Global options:").filter(|line| line.trim_start().starts_with('-'));
        let names = own.filter_map(|line| line.split_whitespace().find(|word| word.starts_with("--")));
        names.map(|name| name.trim_end_matches(['.', ',']).to_owned()).collect()
    }
}

/// A server with one follower and the events 17 to 19, of which the last is dead; the notification 17, which is dead too;
/// and a sandbox.
pub struct Scene {
    pub stage: Stage,
    serve: Serve,
    config: String,
    /// The configuration of the queue's verbs: with a WeCom application.
    of_the_queue: String,
}

impl Scene {
    /// `None`, loudly, where it can't be set.
    pub async fn set(story: &str) -> Option<Self> {
        let mut stage = with_a_dead_notification(Stage::new(Db::Sqlite, story).await?).await;
        stage.execute("UPDATE member_notification_queue SET id = 17").await;
        let of_the_queue = std::fs::read_to_string(stage.config()).unwrap();
        let of_the_queue = stage.write("queue.toml", &of_the_queue).display().to_string();
        stage.settings.clear();
        let serve = stage.serve().await;
        // The platform knows the follower too.
        Platform::of(&stage).happens("subscribe", OPENID).await;
        serve.push(&subscribe(OPENID)).await;
        serve.push(&text(OPENID, "one", 1)).await;
        serve.push(&text(OPENID, "two", 2)).await;
        stage.settled().await;
        // The server asks for the follower's data, and for a token to ask with; then nothing is under way any more.
        let asked = "SELECT COUNT(*) FROM user_mapping WHERE info_due_at IS NULL";
        until("the follower's data", async || (stage.number(asked).await == 1).then_some(())).await;
        stage.execute("UPDATE inbox_event SET id = id + 16").await;
        stage.execute("UPDATE inbox_event SET state = 'dead', last_error = 'told to' WHERE id = 19").await;
        stage
            .execute(&format!(
                "INSERT INTO location (account, openid, latitude, longitude, at, expires_at, cell, tidy_at) VALUES \
                 ('main', '{OPENID}', 23.1345, 113.3588, '2026-11-21T00:00:00.000Z', 9999999999999, 16292267, 9999999999999)"
            ))
            .await;
        // A run of long ago that failed.
        stage
            .execute(
                "INSERT INTO job_run (id, job, account, who, origin, started_at, finished_at, outcome, exit_code, counts, \
                 error) VALUES (17, 'followers sync', 'main', 'host:1', 17, '2026-10-01T00:00:00.000Z', \
                 '2026-10-01T00:00:01.000Z', 'failed', 1, '{}', 'told to')",
            )
            .await;
        // Somebody who may be forgotten.
        stage
            .execute(
                "INSERT INTO user_mapping (account, openid, created_at, updated_at) \
                 VALUES ('main', 'oTEST0000000000000000000002_', '2026-11-01T00:00:00.000Z', '2026-11-01T00:00:00.000Z')",
            )
            .await;
        let config = stage.config();
        Some(Scene { stage, serve, config, of_the_queue })
    }

    /// The arguments of a verb's example as it can be typed here.
    pub fn args(&self, verb: &Verb) -> Vec<String> {
        let mut line = verb.example();
        for (flag, words) in ADDED {
            if verb.help.contains(flag) {
                line.push(' ');
                line.push_str(words);
            }
        }
        if verb.help.contains("--yes") {
            line.push_str(" --yes");
        }
        let callback = self.callback();
        let here = |word: String| match word.as_str() {
            "CALLBACK" => callback.clone(),
            url if url.starts_with("http://") || url.starts_with("https://") => callback.clone(),
            // Nothing is written outside of the story's folder.
            path if path.starts_with('/') => path.rsplit('/').next().unwrap().to_owned(),
            _ => word,
        };
        words(&line).into_iter().skip(1).filter(|word| word != "--json").map(here).collect()
    }

    /// The configuration of a group's verbs.
    pub fn config_of(&self, group: &str) -> &str {
        if group == "queue" { &self.of_the_queue } else { &self.config }
    }

    /// Where the server takes callbacks.
    pub fn callback(&self) -> String {
        format!("http://{}/wechat/event", self.serve.address())
    }

    /// Runs a verb's example to its end.
    pub async fn run(&self, global: &[&str], verb: &Verb) -> Outcome {
        self.run_in(&[], global, verb).await
    }

    /// The child of such a line: global arguments first.
    pub fn command(&self, global: &[&str], args: &[String], env: &[(&str, &str)]) -> Command {
        let config = self.config_of(args.first().map_or("", String::as_str));
        let args = args.iter().map(String::as_str);
        let args: Vec<_> = ["--config", config].into_iter().chain(global.iter().copied()).chain(args).collect();
        let env: Vec<_> = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        process::command(self.stage.folder(), &args, &env)
    }

    /// The same with an environment.
    pub async fn run_in(&self, env: &[(&str, &str)], global: &[&str], verb: &Verb) -> Outcome {
        let outcome = finish(self.command(global, &self.args(verb), env), verb).await;
        self.calm(verb).await;
        outcome
    }

    /// What a verb broke on purpose is mended for the next.
    pub async fn calm(&self, verb: &Verb) {
        if verb.name == "sandbox faults" {
            self.faults(&[]).await;
        }
    }

    /// The faults of the stand-in platform from now on.
    pub async fn faults(&self, set: &[&str]) {
        Platform::of(&self.stage).faults(set).await;
    }
}

/// Runs to the end, with a token on stdin for who reads one.
pub async fn finish(mut command: Command, verb: &Verb) -> Outcome {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(b"a_token_that_a_person_brought_0123456789").await;
    let output = tokio::time::timeout(crate::stage::PATIENCE, child.wait_with_output()).await;
    let output = output.unwrap_or_else(|_| panic!("{} does not end; does its help say `until`?", verb.name)).unwrap();
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Outcome { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// A configuration whose database nobody answers for.
pub fn away(config: &str) -> String {
    let line = |line: &str| match line.starts_with("database_url") {
        true => "database_url = \"mysql://root@127.0.0.1:1/wxops\"\n".to_owned(),
        false => format!("{line}\n"),
    };
    config.lines().map(line).collect()
}

/// A configuration with a key that nobody knows.
pub fn wrong(config: &str) -> String {
    format!("lissten = \"x\"\n{config}")
}

/// Whether a text holds Chinese.
pub fn is_chinese(text: &str) -> bool {
    text.chars().any(|letter| ('\u{4e00}'..'\u{9fff}').contains(&letter))
}

/// Words as a shell parts them.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for letter in line.chars() {
        match (quote, letter) {
            (Some(mark), _) if mark == letter => quote = None,
            (None, '\'' | '"') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.into_iter().chain(word).collect()
}

#[test]
fn a_line_is_parted_as_a_shell_does() {
    assert_eq!(words("a 'b  c' d\"e\" ''"), ["a", "b  c", "de", ""]);
}
