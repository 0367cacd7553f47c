//! A secret that somebody types where it does not belong: as an argument, in a flag that there is or is not.

use super::canary::core;
use super::scene::{Act, FORMS, Scene, every_verb};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_as_an_argument_is_not_repeated() {
    let mut scene = Scene::new();
    let pasted = format!("77_{}_{}", core("an access_token"), core("its other half"));
    scene.canaries.add("the pasted token", &pasted);
    let config = scene.write("wxops.toml", scene.whole("http://127.0.0.1:1"));
    scene.keep_quiet(vec![Act::new("the schema", &["--config", &config, "db", "migrate"])]).await;
    let mut acts = Vec::new();
    let mut number = 0;
    let mut add = |about: &str, args: &[&str]| {
        let act = Act::new(about, &[&["--config", &config], args].concat());
        acts.extend(act.in_forms(&[FORMS[number % 3]]));
        number += 1;
    };
    let verbs = every_verb(scene.folder.path()).await;
    for verb in &verbs {
        let verb: Vec<_> = verb.iter().map(String::as_str).collect();
        let bare: Vec<_> = verb.iter().take_while(|word| word.starts_with(char::is_lowercase)).copied().collect();
        for name in ["WECHAT_APP_SECRET", "WECHAT_AES_KEY", "WXOPS_API_TOKEN"] {
            let value = scene.canaries.value(name);
            add("one argument too many", &[&verb[..], &[value]].concat());
            add("the only argument", &[&bare[..], &["--timeout", "300ms", value]].concat());
        }
        add("a token for an argument", &[&verb[..], &[&pasted]].concat());
    }
    for setting in &scene.canaries.settings {
        let value = setting.value.as_str();
        let flag = setting.variable.to_lowercase().replace('_', "-");
        for args in [
            vec![format!("--{flag}"), value.into()],
            vec![format!("--{flag}={value}")],
            vec![format!("--secret={value}")],
            vec![format!("--{value}")],
            vec![format!("-{value}")],
            vec![format!("{}={value}", setting.variable)],
            vec![format!("--account={value}")],
            vec!["--config".into(), value.into()],
            vec![format!("--timeout={value}")],
            vec!["--format".into(), value.into()],
            vec![format!("--log-format={value}")],
            vec![format!("--color={value}")],
            vec!["--lang".into(), value.into()],
            vec![value.into()],
        ] {
            let args: Vec<_> = args.iter().map(String::as_str).collect();
            add("before the verb", &[&args[..], &["token", "show"]].concat());
            add("behind the verb", &[&["token", "show"], &args[..]].concat());
        }
    }
    // With another file given, the secrets are known from nowhere but the environment.
    for act in &mut acts {
        let settings = scene.canaries.settings.iter().filter(|setting| setting.variable != "DATABASE_URL");
        act.env = settings.map(|setting| (setting.variable.clone(), setting.value.clone())).collect();
    }
    let ended = scene.keep_quiet(acts).await;
    let usage = ended.iter().filter(|(_, outcome)| outcome.code == Some(2)).count();
    assert!(usage * 2 > ended.len(), "{usage} of {} are usage errors", ended.len());
}
