use super::*;

const ACCOUNT: &str = "[official.main]\napp_id = 'wx1'\ntoken = 'ttt'\n";
const KEY: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

fn hook(lines: &str) -> Scene {
    scene().file("wxops.toml", &format!("{ACCOUNT}[[hook]]\n{lines}\n"))
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let good = format!("url = 'https://h.example/x'\nsecret = '{KEY}'\nevents = ['*']");
    let one = |lines: &str| hook(&format!("name = 'crm'\n{lines}"));
    assert_eq!(one(&good).load().hooks[0].place(), "https://h.example");
    for (lines, words) in [
        (good.replace("'*'", "'event.subscribed'"), "did you mean event.subscribe"),
        (good.replace("['*']", "'*'"), "must be a list of texts"),
        (good.replace("https", "http"), "http is allowed to this machine only"),
        (good.replace("https", "ftp"), "not a URL"),
        (good.replace(KEY, "whsec_short"), "24 to 64 bytes"),
        (good.replace("secret", "secrte"), "did you mean secret"),
        (format!("{good}\ncommand = ['/bin/true']"), "not both"),
        (format!("{good}\ntries = 21"), "must be 1 to 20"),
        (format!("{good}\ntries = '2'"), "must be a whole number"),
        (format!("{good}\ntimeout = '2m'"), "at most 60s"),
        (format!("{good}\naccounts = ['shop']"), "there is no account"),
        (format!("{good}\nwhen_unknown = 'never'"), "must be repeat or ask"),
        (format!("{good}\n[[hook]]\nname = 'crm'\n{good}"), "another hook of this name"),
        ("command = ['on-event']\nevents = ['*']".into(), "full path"),
        ("command = ['/bin/true']\nevents = []".into(), "which events"),
        ("events = ['*']".into(), "url or command is missing"),
        ("url = 'https://h.example'\nevents = ['*']".into(), "signed with it"),
    ] {
        let error = Config::load(&one(&lines).sources).unwrap_err();
        let all = format!("{} {}", error.what.en, error.next.as_ref().map_or("", |next| &next.en));
        assert!(all.contains(words) && all.contains("(line ") && error.kind.exit_code() == 78, "{lines}: {all}");
        assert!(!all.contains(&KEY[6..]) && !all.contains("whsec_short"), "{all}");
    }
    let insecure = format!("{}\ninsecure = true", good.replace("https", "http"));
    assert_eq!(one(&insecure).load().hooks.len(), 1);
    for name in ["All", "all", "a b"] {
        let error = Config::load(&hook(&format!("name = '{name}'\n{good}")).sources).unwrap_err();
        assert!(error.what.en.contains("a hook's name is"), "{error}");
    }
}

#[test]
fn every_secret_of_a_hook_is_known() {
    let lines = format!(
        "name = 'crm'\nurl = 'https://u:CANARY-word@h.example/CANARY-of-the-path-0001?key=CANARY-of-the-query'\n\
         secret_file = 'key'\nsecret_previous = '{KEY}'\nproxy = 'http://u:CANARY-of-the-proxy@p'\nevents = ['*']"
    );
    let config = hook(&lines).file("key", "whsec_b2xkIG9sZCBvbGQgb2xkIG9sZCBvbGQgb2xkIG9sZA==\n").load();
    for secret in [
        KEY,
        &KEY[6..],
        "whsec_b2xkIG9sZCBvbGQgb2xkIG9sZCBvbGQgb2xkIG9sZA==",
        "CANARY-word",
        "CANARY-of-the-path-0001",
        "CANARY-of-the-query",
        "CANARY-of-the-proxy",
    ] {
        assert!(config.secrets.iter().any(|known| known.reveal() == secret), "{secret}");
    }
    let shown = format!("{config:#?}");
    assert!(!shown.contains("CANARY") && !shown.contains(&KEY[6..]), "{shown}");
    let origins: Vec<_> = config.origins.settings().filter_map(|setting| setting.value).collect();
    let origins = origins.join(" ");
    assert!(!origins.contains("CANARY") && origins.contains("https://h.example"), "{origins}");
}
