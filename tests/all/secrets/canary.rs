//! Secrets that nobody else has, and a look for them in every form that a program may give them.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha1::{Digest, Sha1};
use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// So many letters of a secret in a row are a leak.
const TRACE: usize = 8;

/// A secret setting of the program, as the README tells of it.
pub struct Setting {
    /// Its variable; the key, where only the file has it.
    pub variable: String,
    /// Its key in the TOML file.
    pub key: Option<String>,
    pub value: String,
}

impl Setting {
    /// Whether the environment may have it.
    pub fn has_variable(&self) -> bool {
        self.key.as_ref() != Some(&self.variable)
    }

    /// The table that its key stands in, such as `official`; at the top of the file an empty one.
    pub fn table(&self) -> &'static str {
        match self.variable.as_str() {
            name if name.starts_with("WECHAT_") => "official",
            name if name.starts_with("WECOM_") => "wecom",
            name if name.starts_with("MINIGAME_") || name == "token_from_key" => "minigame",
            _ => "",
        }
    }
}

/// All secrets of a scene.
pub struct Canaries {
    pub settings: Vec<Setting>,
    /// The key of a hook, and a word of its address.
    pub hook: (String, String),
    /// What a client of the token service proves itself with.
    pub client: String,
    traces: HashMap<[u8; TRACE], String>,
}

impl Canaries {
    /// A value of its own for every secret setting, also those of later versions.
    pub fn of_the_program() -> Self {
        let hook = (format!("whsec_{}=", aes_key("the key of a hook")), core("the address of a hook"));
        let client = core("the token of a client");
        let (settings, traces) = (Vec::new(), HashMap::new());
        let mut canaries = Canaries { settings, hook: hook.clone(), client: client.clone(), traces };
        canaries.add("the token of a client", &client);
        canaries.add("the key of a hook", &hook.0[6..]);
        canaries.add("the address of a hook", &hook.1);
        for (variable, key) in secret_settings() {
            let (value, secret) = shaped(&variable);
            canaries.add(&variable, &secret);
            canaries.settings.push(Setting { variable, key, value });
        }
        assert!(canaries.settings.len() > 6, "the README marks secrets");
        canaries
    }

    /// The value of a setting.
    pub fn value(&self, variable: &str) -> &str {
        &self.settings.iter().find(|setting| setting.variable == variable).expect(variable).value
    }

    /// Another secret that must not be seen.
    pub fn add(&mut self, name: &str, secret: &str) {
        for form in forms(secret.as_bytes()) {
            for trace in form.windows(TRACE) {
                self.traces.insert(trace.try_into().unwrap(), name.to_owned());
            }
        }
    }

    /// The names of the secrets that are seen in what was said.
    pub fn seen_in(&self, said: &str) -> Vec<String> {
        let mut seen: Vec<_> =
            said.as_bytes().windows(TRACE).filter_map(|part| self.traces.get(part)).cloned().collect();
        seen.sort();
        seen.dedup();
        seen
    }
}

/// Letters and digits that only this name has.
pub fn core(name: &str) -> String {
    STANDARD.encode(digest(name)).chars().filter(char::is_ascii_alphanumeric).take(24).collect()
}

/// The console's 43 letters.
pub fn aes_key(name: &str) -> String {
    let bytes = [digest(name), digest(&format!("{name} again"))].concat();
    STANDARD_NO_PAD.encode(&bytes[..32])
}

/// Lowercase hex, as an AppSecret is.
pub fn hex(name: &str) -> String {
    hex_of(&digest(name))[..32].to_owned()
}

