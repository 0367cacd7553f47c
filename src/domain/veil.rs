//! Takes secrets out of a text, in whatever form it quotes them: an error of a gateway, a database or a command line.

use super::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use std::borrow::Cow;
use zeroize::Zeroizing;

/// What stands in the place of a secret.
const SHOWN: &str = "***";
/// A shorter piece of an encoded secret may stand in any text by chance.
const FEWEST: usize = 8;

/// What percent-encoders leave as it is, beside letters and digits: nothing, RFC 3986, HTML's forms.
const PLAIN: [&[u8]; 3] = [b"", b"-_.~", b"-_.*"];

/// Secrets, in every form in which a text may hold them.
#[derive(Default)]
pub struct Veil {
    forms: Vec<Secret>,
}

impl Veil {
    /// Hides nothing yet.
    pub const fn new() -> Self {
        Veil { forms: Vec::new() }
    }

    /// Hides these.
    pub fn over<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let mut veil = Veil::new();
        secrets.into_iter().for_each(|secret| veil.add(secret));
        veil
    }

    /// Hides this one too: as it is, percent-encoded, in base64 or hex, and as a string of JSON or Rust.
    pub fn add(&mut self, secret: &Secret) {
        let text = secret.reveal();
        if text.is_empty() {
            return;
        }
        let encoded = encoded(text).into_iter().filter(|form| form.reveal().len() >= FEWEST);
        for form in std::iter::once(secret.clone()).chain(encoded) {
            if !self.forms.iter().any(|known| known.reveal() == form.reveal()) {
                self.forms.push(form);
            }
        }
        // The longest first: what is within another must not leave the rest of that one standing.
        self.forms.sort_by_key(|form| std::cmp::Reverse(form.reveal().len()));
    }

    /// The text with `***` for every secret.
    pub fn hide<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut hidden = Cow::Borrowed(text);
        for form in self.forms.iter().map(Secret::reveal) {
            if hidden.contains(form) {
                hidden = Cow::Owned(hidden.replace(form, SHOWN));
            }
        }
        hidden
    }
}

fn encoded(text: &str) -> Vec<Secret> {
    let bytes = text.as_bytes();
    let mut forms: Vec<String> = PLAIN.iter().map(|plain| percent(bytes, plain)).collect();
    forms.extend(PLAIN.iter().map(|plain| percent(bytes, plain).replace("%20", "+")));
    forms.extend([
        super::hex::hex(bytes),
        bytes.iter().map(|byte| format!("{byte:02X}")).collect(),
        within_quotes(&format!("{text:?}")),
        within_quotes(&serde_json::Value::from(text).to_string()),
    ]);
    let lower: Vec<String> = forms.iter().map(|form| lower_percent(form)).collect();
    forms.extend(lower);
    // Within a longer text, such as `user:password`, it may begin at each of three places of a group.
    for before in 0..3 {
        let all = Zeroizing::new([&[0; 2][..before], bytes].concat());
        let whole = Zeroizing::new(STANDARD_NO_PAD.encode(&*all));
        let own = &whole[(before * 4).div_ceil(3)..all.len() * 4 / 3];
        forms.extend([own.to_owned(), own.replace('+', "-").replace('/', "_")]);
    }
    forms.into_iter().filter(|form| form != text).map(Secret::new).collect()
}

fn within_quotes(text: &str) -> String {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text).to_owned()
}

fn percent(bytes: &[u8], plain: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 3), |text, byte| {
        match byte.is_ascii_alphanumeric() || plain.contains(byte) {
            true => text + char::from(*byte).encode_utf8(&mut [0; 4]),
            false => text + &format!("%{byte:02X}"),
        }
    })
}

/// The same with `%2f` for `%2F`.
fn lower_percent(text: &str) -> String {
    let (first, rest) = text.split_once('%').unwrap_or((text, ""));
    let escapes = rest.split('%').filter(|part| !part.is_empty());
    escapes.fold(first.to_owned(), |text, part| {
        let (digits, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        text + "%" + &digits.to_ascii_lowercase() + rest
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_hidden() {
        let veil = Veil::over(&[Secret::new("pa+ss/wo=rd \"1\""), Secret::new("pa+ss")]);
        for (text, shown) in [
            ("it is pa+ss/wo=rd \"1\".", "it is ***."),
            ("only pa+ss", "only ***"),
            ("?password=pa%2Bss%2Fwo%3Drd%20%221%22&x=1", "?password=***&x=1"),
            ("?password=pa%2bss%2fwo%3drd%20%221%22", "?password=***"),
            ("{\"a\":\"pa+ss/wo=rd \\\"1\\\"\"}", "{\"a\":\"***\"}"),
            ("70612b73732f776f3d726420223122", "***"),
            ("cGErc3Mvd289cmQgIjEi", "***"),
            ("nothing of it", "nothing of it"),
            ("", ""),
        ] {
            assert_eq!(veil.hide(text), shown);
        }
        // `Basic` puts a user before it: what is left are letters that hold the user's bits too.
        let basic = veil.hide("Basic dXNlcjpwYStzcy93bz1yZCAiMSI=").into_owned();
        assert!(basic.starts_with("Basic dXNlcjp") && basic.contains("***") && basic.len() < 24, "{basic}");
    }

    #[test]
    fn nothing_is_hidden_of_nothing() {
        let veil = Veil::over(&[Secret::new("")]);
        assert!(matches!(veil.hide("abc"), Cow::Borrowed("abc")));
    }
}
