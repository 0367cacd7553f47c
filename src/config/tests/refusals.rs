//! Every refusal, with the whole message.

use super::*;

/// Each wrong variable, with the whole message.
#[test]
fn a_wrong_variable_is_named() {
    const TOKEN: &str = "a Token is 3 to 32 letters and digits, as the console takes it";
    let long = "x".repeat(65);
    let cases: &[(&str, &str, &str)] = &[
        ("WECHAT_AES_KEY", &KEY[1..], "an EncodingAESKey has 43 letters, this one has 42"),
        ("WECHAT_MODE", "safe", "must be plain, compat or secure"),
        ("WECHAT_MODE", "secure", "this mode needs the EncodingAESKey, and it is missing"),
        ("WECHAT_MODE", "compat", "this mode needs the EncodingAESKey, and it is missing"),
        ("WECHAT_TOKEN_PREVIOUS", "old", "WECHAT_TOKEN is missing beside it"),
        ("WECHAT_AES_KEY_PREVIOUS", KEY, "WECHAT_AES_KEY is missing beside it"),
        ("WECHAT_TOKEN", "a b", "has a blank in it"),
        ("WECHAT_TOKEN", "ab", TOKEN),
        ("WECHAT_TOKEN", &long[..33], TOKEN),
        ("WECHAT_TOKEN", "with-dash", TOKEN),
        ("WECHAT_TOKEN", "令牌", TOKEN),
        ("WECHAT_APP_ID", "wx1", "both WECHAT_TOKEN and WECHAT_APP_SECRET are missing"),
        ("WECHAT_APP_ID", &long, "may hold only letters, digits, _ and -"),
        (
            "WECHAT_API_BASE",
            "http://10.0.0.1:9090",
            "http is allowed to this machine only (127.0.0.1, ::1, localhost): the AppSecret travels over it",
        ),
        (
            "WECHAT_API_BASE",
            "http://127.0.0.1.evil.example",
            "http is allowed to this machine only (127.0.0.1, ::1, localhost): the AppSecret travels over it",
        ),
        ("WECHAT_API_BASE", "https://u:p@api.example", "a base URL has no user, password, ? or #"),
        ("WXOPS_PUBLIC_URL", "example.com", "not a URL that begins with https:// or http://"),
        ("WXOPS_PUBLIC_URL", "ftp://example.com", "not a URL that begins with https:// or http://"),
        ("WXOPS_LISTEN", "8080", "not an address and port, such as 127.0.0.1:8080 or [::1]:8080"),
        ("WXOPS_METRICS_LISTEN", "localhost", "not an address and port, such as 127.0.0.1:8080 or [::1]:8080"),
        ("WXOPS_METRICS_LISTEN", "127.0.0.1:8080", "metrics never share the public listener"),
        ("WXOPS_REPLAY_WINDOW", "5", "not a length of time; write a number and ms, s, m, h or d, such as 5m"),
        ("WXOPS_UNSUBSCRIBE_POLICY", "drop", "must be erase or keep"),
        (
            "WXOPS_USER_MAPPING_TIMEZONE",
            "Asia/Shanghai",
            "not an offset from UTC between -12:59 and +14:00, such as +08:00",
        ),
        ("WXOPS_USER_MAPPING_TIMEZONE", "+8:00", "not an offset from UTC between -12:59 and +14:00, such as +08:00"),
        ("WXOPS_USER_MAPPING_TIMEZONE", "+14:01", "not an offset from UTC between -12:59 and +14:00, such as +08:00"),
        ("WXOPS_LOG", "wxops=loud", "not a log filter, such as info or info,wxops=debug"),
        ("WXOPS_LANG", "fr", "must be zh or en"),
        ("WXOPS_ALERT_WEBHOOK", "hush", "not the webhook of a WeCom group robot"),
        (
            "WXOPS_ALERT_WEBHOOK",
            "https://qyapi.weixin.qq.com/cgi-bin/webhook/send",
            "not the webhook of a WeCom group robot",
        ),
        (
            "WXOPS_ALERT_WEBHOOK",
            "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=",
            "not the webhook of a WeCom group robot",
        ),
        (
            "WXOPS_ALERT_WEBHOOK",
            "https://qyapi.weixin.qq.com/cgi-bin/message/send?key=hush",
            "not the webhook of a WeCom group robot",
        ),
        (
            "WXOPS_ALERT_WEBHOOK",
            "http://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=hush",
            "not the webhook of a WeCom group robot",
        ),
        (
            "WXOPS_ALERT_WEBHOOK",
            "https://qyapi.weixin.qq.com.example/cgi-bin/webhook/send?key=hush",
            "not the webhook of a WeCom group robot",
        ),
        (
            "WXOPS_ALERT_WEBHOOK",
            "http://127.0.0.1.example/cgi-bin/webhook/send?key=hush",
            "not the webhook of a WeCom group robot",
        ),
        ("WXOPS_API_TOKEN", "a\nb", "has a line break or another control character in it"),
        ("DATABASE_URL", "postgres://h/d", "must be sqlite://FILE or mysql://USER:PASSWORD@HOST:PORT/NAME"),
        ("DATABASE_URL", "mysql://u:hush@h", "must be sqlite://FILE or mysql://USER:PASSWORD@HOST:PORT/NAME"),
        ("DATABASE_URL", "sqlite://", "names no file; write sqlite://wxops.db"),
        ("DB_HOST", "db", "DB_USER is missing beside it"),
    ];
    for (name, text, why) in cases {
        let (en, _) = scene().env(&[(*name, text)]).refused();
        assert_eq!(en, format!("{name} (environment variable {name}): {why}"), "{name}={text}");
        let (en, _) = scene().file(".env", &format!("\n{name}='{text}'\n")).refused();
        assert!(*text == "a\nb" || en == format!("{name} (line 2 of DIR/.env): {why}"), "{name}={text}: {en}");
    }
    let (en, _) = scene().env(&[("WECHAT_TOKEN", "new"), ("WECHAT_TOKEN_PREVIOUS", "x")]).refused();
    assert_eq!(en, format!("WECHAT_TOKEN_PREVIOUS (environment variable WECHAT_TOKEN_PREVIOUS): {TOKEN}"));
    let no_token = [("WECHAT_APP_ID", "wx1"), ("WECHAT_AES_KEY", KEY), ("WECHAT_APP_SECRET", "s")];
    let (en, _) = scene().env(&no_token).refused();
    assert_eq!(
        en,
        "WECHAT_APP_ID (environment variable WECHAT_APP_ID): WECHAT_TOKEN is missing: callbacks can't be verified"
    );
}

