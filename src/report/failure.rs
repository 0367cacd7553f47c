//! How an error is shown: one line for people, one JSON object for programs.

use super::escape::{escape, json_line};
use super::place::place;
use super::veil::veiled;
use crate::error::{Error, Lang};
use serde_json::json;

/// The line for people: what failed, the platform's code where the text lacks it, and what to do next. Where it
/// points into a text, two more show it.
pub fn line(error: &Error, lang: Lang, color: bool) -> String {
    let mut line = error.what.in_lang(lang).to_owned();
    let code = error.errcode.map(|code| format!("errcode {code}"));
    let rid = error.rid.as_ref().map(|rid| format!("rid {rid}"));
    let missing: Vec<String> = code.into_iter().chain(rid).filter(|part| !line.contains(part.as_str())).collect();
    if !missing.is_empty() {
        line.push_str(&format!(" ({})", missing.join(", ")));
    }
    if let Some(next) = &error.next {
        line.push_str(match lang {
            Lang::En => "; next: ",
            Lang::Zh => "；下一步：",
        });
        line.push_str(next.in_lang(lang));
    }
    let line = escape(&line);
    let line = match (lang, color) {
        (Lang::En, false) => format!("error: {line}"),
        (Lang::En, true) => format!("\u{1b}[1;31merror:\u{1b}[0m {line}"),
        (Lang::Zh, false) => format!("错误：{line}"),
        (Lang::Zh, true) => format!("\u{1b}[1;31m错误：\u{1b}[0m{line}"),
    };
    match &error.place {
        Some((text, letter)) => format!("{line}\n{}", place(text, *letter)),
        None => line,
    }
}

/// The chain of causes, one line each, for `-v`.
pub fn causes(error: &Error, lang: Lang) -> Vec<String> {
    let because = match lang {
        Lang::En => "  because: ",
        Lang::Zh => "  原因：",
    };
    error.causes().iter().map(|cause| format!("{because}{}", escape(cause))).collect()
}

/// The last line of stderr with `--json`. Always English.
pub fn json(error: &Error) -> String {
    json_line(&json!({
        "type": "exit_error",
        "code": error.kind.exit_code(),
        "errcode": error.errcode,
        "rid": error.rid,
        "message": veiled(&error.what.en),
        "next": error.next.as_ref().map(|next| veiled(&next.en)),
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::say;

    fn refused() -> Error {
        let mut error =
            Error::unavailable(say!("getting a token failed: invalid ip\u{1b}[m"; "获取 token 失败：invalid ip"))
                .next(say!("add it to the IP list"; "请加入 IP 白名单"))
                .source(std::io::Error::other("deep\ncause"));
        error.errcode = Some(40164);
        error.rid = Some("5f1e-2d".into());
        error
    }

    #[test]
    fn people_get_one_line() {
        let en = "error: getting a token failed: invalid ip\\u{1b}[m (errcode 40164, rid 5f1e-2d); next: add it to the IP list";
        assert_eq!(line(&refused(), Lang::En, false), en);
        let zh = "错误：获取 token 失败：invalid ip (errcode 40164, rid 5f1e-2d)；下一步：请加入 IP 白名单";
        assert_eq!(line(&refused(), Lang::Zh, false), zh);
        assert_eq!(causes(&refused(), Lang::En), ["  because: deep\\ncause"]);
    }

    #[test]
    fn programs_get_an_object() {
        let value: serde_json::Value = serde_json::from_str(&json(&refused())).unwrap();
        assert_eq!(value["type"], "exit_error");
        assert_eq!((value["code"].as_u64(), value["errcode"].as_i64()), (Some(69), Some(40164)));
        assert_eq!((value["rid"].as_str(), value["next"].as_str()), (Some("5f1e-2d"), Some("add it to the IP list")));
        let bare: serde_json::Value = serde_json::from_str(&json(&Error::usage(say!("a"; "一")))).unwrap();
        assert!(bare["errcode"].is_null() && bare["next"].is_null() && bare["code"] == 2);
    }
}