/// The value of a setting, and what of it is secret.
fn shaped(variable: &str) -> (String, String) {
    let core = core(variable);
    match variable {
        "DATABASE_URL" | "WXOPS_QUEUE_DATABASE_URL" => (format!("mysql://canary:{core}@127.0.0.1:1/canary"), core),
        "REDIS_URL" => (format!("redis://:{core}@127.0.0.1:1/0"), core),
        "DB_PASSWORD" => whole(format!("{core}@:/?#[]%&+ '\"\\")),
        _ if variable.contains("AES_KEY") => whole(aes_key(variable)),
        _ if variable.ends_with("APP_SECRET") => whole(hex(variable)),
        _ if variable.starts_with("WECHAT_TOKEN") || variable.starts_with("WECOM_TOKEN") => whole(core),
        "WECOM_WEBHOOK_KEY" => whole(core),
        _ if variable.contains("WEBHOOK") => (format!("http://127.0.0.1:1/cgi-bin/webhook/send?key={core}"), core),
        _ => whole(format!("{core}+/=")),
    }
}

fn whole(value: String) -> (String, String) {
    (value.clone(), value)
}

fn secret_settings() -> Vec<(String, Option<String>)> {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let row = |line: &str| -> Option<(String, Option<String>)> {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let variable = cells.get(1)?.strip_suffix(" (secret)")?.trim_matches('`');
        let key = cells.get(2)?.strip_prefix('`').map(|key| key.trim_end_matches('`').to_owned());
        let variable = if variable == "–" { key.clone()? } else { variable.to_owned() };
        Some((variable, key))
    };
    page.lines().filter_map(row).collect()
}

/// As it is, percent-encoded, in hex, in base64 wherever in a longer text it begins, and as a string of a program.
fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
    let text = String::from_utf8_lossy(secret);
    let percent = |others: &[u8], upper: bool| -> String {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || others.contains(byte);
        let encoded = |byte: &u8| if upper { format!("%{byte:02X}") } else { format!("%{byte:02x}") };
        secret.iter().map(|byte| if plain(byte) { char::from(*byte).into() } else { encoded(byte) }).collect()
    };
    let mut forms = vec![
        secret.to_vec(),
        percent(b"", true).into_bytes(),
        percent(b"", false).into_bytes(),
        percent(b"-_.~", true).into_bytes(),
        percent(b"-_.~", false).into_bytes(),
        percent(b"-_.*", true).into_bytes(),
        hex_of(secret).into_bytes(),
        hex_of(secret).to_uppercase().into_bytes(),
        format!("{text:?}").into(),
        serde_json::json!(text).to_string().into(),
    ];
    for offset in 0..3 {
        let mut bytes = vec![0; offset];
        bytes.extend(secret);
        let encoded = STANDARD_NO_PAD.encode(&bytes);
        let own = &encoded[(offset * 4).div_ceil(3)..bytes.len() * 4 / 3];
        forms.extend([own.into(), own.replace('+', "-").replace('/', "_").into()]);
    }
    forms
}

fn digest(name: &str) -> [u8; 20] {
    Sha1::digest(format!("the canary called {name}")).into()
}

fn hex_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is not found can't be missed: each form, also a part of it.
#[test]
fn a_leak_is_found_in_every_form() {
    let mut canaries = Canaries::of_the_program();
    canaries.add("sent", "a+b/c=d&e f\"g-0123456789");
    assert!(canaries.seen_in("").is_empty() && canaries.seen_in("error: WECHAT_TOKEN is missing").is_empty());
    for (said, name) in [
        (format!("token={}", canaries.value("WECHAT_TOKEN")), "WECHAT_TOKEN"),
        (format!("cut short: {}…", &canaries.value("WECHAT_APP_SECRET")[3..11]), "WECHAT_APP_SECRET"),
        (STANDARD.encode(format!("user:{}", canaries.value("WXOPS_API_TOKEN"))), "WXOPS_API_TOKEN"),
        (hex_of(canaries.value("WECHAT_AES_KEY").as_bytes()), "WECHAT_AES_KEY"),
        ("?access_token=a%2Bb%2Fc%3Dd".into(), "sent"),
        ("?access_token=a%2bb%2fc%3dd".into(), "sent"),
        ("{\"x\":\"b/c=d&e f\\\"g\"}".into(), "sent"),
    ] {
        assert_eq!(canaries.seen_in(&said), [name], "{said}");
    }
}
