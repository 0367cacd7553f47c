//! Configurations that are wrong, most of them on the very line of a secret.

use super::canary::Canaries;
use super::scene::{Act, FORMS, Scene, every_verb};
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// What may be wrong with a line `key = "value"` of the TOML file.
fn lines(key: &str, value: &str) -> Vec<String> {
    vec![
        format!("{key} = \"{value}"),
        format!("{key} = {value}"),
        format!("{key} = '{value}\""),
        format!("{key} = \"{value}\" {value}"),
        format!("{key} = = \"{value}\""),
        format!("{key} = \"\\q{value}\""),
        format!("{key} = \"{value}\u{7}\""),
        format!("{key}: {value}"),
        format!("{key} \"{value}\""),
        format!("{key} = \"{value}\"\n{key} = \"{value}\""),
        format!("{key} = [\"{value}\"]"),
        format!("{key} = {{ \"{value}\" = 1 }}"),
        format!("{key} = \"\"\"\n{value}\n\"\"\""),
        format!("{key} = \"{value} {value}\""),
        format!("{key} = \"{value}\\n{value}\""),
        format!("{key} = \"{}\"", &value[1..]),
        format!("{key} = \"{value}{value}\""),
        format!("{key} = \"{value}!\""),
        format!("{key}x = \"{value}\""),
        format!("{key}.{key} = \"{value}\""),
        format!("{key}_file = \"{value}\""),
        format!("{key}_file = \"/no/such/{key}\"\n{key} = \"{value}\""),
        format!("[{key}]\n{key} = \"{value}\""),
    ]
}

