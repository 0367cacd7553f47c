//! The little of a certificate that tells why it is refused: issuer, subject and end (RFC 5280, 4.1).

use chrono::{DateTime, NaiveDateTime, Utc};

/// What a leaf certificate says.
#[derive(Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The issuer's common name.
    pub issuer: Option<String>,
    /// It vouches for itself.
    pub self_signed: bool,
    /// Its last moment.
    pub ends: DateTime<Utc>,
}

/// OID 2.5.4.3, commonName, as DER writes it.
const COMMON_NAME: [u8; 5] = [0x06, 0x03, 0x55, 0x04, 0x03];
const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
/// `[0] EXPLICIT`, the version, which only certificates of version 1 leave out.
const VERSION: u8 = 0xa0;

impl Certificate {
    /// Reads DER; `None` for what is no certificate.
    pub fn read(der: &[u8]) -> Option<Self> {
        let (_, outer, _) = element(der)?;
        let (_, mut body, _) = element(outer)?;
        if body.first() == Some(&VERSION) {
            (_, _, body) = element(body)?;
        }
        let (_, _, body) = element(body)?; // serial number
        let (_, _, body) = element(body)?; // signature algorithm
        let (tag, issuer, body) = element(body)?;
        let (_, validity, body) = element(body)?;
        let (_, subject, _) = element(body)?;
        let (_, _, ends) = element(validity)?;
        let ends = time(ends)?;
        (tag == SEQUENCE).then(|| Certificate { issuer: common_name(issuer), self_signed: issuer == subject, ends })
    }
}

/// Tag and content of the first element, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        short @ ..0x80 => (usize::from(*short), rest),
        long => {
            let (bytes, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            // A certificate is far below 16 MiB.
            let length = bytes.iter().fold(0, |length: usize, byte| length << 8 | usize::from(*byte));
            ((1..=3).contains(&bytes.len()).then_some(length)?, rest)
        }
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

/// UTCTime with two digits of the year (50 and above are 19..), GeneralizedTime with four.
fn time(der: &[u8]) -> Option<DateTime<Utc>> {
    let (tag, text, _) = element(der)?;
    let text = std::str::from_utf8(text).ok()?;
    let text = match tag {
        UTC_TIME if text < "50" => format!("20{text}"),
        UTC_TIME => format!("19{text}"),
        _ => text.to_owned(),
    };
    NaiveDateTime::parse_from_str(&text, "%Y%m%d%H%M%SZ").ok().map(|time| time.and_utc())
}

fn common_name(name: &[u8]) -> Option<String> {
    let at = name.windows(COMMON_NAME.len()).position(|window| window == COMMON_NAME)?;
    let (_, text, _) = element(&name[at + COMMON_NAME.len()..])?;
    Some(String::from_utf8_lossy(text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_is_no_certificate() {
        for der in [&b""[..], b"\x30", b"\x30\x84\xff\xff\xff\xff", b"\x30\x02\x30\x00", b"<html>", &[0x30; 64]] {
            assert_eq!(Certificate::read(der), None, "{der:?}");
        }
    }

    #[test]
    fn both_forms_of_time() {
        let at = |der: &[u8]| time(der).map(|time| time.to_rfc3339());
        assert_eq!(at(b"\x17\x0d261231235959Z").as_deref(), Some("2026-12-31T23:59:59+00:00"));
        assert_eq!(at(b"\x17\x0d991231235959Z").as_deref(), Some("1999-12-31T23:59:59+00:00"));
        assert_eq!(at(b"\x18\x0f20510101000000Z").as_deref(), Some("2051-01-01T00:00:00+00:00"));
        assert_eq!(at(b"\x17\x03abc"), None);
    }
}
