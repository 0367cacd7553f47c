//! What the fuzz targets do with their bytes. `tests/corpus.rs` does the same with every file of the corpus, so that
//! what was once found stays found without a fuzzer.

use aes::Aes256;
use aes::cipher::{BlockModeEncrypt, KeyIvInit};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use wxops::domain::account::{Access, AesKey, Mode, Official, Platform};
use wxops::domain::event::Element;
use wxops::domain::secret::Secret;
use wxops::wire::push::{self, Accepted};
use wxops::wire::reason::Refusal;
use wxops::wire::{envelope, signature, write, xml};

/// The time of the vectors, seconds.
const NOW: i64 = 1_735_660_802;
const TIME: &str = "1735660800";
const NONCE: &str = "1372623149";
const APP_ID: &str = "wx0123456789abcdef";
const ORIGINAL_ID: &str = "gh_0123456789ab";
const TOKEN: &str = "wxopsToken123";
const KEYS: [&str; 2] = ["BRAbJjE8R1JdaHN+iZSfqrXAy9bh7PcCDRgjLjlET1o", "CRYjMD1KV2RxfouYpbK/zNnm8wANGic0QU5baHWCj5w"];

/// One request: a letter for the mode (`p`, `c`, `s`) and one for the replay window (`+`, `-`), a line break, the query,
/// a line break, the body. It is sent as it is; then its body once more as a message that the platform signed and
/// sealed, because no fuzzer forges a signature.
pub fn push(data: &[u8]) {
    let (head, rest) = cut(data);
    let (query, body) = cut(rest);
    let account = account(head.first().copied().unwrap_or(b's'));
    let window = (head.get(1) == Some(&b'+')).then_some(300);
    let query = String::from_utf8_lossy(query);

    if let Ok(echo) = push::handshake(&account, &query, NOW, window) {
        assert!(!echo.is_empty(), "an empty echo");
    }
    judge(&account, push::accept(&account, &query, body, NOW, window));
    judge(&account, push::accept(&account, &signed(None), body, NOW, window));
    let Ok(message) = str::from_utf8(body) else { return };
    let Some(key) = account.aes_keys.first() else { return };
    let encrypt = envelope::seal(key, APP_ID, b"0123456789abcdef", message);
    let outer = write::sealed_push(ORIGINAL_ID, &encrypt);
    let accepted = push::accept(&account, &signed(Some(&encrypt)), outer.as_bytes(), NOW, window);
    if let Err(refusal) = &accepted {
        assert!(refusal.signed || outer.len() > xml::MAX_BYTES, "signed, and not taken for it: {refusal:?}");
    }
    judge(&account, accepted);
}

/// One envelope: the bytes as the text of an Encrypt, and as what is inside of one.
pub fn envelope(data: &[u8]) {
    let key = AesKey::parse(KEYS[0]).expect("43 letters");
    look(&key, &String::from_utf8_lossy(data));
    let mut inside = data.to_vec();
    inside.resize(data.len().next_multiple_of(32).max(32), 32);
    look(&key, &encrypt_as_it_is(&key, inside));
}

/// One document. What was read and is written again is read as the same.
pub fn xml(data: &[u8]) {
    let Ok(root) = xml::parse(data) else { return };
    let mut text = String::new();
    write_again(&root, 1, &mut text);
    // References are longer than the letters they stand for.
    if text.len() <= xml::MAX_BYTES {
        assert_eq!(xml::parse(text.as_bytes()).as_ref(), Ok(&root), "{text:?}");
    }
    if let Ok(raw) = str::from_utf8(data) {
        let _ = push::read(raw);
    }
}

/// Whoever is accepted can be read back from the inbox; whoever is not gets a status of the contract.
fn judge(account: &Official, answer: Result<Accepted, Refusal>) {
    match answer {
        Ok(accepted) => {
            assert_eq!(push::read(&accepted.raw).as_ref(), Ok(&accepted.event));
            assert_eq!(accepted.event.to_user, ORIGINAL_ID);
            assert!(accepted.key_index.is_some() || account.mode != Mode::Secure, "clear text in secure mode");
        }
        Err(refusal) => assert!([403, 413].contains(&refusal.reason.status()), "{refusal:?}"),
    }
}

/// What opens is what the platform would have sealed, bit by bit; and the AppID is the one that was asked for.
fn look(key: &AesKey, encrypt: &str) {
    let told = envelope::app_id(key, encrypt);
    let Ok(message) = envelope::open(key, APP_ID, encrypt) else { return };
    assert_eq!(told.as_deref(), Some(APP_ID));
    let random = first_block(key, encrypt);
    assert_eq!(envelope::seal(key, APP_ID, &random, &message), encrypt, "another text of the same message");
}

/// The random bytes of an envelope that opens: of all first blocks the one that gives the same.
fn first_block(key: &AesKey, encrypt: &str) -> [u8; 16] {
    use aes::cipher::BlockModeDecrypt;
    let mut bytes = STANDARD.decode(encrypt).expect("it was opened");
    let block: &mut [u8; 16] = bytes.first_chunk_mut().expect("it was opened");
    cbc::Decryptor::<Aes256>::new(&(*key.bytes()).into(), &iv(key).into()).decrypt_block(block.into());
    *block
}

/// AES-256-CBC over whole blocks as they are, whatever their padding.
fn encrypt_as_it_is(key: &AesKey, mut bytes: Vec<u8>) -> String {
    let mut cbc = cbc::Encryptor::<Aes256>::new(&(*key.bytes()).into(), &iv(key).into());
    for block in bytes.as_chunks_mut::<16>().0 {
        cbc.encrypt_block(block.into());
    }
    STANDARD.encode(bytes)
}

fn iv(key: &AesKey) -> [u8; 16] {
    *key.bytes().first_chunk().expect("32 bytes")
}

fn write_again(element: &Element, depth: usize, text: &mut String) {
    assert!(depth <= 32, "deeper than allowed");
    text.push_str(&format!("<{}>", element.name));
    for letter in element.text.chars() {
        match letter {
            '<' | '>' | '&' | '\r' => text.push_str(&format!("&#{};", u32::from(letter))),
            _ => text.push(letter),
        }
    }
    element.children.iter().for_each(|child| write_again(child, depth + 1, text));
    text.push_str(&format!("</{}>", element.name));
}

fn cut(data: &[u8]) -> (&[u8], &[u8]) {
    match data.iter().position(|byte| *byte == b'\n') {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, &[]),
    }
}

/// A query as the platform sends it, of an encrypted push when `encrypt` is given.
fn signed(encrypt: Option<&str>) -> String {
    let token = Secret::new(TOKEN);
    let query = format!("signature={}&timestamp={TIME}&nonce={NONCE}", signature::sign(&token, &[TIME, NONCE]));
    match encrypt {
        Some(encrypt) => {
            let given = signature::sign(&token, &[TIME, NONCE, encrypt]);
            format!("{query}&encrypt_type=aes&msg_signature={given}")
        }
        None => query,
    }
}

fn account(mode: u8) -> Official {
    let mode = match mode {
        b'p' => Mode::Plain,
        b'c' => Mode::Compat,
        _ => Mode::Secure,
    };
    let keys = KEYS.map(|key| AesKey::parse(key).expect("43 letters"));
    Official {
        access: Access::new(Platform::Official, "main", APP_ID, ""),
        tokens: vec![Secret::new(TOKEN)],
        aes_keys: if mode == Mode::Plain { vec![] } else { keys.into() },
        mode,
        original_id: Some(ORIGINAL_ID.into()),
        replies: Default::default(),
    }
}