/// The same of a line of `.env`.
fn dotenv_lines(name: &str, value: &str) -> Vec<String> {
    vec![
        format!("{name}=\"{value}"),
        format!("{name}='{value}"),
        format!("{name}={value} {value}"),
        format!("{name}=\"{value}\" {value}"),
        format!("{name} {value}"),
        format!("{name}: {value}"),
        format!("={value}"),
        format!("{name}={value}\n{name}={value}"),
        format!("{name}X={value}"),
        format!("{name}_FILE={value}"),
        format!("{name}=$'{value}'"),
        format!("{name}=\"{value}\n{value}\""),
        format!("export {name}={value}{value}!"),
        format!("{name}=\\q{value}"),
        format!("{name}=${{{value}"),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_is_wrong_is_not_repeated() {
    let scene = Scene::new();
    let good = scene.whole("http://127.0.0.1:1");
    let mut acts = Vec::new();
    let mut add = |about: String, config: String| {
        let number = acts.len();
        let config = scene.write(&format!("wrong-{number}.toml"), config);
        let verb = [&["token", "show"][..], &["serve", "--timeout", "300ms"]][number % 2];
        let act = Act::new(&about, &[&["--config", &config], verb].concat());
        acts.extend(act.in_forms(&[FORMS[number % 3]]));
    };
    for setting in &scene.canaries.settings {
        let Some(key) = &setting.key else { continue };
        let start = format!("{key} = ");
        for line in lines(key, &setting.value) {
            let config = good.lines().map(|known| if known.starts_with(&start) { &line } else { known });
            add(format!("{line:?}"), config.collect::<Vec<_>>().join("\n"));
        }
    }
    let token = scene.canaries.value("WECHAT_TOKEN");
    for text in [
        format!("official = \"{token}\"\n"),
        format!("[official]\nmain = \"{token}\"\n"),
        format!("{good}mode = \"{token}\"\n"),
        good.replace("\"secure\"", &format!("{token:?}")),
        good.replace("http://127.0.0.1:1", token),
        good.replace("http://127.0.0.1:1", &format!("http://user:{token}@127.0.0.1:1")),
        good.replace("127.0.0.1:0", token),
        format!("log = \"{token}=/\"\n{good}"),
        format!("replay_window = \"{token}\"\nunsubscribe_policy = \"{token}\"\n{good}"),
        format!("{good}proxy = \"{token}\"\n"),
        format!("{good}proxy = \"ftp://user:{token}@host\"\n"),
        format!("{good}default = \"{token}\"\n"),
        format!("{good}\u{feff}{token}\n"),
        token.to_owned(),
    ] {
        add(format!("{text:?}"), text);
    }
    let ended = scene.keep_quiet(acts).await;
    let refused = ended.iter().filter(|(_, outcome)| outcome.code == Some(78)).count();
    assert!(refused * 3 > ended.len() * 2, "{refused} of {} are refused", ended.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_variable_that_is_wrong_is_not_repeated() {
    let scene = Scene::new();
    let mut acts = Vec::new();
    let verbs = [&["token", "show"][..], &["doctor", "--origins"], &["db", "status"], &["serve", "--timeout", "300ms"]];
    let mut number = 0;
    for setting in scene.canaries.settings.iter().filter(|setting| setting.has_variable()) {
        let (name, value) = (&setting.variable, &setting.value);
        for line in dotenv_lines(name, value) {
            let folder = format!("env-{number}");
            scene.write(&format!("{folder}/.env"), format!("WECHAT_APP_ID=wx1\n{line}\nWECHAT_MODE=secure\n"));
            let mut act = Act::new(&format!(".env {line:?}"), verbs[number % 4]);
            act.folder = Some(scene.folder.path().join(folder));
            acts.extend(act.in_forms(&[FORMS[number % 3]]));
            number += 1;
        }
        for (name, value) in [
            (name.clone(), format!("{value} {value}")),
            (name.clone(), format!("{value}\n")),
            (name.clone(), format!("{value}{value}!")),
            (format!("{name}_FILE"), value.clone()),
            (format!("{name}_FILE"), format!("./{value}")),
            ("WXOPS_LISTEN".into(), value.clone()),
            ("WXOPS_LOG".into(), format!("{value}=/")),
            ("WXOPS_LANG".into(), value.clone()),
            ("WXOPS_ACCOUNT".into(), value.clone()),
            ("WXOPS_CONFIG".into(), value.clone()),
            ("WXOPS_PUBLIC_URL".into(), format!("http://user:{value}@host")),
            ("WXOPS_REPLAY_WINDOW".into(), value.clone()),
            ("WECHAT_APP_ID".into(), format!("{value}!")),
            ("WECHAT_MODE".into(), value.clone()),
            ("WECHAT_API_BASE".into(), value.clone()),
            ("DATABASE_URL".into(), value.clone()),
            ("DATABASE_URL".into(), format!("postgres://user:{value}@host/name")),
            ("DATABASE_URL".into(), format!("mysql://user:1/{value}@127.0.0.1/name")),
            ("DATABASE_URL".into(), format!("mysql://user:1#{value}@127.0.0.1/name")),
            ("DB_PORT".into(), value.clone()),
        ] {
            let mut act = Act::new(&format!("{name}={value:?}"), verbs[number % 4]);
            act.env = vec![(name.clone(), value)];
            // The secret itself stands where it belongs, too.
            if *name != setting.variable {
                act.env.push((setting.variable.clone(), setting.value.clone()));
            }
            act.env.push(("WECHAT_APP_ID".into(), "wx1".into()));
            act.env.dedup_by(|later, first| later.0 == first.0);
            acts.extend(act.in_forms(&[FORMS[number % 3]]));
            number += 1;
        }
    }
    scene.keep_quiet(acts).await;
}

/// Modes, owners, folders, bytes that are no text; a database and an accounts file that are none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_cannot_be_read() {
    let scene = Scene::new();
    let good = scene.whole("http://127.0.0.1:1");
    let canaries = &scene.canaries;
    let open = scene.write("open.toml", &good);
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).unwrap();
    let garbage = [good.as_bytes(), b"\xff\xfe"].concat();
    let no_text = scene.write("no-text.toml", garbage);
    let large = scene.write("large.toml", good.repeat(4000));
    let secret = scene.write("secret", [canaries.value("WECHAT_APP_SECRET").as_bytes(), b"\xff"].concat());
    let pointing = good.replace("app_secret = ", &format!("app_secret_file = {secret:?}\n# "));
    let pointing = scene.write("pointing.toml", pointing);
    scene.write("credentials/WECHAT_TOKEN", [canaries.value("WECHAT_TOKEN").as_bytes(), b"\n\n\x07\xff"].concat());
    let no_database = scene.write("no.db", canaries.value("WECHAT_TOKEN").repeat(100));
    let no_database = good.replace(&scene.folder.path().join("wxops.db").display().to_string(), &no_database);
    let no_database = scene.write("no-database.toml", no_database);
    let folder = scene.folder.path().to_str().unwrap();

    let mut acts = Vec::new();
    for config in [&open, &no_text, &large, &pointing, &no_database, folder] {
        for (number, verb) in every_verb(scene.folder.path()).await.into_iter().enumerate() {
            let mut act = Act::new("a file", &["--config", config]);
            act.args.extend(verb);
            acts.extend(act.in_forms(&[FORMS[number % 3]]));
        }
    }
    let mut act = Act::new("credentials", &["token", "show"]);
    act.env = vec![
        ("CREDENTIALS_DIRECTORY".into(), scene.folder.path().join("credentials").display().to_string()),
        ("WECHAT_APP_ID".into(), "wx1".into()),
    ];
    acts.extend(act.in_forms(&FORMS));
    for (number, text) in accounts_files(canaries).iter().enumerate() {
        let file = scene.write(&format!("accounts-{number}.toml"), text);
        let run = ["sandbox", "run", "--listen", "127.0.0.1:0", "--timeout", "300ms", "--accounts-file", &file];
        acts.extend(Act::new(&format!("{text:?}"), &run).in_forms(&FORMS));
    }
    scene.keep_quiet(acts).await;
}

fn accounts_files(canaries: &Canaries) -> Vec<String> {
    let good = "[official.main]\napp_id = \"wx1\"\noriginal_id = \"gh_1\"\ntoken = \"abc\"\n";
    let value = canaries.value("WECHAT_APP_SECRET");
    let mut all: Vec<_> = lines("app_secret", value).iter().map(|line| format!("{good}{line}\n")).collect();
    all.push(format!("official = \"{value}\"\n"));
    all.push(format!("[official]\nmain = \"{value}\"\n"));
    all.push(format!("{good}secret = \"{value}\"\nmode = \"{value}\"\n"));
    all.push(format!("{good}secret = \"{value}\"\naes_key = \"{value}\"\n"));
    all
}
