//! What the pattern of callbacks proves: said once at first sight, where a [`Reason`](super::reason::Reason) alone
//! could only guess. The names stand in the log as `cause=`.

use super::reason::Advice;
use crate::error::Text;
use crate::say;

/// What is the matter with an account's callbacks. Names and ids are absent where they are not known, as in `explain`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// Encrypted pushes for an account without a key.
    ConsoleEncrypts,
    /// Clear pushes for an account that expects encryption.
    ConsoleClear,
    /// Our clock is off by so many seconds (above 0: ahead), as so many pushes agree.
    Clock(Option<(i64, usize)>),
    /// Sealed with our key for our AppID, but signed with another Token.
    TokenChanged,
    /// So many callbacks since the start, all signed with another Token, none with ours.
    TokenDiffers(Option<usize>),
    /// Accepted, but signed with the previous Token.
    PreviousToken,
    /// Accepted, but sealed with the previous EncodingAESKey.
    PreviousKey,
    /// Of another account that is configured here.
    OtherAccount(Option<String>),
    /// Sealed with our keys for an AppID that is not configured here.
    OtherAppid(Option<String>),
    /// Sealed for our AppID and meant for another original id than the one configured.
    OriginalId(Option<String>),
}

impl Cause {
    /// Every cause, without what is known of the case.
    pub const ALL: [Cause; 10] = [
        Cause::ConsoleEncrypts,
        Cause::ConsoleClear,
        Cause::Clock(None),
        Cause::TokenChanged,
        Cause::TokenDiffers(None),
        Cause::PreviousToken,
        Cause::PreviousKey,
        Cause::OtherAccount(None),
        Cause::OtherAppid(None),
        Cause::OriginalId(None),
    ];

    /// The name, as the log has it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Cause::ConsoleEncrypts => "console_encrypts",
            Cause::ConsoleClear => "console_clear",
            Cause::Clock(_) => "clock",
            Cause::TokenChanged => "token_changed",
            Cause::TokenDiffers(_) => "token_differs",
            Cause::PreviousToken => "previous_token",
            Cause::PreviousKey => "previous_key",
            Cause::OtherAccount(_) => "other_account",
            Cause::OtherAppid(_) => "other_appid",
            Cause::OriginalId(_) => "original_id",
        }
    }

    /// The cause with this name.
    pub fn named(name: &str) -> Option<Cause> {
        Cause::ALL.into_iter().find(|cause| cause.as_str() == name)
    }

    /// Whether the callback is accepted all the same.
    pub fn accepted(&self) -> bool {
        matches!(self, Cause::PreviousToken | Cause::PreviousKey)
    }

    /// What is the matter, and what a person does.
    #[rustfmt::skip]
    pub fn advice(&self) -> Advice {
        let (cause, mend) = match self {
            Cause::ConsoleEncrypts => (
                say!("the console encrypts (安全模式 or 兼容模式), this account has no key or is set to plain"; "后台已加密（安全模式或兼容模式），而该账号没有密钥或设为明文"),
                say!("set WECHAT_AES_KEY to the EncodingAESKey of the console and WECHAT_MODE to its mode, restart serve; or choose 明文模式 in the console"; "请将 WECHAT_AES_KEY 设为后台的 EncodingAESKey，WECHAT_MODE 与后台一致，然后重启 serve；或在后台改选明文模式"),
            ),
            Cause::ConsoleClear => (
                say!("the console sends clear text (明文模式), this account expects encryption"; "后台发送明文（明文模式），而该账号要求加密"),
                say!("choose 安全模式 in the console, with the EncodingAESKey of WECHAT_AES_KEY; or set WECHAT_MODE to plain"; "请在后台改选安全模式，EncodingAESKey 与 WECHAT_AES_KEY 一致；或将 WECHAT_MODE 设为 plain"),
            ),
            Cause::Clock(off) => (clock(*off), say!(
                "set the clock, and see that it is kept: timedatectl set-ntp true";
                "请校准时钟并保持同步：timedatectl set-ntp true"
            )),
            Cause::TokenChanged => (
                say!("the console signs with another Token; it is the console, for it has our EncodingAESKey and AppID"; "后台用另一个 Token 签名；其 EncodingAESKey 与 AppID 与我们一致，可知确是后台"),
                new_token(),
            ),
            Cause::TokenDiffers(count) => (
                match count {
                    Some(count) => say!("all {count} callbacks since the start are signed with another Token, none with ours"; "启动以来的 {count} 个回调都用另一个 Token 签名，没有一个与我们的相符"),
                    None => say!("all callbacks since the start are signed with another Token, none with ours"; "启动以来的回调都用另一个 Token 签名，没有一个与我们的相符"),
                },
                new_token(),
            ),
            Cause::PreviousToken => (
                say!("the console still signs with the Token in WECHAT_TOKEN_PREVIOUS"; "后台仍在用 WECHAT_TOKEN_PREVIOUS 中的旧 Token 签名"),
                say!("enter the Token of WECHAT_TOKEN in the console; then take WECHAT_TOKEN_PREVIOUS away"; "请在后台填入 WECHAT_TOKEN 的新 Token；之后删去 WECHAT_TOKEN_PREVIOUS"),
            ),
            Cause::PreviousKey => (
                say!("the console still encrypts with the key in WECHAT_AES_KEY_PREVIOUS"; "后台仍在用 WECHAT_AES_KEY_PREVIOUS 中的旧密钥加密"),
                say!("enter the key of WECHAT_AES_KEY in the console; then take WECHAT_AES_KEY_PREVIOUS away"; "请在后台填入 WECHAT_AES_KEY 的新密钥；之后删去 WECHAT_AES_KEY_PREVIOUS"),
            ),
            Cause::OtherAccount(name) => {
                let (en, zh) = name.as_ref().map_or(("another account".into(), "另一账号".into()), |name| (format!("account {name}"), format!("账号 {name} ")));
                let path = name.as_deref().unwrap_or("NAME");
                (
                    say!("the callback is of {en}: its console has the URL of this account"; "该回调属于{zh}：其后台填的是本账号的 URL"),
                    say!("in the console of {en} the URL must end in /wechat/{path}/event"; "{zh}后台的 URL 须以 /wechat/{path}/event 结尾"),
                )
            }
            Cause::OtherAppid(app_id) => {
                let (en, zh) = app_id.as_ref().map_or(("another AppID".into(), "另一个 AppID".into()), |id| (format!("AppID {id}"), format!("AppID {id} ")));
                (
                    say!("the push is of {en}, with the Token and EncodingAESKey of this account"; "该推送属于{zh}，用的却是本账号的 Token 与 EncodingAESKey"),
                    say!("mend WECHAT_APP_ID; or, where another account got the same keys and URL, give it its own"; "请改正 WECHAT_APP_ID；若是另一账号填了相同的密钥与 URL，请为它单独设置"),
                )
            }
            Cause::OriginalId(id) => {
                let id = id.as_deref().unwrap_or("gh_...");
                (
                    say!("the push is of our AppID and for {id}: WECHAT_ORIGINAL_ID says another id"; "该推送属于我们的 AppID，收件方为 {id}：WECHAT_ORIGINAL_ID 写的是另一个"),
                    say!("set WECHAT_ORIGINAL_ID to {id}, or take it away"; "请将 WECHAT_ORIGINAL_ID 设为 {id}，或删去该项"),
                )
            }
        };
        Advice { cause, mend }
    }
}