/// Each wrong file, with the whole message and the mend.
#[test]
fn a_wrong_file_is_named_with_its_line() {
    let cases: &[(&str, &str, &str)] = &[
        ("listne = \"x\"\n", "listne (line 1 of DIR/wxops.toml): unknown key", "did you mean listen?"),
        ("\n[oficial.main]\n", "oficial (line 2 of DIR/wxops.toml): unknown key", "did you mean official?"),
        (
            "[official.main]\napp_id='1'\ntokn='t'\n",
            "official.main.tokn (line 3 of DIR/wxops.toml): unknown key",
            "did you mean token?",
        ),
        (
            "[official.Main]\n",
            "official.Main (line 1 of DIR/wxops.toml): an account's name is 1 to 32 of a-z 0-9 _ -, and not \"all\"",
            "",
        ),
        (
            "[official.all]\n",
            "official.all (line 1 of DIR/wxops.toml): an account's name is 1 to 32 of a-z 0-9 _ -, and not \"all\"",
            "",
        ),
        (
            "log = \"info\"\n[official.main]\ntoken='ttt'\n",
            "official.main (line 2 of DIR/wxops.toml): app_id is missing",
            "",
        ),
        (
            "[official.main]\napp_id = 7\n",
            "official.main.app_id (line 2 of DIR/wxops.toml): must be text in quotes",
            "",
        ),
        (
            "[official.main]\ndefault = 'yes'\n",
            "official.main.default (line 2 of DIR/wxops.toml): must be true or false",
            "",
        ),
        ("official = 3\n", "official (line 1 of DIR/wxops.toml): must be a table, such as [official.main]", ""),
        (
            "[official.main]\napp_id='1'\ntoken='it is hush'\n",
            "official.main.token (line 3 of DIR/wxops.toml): has a blank in it",
            "",
        ),
        (
            "[official.main]\napp_id='1'\ntoken='to'\n",
            "official.main.token (line 3 of DIR/wxops.toml): a Token is 3 to 32 letters and digits, as the console takes it",
            "",
        ),
        (
            "[official.main]\napp_id='1'\ntoken='ttt'\naes_key='short'\n",
            "official.main.aes_key (line 4 of DIR/wxops.toml): an EncodingAESKey has 43 letters, this one has 5",
            "",
        ),
        (
            "[official.a]\napp_id='1'\ntoken='ttt'\n[official.b]\napp_id='1'\ntoken='ttt'\n",
            "official.b (line 4 of DIR/wxops.toml): has the same app_id as official.a",
            "",
        ),
        (
            "[official.a]\napp_id='1'\ntoken='ttt'\ndefault=true\n[official.b]\napp_id='2'\ntoken='ttt'\ndefault=true\n",
            "official.b (line 5 of DIR/wxops.toml): a second account is marked default",
            "",
        ),
        (
            "[official.a]\napp_id='1'\nmode='secure'\ntoken='ttt'\n",
            "official.a.mode (line 3 of DIR/wxops.toml): this mode needs the EncodingAESKey, and it is missing",
            "set WECHAT_AES_KEY to the 43 letters of the console",
        ),
        (
            "[official.a]\napp_id='1'\ntoken='ttt'\nproxy='10.0.0.1:3128'\n",
            "official.a.proxy (line 4 of DIR/wxops.toml): not a URL that begins with https:// or http://",
            "",
        ),
        (
            "api_token_file = 'gone'\n",
            "api_token_file: there is no such file; its name is not shown, for it may be the secret itself",
            "write the file's full path, or set api_token to the secret",
        ),
    ];
    for (text, what, next) in cases {
        let refused = scene().file("wxops.toml", text).refused();
        assert_eq!(refused, ((*what).to_owned(), (*next).to_owned()), "{text}");
    }
    let two = "[official.a]\napp_id='1'\ntoken='ttt'\n[official.b]\napp_id='2'\ntoken='ttt'\n";
    let (en, next) = scene().file("wxops.toml", two).env(&[("WECHAT_APP_SECRET", "s")]).refused();
    assert_eq!(
        en,
        "WECHAT_APP_SECRET (environment variable WECHAT_APP_SECRET): it does not say which account it is for: a, b"
    );
    assert_eq!(next, "mark one account with default = true");
}

