//! What can be explained in a text: a word alone, or what stands somewhere in a line. Lines are bounded by the reader;
//! nothing of a line is shown again but numbers, names of ours and ids.

use super::code::{Code, platform_of};
use super::own::{self, Own};
use super::shown::Explained;
use super::{exit, mass, reason};
use crate::platform::errcode::lookup;
use crate::wire::cause::Cause;
use crate::wire::reason::Reason;

/// Findings of one kind in a line.
const MOST: usize = 20;
/// Letters behind an errcode that may name an address.
const BEHIND: usize = 300;
/// How an errcode is written: ours and the platform's, those of common SDKs.
const ERRCODE: [&str; 5] = ["errcode", "err_code", "error code", "错误代码", "返回码"];
/// How an exit code is written: shells, systemd, docker, cron wrappers.
const EXIT: [&str; 8] = [
    "exit code",
    "exit status",
    "exit_code",
    "exited with code",
    "exited with status",
    "exited",
    "code=exited, status",
    "exit",
];

/// Something that can be explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Finding {
    Code(Code),
    Mass(u32),
    Exit(i64),
    Signal(i64),
    Reason(Reason),
    Cause(Cause),
    Own(&'static Own),
}

impl Finding {
    /// The explanation, as of `now_ms`.
    pub fn explain(&self, now_ms: i64) -> Explained {
        match self {
            Finding::Code(code) => code.explain(now_ms),
            Finding::Mass(number) => mass::explain(*number),
            Finding::Exit(code) => exit::code(*code),
            Finding::Signal(number) => exit::signal(*number),
            Finding::Reason(name) => reason::reason(*name),
            Finding::Cause(name) => reason::cause(name),
            Finding::Own(own) => own.explain(),
        }
    }
}

/// What a line holds: things to explain, and ids of requests.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Things to explain, in the order in which they are best read.
    pub findings: Vec<Finding>,
    /// Ids of requests.
    pub rids: Vec<String>,
}

/// A text that is one thing and nothing else: a number, the name of a reason, a rid, as people copy them.
pub(super) fn word(text: &str) -> Option<Found> {
    let around = |c: char| c.is_whitespace() || ",;:.()[]\"'`，。；：（）“”".contains(c);
    let lower = text.trim_matches(around).to_ascii_lowercase();
    let text = lower.as_str();
    if is_rid(text) {
        return Some(Found { rids: vec![lower], ..Found::default() });
    }
    let one = |finding| Some(Found { findings: vec![finding], ..Found::default() });
    if let Ok(number) = text.parse::<i64>() {
        let exit = exit::is_ours(number).then_some(Finding::Exit(number));
        let code = Finding::Code(Code::bare(number));
        let findings = match (lookup(platform_of(number), number), exit) {
            (Some(_), Some(exit)) => vec![code, exit],
            (None, Some(exit)) => vec![exit],
            (_, None) => vec![code],
        };
        return Some(Found { findings, ..Found::default() });
    }
    Reason::named(text).map(Finding::Reason).or_else(|| Cause::named(text).map(Finding::Cause)).and_then(one)
}

/// All that a line holds. What says more hides what says less: a proven cause its reason, an errcode the message around
/// it and the exit code that follows from it.
pub(super) fn line(text: &str) -> Found {
    // Of JSON within JSON the slashes are of no interest.
    let text = text.replace('\\', " ");
    let lower = text.to_ascii_lowercase();
    let rids: Vec<String> = rids(&lower);
    let mut findings = codes(&text, &lower, rids.first());
    findings
        .extend(numbers(&lower, "err", &['(']).into_iter().filter_map(|n| u32::try_from(n).ok()).map(Finding::Mass));
    let causes = named(&lower, "cause").into_iter().filter_map(Cause::named).map(Finding::Cause);
    let before = findings.len();
    findings.extend(causes);
    if findings.len() == before {
        findings.extend(named(&lower, "reason").into_iter().filter_map(Reason::named).map(Finding::Reason));
    }
    if findings.is_empty() {
        findings.extend(own::find(&text).map(Finding::Own));
    }
    if findings.is_empty() {
        findings.extend(exits(&lower));
    }
    Found { findings, rids }
}

fn codes(text: &str, lower: &str, rid: Option<&String>) -> Vec<Finding> {
    let mut codes: Vec<(usize, Code)> = Vec::new();
    for word in ERRCODE {
        for (at, number) in numbers_at(lower, word, &[' ', '"', '\'', ':', '=', '>', '：', '\t']) {
            let behind: String = text[at..].chars().take(BEHIND).collect();
            let address = ["invalid ip ", "from ip: "].iter().find_map(|word| behind.find(word));
            let errmsg = address.map(|from| behind[from..].to_owned());
            codes.push((at, Code { api: api(&text[..at]), errmsg, rid: rid.cloned(), ..Code::bare(number) }));
        }
    }
    codes.sort_by_key(|(at, _)| *at);
    codes.truncate(MOST);
    codes.into_iter().map(|(_, code)| Finding::Code(code)).collect()
}