fn new_token() -> Text {
    say!(
        "compare WECHAT_TOKEN with the Token in the console; during a change put the old one into WECHAT_TOKEN_PREVIOUS; restart serve";
        "请核对 WECHAT_TOKEN 与后台的 Token；更换期间把旧值放入 WECHAT_TOKEN_PREVIOUS；重启 serve"
    )
}

fn clock(off: Option<(i64, usize)>) -> Text {
    let Some((seconds, count)) = off else {
        return say!("this machine's clock is off: pushes agree on it"; "本机时钟不准：多个推送的时间戳相差一致");
    };
    let (minutes, rest) = (seconds.unsigned_abs() / 60, seconds.unsigned_abs() % 60);
    let (en, zh) = if seconds > 0 { ("ahead of", "快") } else { ("behind", "慢") };
    say!(
        "this machine's clock is {minutes} min {rest} s {en} WeChat's: {count} pushes agree on it";
        "本机时钟比微信{zh} {minutes} 分 {rest} 秒：{count} 个推送的时间戳一致"
    )
}

#[cfg(test)]
mod tests {
    use super::Cause;

    #[test]
    fn every_cause_is_found_by_its_name_and_says_what_to_do() {
        let han = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        for cause in Cause::ALL {
            assert_eq!(Cause::named(cause.as_str()), Some(cause.clone()));
            let advice = cause.advice();
            for text in [&advice.cause, &advice.mend] {
                assert!(!text.en.is_empty() && han(&text.zh), "{cause:?}");
            }
        }
        assert_eq!(Cause::named("weather"), None);
    }

    #[test]
    fn the_clock_says_how_far_and_in_which_direction() {
        let says = |seconds| Cause::Clock(Some((seconds, 3))).advice().cause.en;
        assert_eq!(says(725), "this machine's clock is 12 min 5 s ahead of WeChat's: 3 pushes agree on it");
        assert!(says(-7200).contains("120 min 0 s behind"));
    }
}