#[test]
fn a_broken_file_keeps_its_secrets() {
    let (en, _) = scene().file("wxops.toml", "log = \"info\"\napi_token = \"hush hush\n").refused();
    assert!(en.starts_with("line 2 of DIR/wxops.toml is not TOML: ") && !en.contains("hush"), "{en}");
    let (en, next) = scene().file(".env", "A=1\nWXOPS_API_TOKEN=hush hush\n").refused();
    assert_eq!(en, "line 2 of DIR/.env: not of the form NAME=value");
    assert!(next.contains("single quotes"));
    let (en, _) = scene().file_mode("wxops.toml", "", 0o600).env(&[("WXOPS_CONFIG", "DIR/other.toml")]).refused();
    assert_eq!(en, "cannot read DIR/other.toml: No such file or directory (os error 2)");
    let (en, next) = scene().file(".env", "\nWECHAT_APPID=wx1\n").refused();
    assert_eq!(
        (en.as_str(), next.as_str()),
        ("WECHAT_APPID (line 2 of DIR/.env): unknown key", "did you mean WECHAT_APP_ID?")
    );
    let (en, _) = scene().file(".env", "WXOPS_LOG=info\n\nWXOPS_LOG=debug\n").refused();
    assert_eq!(en, "WXOPS_LOG (lines 1, 3 of DIR/.env): given twice");
    let (en, _) = scene().file("empty", "\n").env(&[("WECHAT_TOKEN_FILE", "DIR/empty")]).refused();
    assert_eq!(en, "WECHAT_TOKEN_FILE (file DIR/empty): the file is empty");
}

/// Every mode of nine bits: 0600, 0640, 0400, 0440 and what is stricter pass, everything else is refused.
#[test]
fn only_private_files_are_read() {
    let readable = |mode: u32| mode & 0o137 == 0;
    for mode in 0..0o1000_u32 {
        if mode & 0o400 == 0 {
            continue;
        }
        let scene = scene().file_mode(".env", "WXOPS_LOG=debug\n", mode);
        if readable(mode) {
            assert_eq!(scene.load().log, "debug", "{mode:04o}");
            continue;
        }
        let (en, next) = scene.refused();
        assert_eq!(en, format!("DIR/.env has mode {mode:04o}: it may hold secrets, so nobody else may have access"));
        assert_eq!(next, "chmod 600 DIR/.env");
    }
    for name in ["wxops.toml", "etc/wxops.toml"] {
        let (en, _) = scene().file_mode(name, "", 0o644).refused();
        assert!(en.starts_with(&format!("DIR/{name} has mode 0644")), "{en}");
    }
    let pointed = scene().file_mode("token", "x", 0o604).env(&[("WECHAT_TOKEN_FILE", "DIR/token")]);
    assert!(pointed.refused().0.starts_with("WECHAT_TOKEN_FILE: DIR/token has mode 0604"));
}