/// The API in `user/info: errcode 40003`, as our own errors are written; empty where there is none.
fn api(before: &str) -> String {
    let Some(head) = before.strip_suffix(": ").or_else(|| before.strip_suffix('：')) else { return String::new() };
    let start = head
        .rfind(|c: char| !(c.is_ascii_lowercase() || c == '_' || c == '/'))
        .map_or(0, |at| at + head[at..].chars().next().map_or(1, char::len_utf8));
    let name = &head[start..];
    if name.contains('/') || matches!(name, "token" | "stable_token" | "gettoken") {
        name.to_owned()
    } else {
        String::new()
    }
}

fn exits(lower: &str) -> Option<Finding> {
    let status = |signs: &[char]| numbers(lower, "status", signs).first().copied();
    if lower.contains("code=killed") || lower.contains("code=dumped") {
        return status(&['=']).map(Finding::Signal);
    }
    // `status=78/CONFIG`, as systemctl shows it; a bare status is an HTTP server's.
    let named = status(&['=']).filter(|code| lower.contains(&format!("status={code}/")));
    let json = numbers(lower, "\"code\"", &[':', ' ']);
    let json = json.first().filter(|_| lower.contains("\"exit_error\""));
    let told = EXIT.iter().flat_map(|word| numbers(lower, word, &['=', ':', ' ', '(']));
    let signal = || numbers(lower, "signal", &[' ', '=', ':']).first().copied().map(Finding::Signal);
    named.or(json.copied()).or(told.into_iter().next()).map(Finding::Exit).or_else(signal)
}

/// The numbers behind a word and these signs.
fn numbers(lower: &str, word: &str, signs: &[char]) -> Vec<i64> {
    numbers_at(lower, word, signs).into_iter().map(|(_, number)| number).collect()
}

/// Where the word stands, and the number behind it and at least one of the signs.
fn numbers_at(lower: &str, word: &str, signs: &[char]) -> Vec<(usize, i64)> {
    let read = |(at, _): (usize, &str)| {
        let behind = &lower[at + word.len()..];
        let number = behind.trim_start_matches(signs);
        let gap = behind.len() - number.len();
        let length = number.find(|c: char| !(c.is_ascii_digit() || c == '-')).unwrap_or(number.len());
        let glued = number[length..].starts_with(|c: char| c.is_ascii_alphanumeric());
        let whole = starts_word(lower, at) && (1..=12).contains(&gap) && !glued;
        number[..length].parse().ok().filter(|_| whole).map(|number| (at, number))
    };
    lower.match_indices(word).filter_map(read).take(MOST).collect()
}

/// The names behind a word: `reason=signature`, `"reason":"signature"`.
fn named<'a>(lower: &'a str, word: &str) -> Vec<&'a str> {
    let read = |(at, _): (usize, &str)| {
        let behind = &lower[at + word.len()..];
        let name = behind.trim_start_matches(['"', ' ', ':', '=', '\'']);
        let length = name.find(|c: char| !(c.is_ascii_lowercase() || c == '_')).unwrap_or(name.len());
        (starts_word(lower, at) && name.len() < behind.len()).then_some(&name[..length])
    };
    lower.match_indices(word).filter_map(read).take(MOST).collect()
}

/// Whether what stands there is not the end of a longer word.
fn starts_word(text: &str, at: usize) -> bool {
    !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
}

/// Letters of a rid.
const RID: usize = 26;

fn rids(lower: &str) -> Vec<String> {
    let mut rids: Vec<String> = Vec::new();
    let words = lower.split(|c: char| !(c.is_ascii_hexdigit() || c == '-'));
    for word in words.map(|word| word.trim_matches('-')).filter(|word| is_rid(word)) {
        if rids.len() < MOST && !rids.iter().any(|known| known == word) {
            rids.push(word.to_owned());
        }
    }
    rids
}

