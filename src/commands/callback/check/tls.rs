//! What TLS and the certificate have to say.

use super::certificate::Certificate;
use super::finding::{Finding, Question};
use crate::error::Text;
use crate::say;
use chrono::{DateTime, TimeDelta, Utc};

/// A certificate that ends sooner is worth a word: those that renew themselves do it a month before.
const SOON: TimeDelta = TimeDelta::days(7);

/// About a certificate that is trusted.
pub fn trusted(certificate: Option<Certificate>, now: DateTime<Utc>) -> Finding {
    let Some(certificate) = certificate else {
        return Finding::ok(Question::Tls, say!("the certificate is valid"; "证书有效"));
    };
    let end = day(certificate.ends);
    if certificate.ends - now > SOON {
        return Finding::ok(Question::Tls, say!("the certificate is valid until {end}"; "证书有效期至 {end}"));
    }
    let what = say!("the certificate ends on {end}"; "证书将于 {end} 到期");
    Finding::warning(Question::Tls, "tls_ends_soon", what).next(renew())
}

/// Why TLS did not come about: rustls's words, and what the certificate itself says.
pub fn refused(words: &str, host: &str, certificate: Option<Certificate>) -> Finding {
    let failed = |cause, what| Finding::failed(Question::Tls, cause, what);
    let has = |word: &str| words.contains(word);
    if has("certificate expired") || has("Expired") {
        let end = certificate.map_or_else(|| "?".to_owned(), |certificate| day(certificate.ends));
        return failed("tls_expired", say!("the certificate expired on {end}"; "证书已于 {end} 过期")).next(renew());
    }
    if has("not valid yet") || has("NotValidYet") {
        return failed("tls_not_yet_valid", say!("the certificate is not valid yet"; "证书尚未生效"))
            .next(say!("compare the clocks of both machines (timedatectl)"; "请核对两台机器的时钟（timedatectl）"));
    }
    if has("not valid for name") || has("NotValidForName") {
        let names = words.split_once("is only valid for ").map_or("-", |(_, names)| names);
        let names = names.replace("DnsName(\"", "").replace("\")", "");
        return failed(
            "tls_name",
            say!("the certificate is not for {host}, but for {names}"; "证书不属于 {host}，而属于 {names}"),
        )
        .next(say!(
            "get one for {host}, or make the web server choose it for this name (server_name)";
            "请为 {host} 申请证书，或让 Web 服务器为该域名选用正确的证书（server_name）"
        ));
    }
    if has("peer certificate") {
        return untrusted(words, certificate);
    }
    if has("corrupt message") {
        let what = say!(
            "what listens there speaks no TLS: plain HTTP under an https URL";
            "该端口没有使用 TLS：https 的 URL 上却是明文 HTTP"
        );
        return failed("tls_plain_http", what).next(say!(
            "let the web server end TLS there (listen 443 ssl), or use http:// in the console";
            "请让 Web 服务器在该端口启用 TLS（listen 443 ssl），或在后台填写 http://"
        ));
    }
    let what = say!("the TLS handshake fails: {words}"; "TLS 握手失败：{words}");
    failed("tls_handshake", what).next(say!(
        "the server must offer TLS 1.2 or 1.3 for the name {host}: openssl s_client -connect {host}:443 -servername {host}";
        "服务器须为域名 {host} 提供 TLS 1.2 或 1.3：openssl s_client -connect {host}:443 -servername {host}"
    ))
}

fn untrusted(words: &str, certificate: Option<Certificate>) -> Finding {
    let failed = |cause, what| Finding::failed(Question::Tls, cause, what);
    match certificate {
        Some(certificate) if certificate.self_signed => {
            failed("tls_self_signed", say!("the certificate is self-signed"; "证书是自签名的"))
                .next(say!("get one from a public CA, such as Let's Encrypt"; "请向公共 CA 申请，例如 Let's Encrypt"))
        }
        Some(Certificate { issuer, .. }) => {
            let issuer = issuer.unwrap_or_else(|| "-".to_owned());
            let what = say!(
                "the certificate's issuer is not known here: {issuer}";
                "证书的签发者不受信任：{issuer}"
            );
            failed("tls_unknown_ca", what).next(say!(
                "if it is a public CA, the server leaves out the certificates in between: give it the whole chain (fullchain.pem); else get a certificate from a public CA";
                "若是公共 CA，则服务器没有发送中间证书：请配置完整证书链（fullchain.pem）；否则请向公共 CA 申请证书"
            ))
        }
        None => failed("tls_untrusted", say!("the certificate is refused: {words}"; "证书被拒绝：{words}")),
    }
}

fn renew() -> Text {
    say!(
        "renew it, and reload the web server; see why it did not renew itself (certbot renew, acme.sh)";
        "请续期并重新加载 Web 服务器；并查明为何没有自动续期（certbot renew、acme.sh）"
    )
}

fn day(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d").to_string()
}