/// systemd's files are taken as systemd made them, and no other by a path that leads out of its folder.
#[test]
fn credentials_are_taken_as_they_are() {
    let at = |config: &str| {
        scene()
            .file_mode("credentials/wxops.toml", "log = \"debug\"\napi_token_file = \"token\"\n", 0o444)
            .file_mode("credentials/token", "hush\n", 0o444)
            .file_mode("open.toml", "log = \"debug\"\n", 0o444)
            .env(&[("CREDENTIALS_DIRECTORY", "DIR/credentials"), ("WXOPS_CONFIG", config)])
    };
    let config = at("DIR/credentials/wxops.toml").load();
    assert_eq!((config.log.as_str(), config.api_token.unwrap().reveal()), ("debug", "hush"));
    for path in ["DIR/open.toml", "DIR/credentials/../open.toml"] {
        assert!(at(path).refused().0.contains("open.toml has mode 0444"), "{path}");
    }
}

#[test]
fn a_strangers_file_is_refused() {
    let mut scene = scene().file(".env", "");
    let owner = scene.sources.uid;
    if owner == 0 {
        std::os::unix::fs::chown(scene.path(".env"), Some(12345), None).unwrap();
        let (en, next) = scene.refused();
        assert_eq!(en, "DIR/.env belongs to user 12345, not to user 0 or root");
        assert_eq!(next, "chown 0 DIR/.env");
    } else {
        scene.sources.uid = owner + 1;
        assert!(scene.refused().0.contains(&format!("belongs to user {owner}")));
    }
}

#[test]
fn a_half_account_says_what_is_missing() {
    let config = scene().env(&[("WECHAT_TOKEN", "ttt")]).load();
    assert!(config.officials.is_empty());
    let error = config.official(None).unwrap_err();
    assert_eq!(error.what.en, "WECHAT_TOKEN (environment variable WECHAT_TOKEN): set, but WECHAT_APP_ID is not");
}

/// A mode that a container's mount sets is let pass with one warning; only root can play this.
#[test]
fn a_containers_mount_is_warned_of() {
    let Ok(dir) = tempfile::tempdir_in("/dev/shm") else { return };
    let same_mount = fs::metadata("/").unwrap().dev() == fs::metadata(dir.path()).unwrap().dev();
    let mut scene = scene();
    if scene.sources.uid != 0 || same_mount {
        return;
    }
    scene.dir = dir;
    scene.sources.dir = scene.dir.path().to_owned();
    scene.sources.etc = scene.path("etc/wxops.toml");
    let mut scene = scene.file_mode(".env", "WXOPS_LOG=debug\n", 0o644);
    assert!(scene.refused().0.contains("mode 0644"));
    scene.sources.container = true;
    let config = scene.load();
    assert_eq!((config.log.as_str(), config.warnings.len()), ("debug", 1));
    assert!(config.warnings[0].en.contains(".env has mode 0644"), "{:?}", config.warnings);
    assert!(scene.file_mode(".env", "", 0o664).refused().0.contains("mode 0664"));
}

#[test]
fn a_queue_that_can_not_be_is_refused_with_its_line() {
    for (line, wanted) in [
        ("members_table = 'a`b'", "queue.members_table (line 2 of"),
        ("fields = ['a', 'A']", "A is in it twice"),
        ("fields = 'a b'", "not the name of a table or column"),
        ("kinds = ['new', 'gone']", "may hold only new, changed and status"),
        ("capture = 'trap'", "must be trigger or poll"),
        ("max_attempts = 0", "from 1 to 20"),
        ("databse_url = 'x'", "did you mean queue.database_url"),
        ("database_url = 'redis://h'", "queue.database_url (line 2 of"),
        ("kinds = 'new, status'\ncapture = 'poll'", "polling sees new members alone"),
    ] {
        let error = Config::load(&scene().file("wxops.toml", &format!("[queue]\n{line}\n")).sources).unwrap_err();
        let text = format!("{} {}", error.what.en, error.next.as_ref().map_or("", |next| next.en.as_str()));
        assert!(text.contains(wanted) && error.kind == Kind::Config, "{line}: {text}");
    }
}