/// `5f1e2d3c-4b5a6978-8796a5b4`: three numbers of eight hexadecimal digits.
fn is_rid(word: &str) -> bool {
    let digits = |part: &str| part.len() == 8 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    word.len() == RID && word.split('-').count() == 3 && word.split('-').all(digits)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Kind and name of each finding.
    fn told(text: &str) -> Vec<String> {
        line(text).findings.iter().map(|finding| finding.explain(0)).map(|e| format!("{} {}", e.kind, e.name)).collect()
    }

    #[test]
    fn codes_are_found_however_they_are_written() {
        for text in [
            "errcode 40164",
            "errcode=40164",
            r#"{"errcode":40164,"errmsg":"x"}"#,
            r#"{"errcode": "40164"}"#,
            r#"body="{\"errcode\":40164,\"errmsg\":\"invalid ip\"}""#,
            "wxops_platform_calls_total{errcode=\"40164\"} 3",
            "错误代码：40164, 错误信息：",
            "Error code: 40164, message: invalid ip",
            "['errcode' => 40164]",
            "token: errcode 40164: invalid ip 203.0.113.7 (rid 5f1e2d3c-4b5a6978-8796a5b4)",
        ] {
            assert_eq!(told(text), ["errcode 40164"], "{text}");
        }
        assert_eq!(told("errcode -1"), ["errcode -1"]);
        assert_eq!(told("errcode 45009 and errcode 40001"), ["errcode 45009", "errcode 40001"]);
        for text in ["myerrcode=40164", "errcode40164", "errcode 40164a", "errcode", "errcode: none", "port 40164"] {
            assert_eq!(told(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn what_stands_beside_a_code_is_read() {
        let text = "stable_token: errcode 40164: invalid ip 203.0.113.7 (rid 5F1E2D3C-4b5a6978-8796a5b4)";
        let Finding::Code(code) = line(text).findings.remove(0) else { panic!("a code") };
        assert_eq!((code.api.as_str(), code.rid.as_deref()), ("stable_token", Some("5f1e2d3c-4b5a6978-8796a5b4")));
        assert!(code.explain(0).mend.en.starts_with("add 203.0.113.7 to"));
        let Finding::Code(code) = line("用户：user/info：errcode 40003").findings.remove(0) else {
            panic!("a code")
        };
        assert_eq!(code.api, "user/info");
        let text = "message/send: errcode 60020: not allow to access from your ip, from ip: 203.0.113.7 (rid 17)";
        let Finding::Code(code) = line(text).findings.remove(0) else { panic!("a code") };
        let told = code.explain(0);
        assert_eq!((told.more["platform"].as_str(), told.also.is_none()), (Some("wecom"), true));
        assert!(told.mend.en.starts_with("add 203.0.113.7 to the application's trusted IPs"), "{}", told.mend.en);
        assert_eq!(line("error: errcode 40001").findings, [Finding::Code(Code::bare(40001))]);
    }

    #[test]
    fn reasons_causes_and_exits_are_found() {
        for (text, found) in [
            ("callback refused: … account=main reason=no_key", "reason no_key"),
            (r#"{"message":"callback refused","reason":"signature"}"#, "reason signature"),
            ("reason=no_key cause=console_encrypts", "cause console_encrypts"),
            ("Main process exited, code=exited, status=78/CONFIG", "exit exit 78"),
            ("Main PID: 12 (code=exited, status=1/FAILURE)", "exit exit 1"),
            ("code=exited, status=203/EXEC", "exit exit 203"),
            ("Main process exited, code=killed, status=9/KILL", "signal signal 9"),
            ("Exited (69) 3 minutes ago", "exit exit 69"),
            ("signal 9", "signal signal 9"),
            ("Exited (137) 3 minutes ago", "signal signal 9"),
            ("exit status 143", "exit exit 143"),
            ("exit status 77", "exit exit 77"),
            (r#"{"type":"exit_error","code":75,"errcode":null,"message":"x"}"#, "exit exit 75"),
            (r#"{"type":"exit_error","code":77,"errcode":40125,"message":"x"}"#, "errcode 40125"),
            ("<Status>err(20013)</Status>", "mass_status err(20013)"),
            ("the database failed: database is locked", "message database is locked"),
            ("INFO URL check answered account=main", "message URL check answered"),
        ] {
            assert_eq!(told(text), [found], "{text}");
        }
        for text in ["GET / status=403", "reason=because", "uuid 5f1e2d3c-4b5a-6978-8796-a5b4aaaaaaaa", ""] {
            assert_eq!(line(text), Found::default(), "{text}");
        }
    }

    #[test]
    fn a_word_is_one_thing() {
        let names = |text: &str| -> Vec<_> { word(text).unwrap().findings.iter().map(|f| f.explain(0).name).collect() };
        assert_eq!(names("40164"), ["40164"]);
        assert_eq!(names(" -1 "), ["-1"]);
        assert_eq!(names("69"), ["exit 69"]);
        assert_eq!(names("0"), ["0", "exit 0"]);
        assert_eq!(names("137"), ["signal 9"]);
        assert_eq!(names("downgrade"), ["downgrade"]);
        assert_eq!(names("clock"), ["clock"]);
        assert_eq!(names("(40164),"), ["40164"]);
        assert_eq!(names("“40164”。"), ["40164"]);
        assert_eq!(names("Signature"), ["signature"]);
        assert_eq!(word("5F1E2D3C-4b5a6978-8796a5b4").unwrap().rids, ["5f1e2d3c-4b5a6978-8796a5b4"]);
        assert_eq!(word("weather"), None);
    }
}
