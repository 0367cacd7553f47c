use super::*;

/// Every secret, in each of the places where one may stand.
fn full() -> Scene {
    let toml = "
        api_token = 'CANARY-of-the-file'
        [official.main]
        app_id = 'wx1'
        app_secret_file = 'secret'
        token = 'CANARYtoken'
        aes_key = 'CANARYijklmnopqrstuvwxyz0123456789ABCDEFGHI'
        proxy = 'http://user:CANARY-of-the-proxy@h'
    ";
    let env = [
        ("DATABASE_URL", "mysql://u:CANARY%40of-the-url@h/d"),
        ("DB_PASSWORD", "CANARY-of-no-host"),
        ("WECHAT_TOKEN", "CANARYabove"),
        ("WXOPS_ALERT_WEBHOOK", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=CANARY-robot"),
    ];
    scene().file("wxops.toml", toml).file("secret", "CANARY-of-its-own-file\n").env(&env)
}

#[test]
fn every_secret_is_known() {
    let config = full().load();
    for secret in [
        "CANARY-of-the-file",
        "CANARY-of-its-own-file",
        "CANARYtoken",
        "CANARYabove",
        "CANARYijklmnopqrstuvwxyz0123456789ABCDEFGHI",
        "CANARY-of-the-proxy",
        "CANARY%40of-the-url",
        "CANARY@of-the-url",
        "CANARY-of-no-host",
        "CANARY-robot",
    ] {
        assert!(config.secrets.iter().any(|known| known.reveal() == secret), "{secret}");
    }
}

/// Also those of a configuration that is refused.
#[test]
fn secrets_of_what_does_not_load_are_known() {
    let scene = full().file("wxops.toml", "listen = 'x'\napi_token = 'CANARY-of-the-file'\n");
    assert!(Config::load(&scene.sources).is_err());
    let known: Vec<_> = secrets(&scene.sources).iter().map(|secret| secret.reveal().to_owned()).collect();
    assert!(known.contains(&"CANARY-of-the-file".into()) && known.contains(&"CANARYabove".into()), "{known:?}");
    let broken = full().file("wxops.toml", "api_token = 'CANARY-of-the-file\n");
    assert!(secrets(&broken.sources).iter().any(|secret| secret.reveal() == "CANARYabove"));
}

#[test]
fn nothing_shows_one_by_accident() {
    let scene = full();
    let config = scene.load();
    let shown = format!("{config:#?} {:#?}", scene.sources);
    assert!(!shown.contains("CANARY") && shown.contains("***"), "{shown}");
}
