//! XML of a callback to a tree (reference 1.6): no DTD, no network, bounds on everything.

use super::reason::Reason;
use crate::domain::event::Element;
use quick_xml::Reader;
use quick_xml::errors::SyntaxError;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesDecl, BytesStart, Event};

/// Longest document, in bytes; real pushes are below 10 kB, three times that in compatible mode.
pub const MAX_BYTES: usize = 256 * 1024;
/// Deepest nesting; the root is at depth 1.
const MAX_DEPTH: usize = 32;
/// Most elements in a document.
const MAX_ELEMENTS: usize = 2_000;
/// Most attributes in a document; the platform sends none.
const MAX_ATTRIBUTES: usize = 64;

/// Reads a whole document whose root is `xml`.
pub fn parse(bytes: &[u8]) -> Result<Element, Reason> {
    if bytes.len() > MAX_BYTES {
        return Err(Reason::TooLarge);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Reason::Xml)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.starts_with('\u{feff}') || !text.chars().all(is_xml_char) {
        return Err(Reason::Xml);
    }
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_comments = true;
    let mut tree = Tree::default();
    let mut first = true;
    loop {
        let event = reader.read_event().map_err(|error| reason_of(&error))?;
        if let Event::Eof = event {
            return tree.finish();
        }
        tree.take(event, first)?;
        first = false;
    }
}

/// A character that XML 1.0 allows.
pub fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

fn reason_of(error: &quick_xml::Error) -> Reason {
    match error {
        quick_xml::Error::Syntax(SyntaxError::UnclosedDoctype) => Reason::Doctype,
        quick_xml::Error::IllFormed(quick_xml::errors::IllFormedError::MissingDoctypeName) => Reason::Doctype,
        _ => Reason::Xml,
    }
}

/// The document as far as it was read.
#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
    attributes: usize,
}

impl Tree {
    fn take(&mut self, event: Event<'_>, first: bool) -> Result<(), Reason> {
        match event {
            Event::Start(tag) => self.start(&tag)?,
            Event::Empty(tag) => {
                self.start(&tag)?;
                self.end()?;
            }
            Event::End(_) => self.end()?,
            Event::Text(text) if text.contains("]]>") => return Err(Reason::Xml),
            Event::Text(text) => self.text(&text.xml10_content())?,
            Event::CData(text) => match self.open.last_mut() {
                Some(element) => element.text.push_str(&text.xml10_content()),
                None => return Err(Reason::Xml),
            },
            Event::GeneralRef(name) => {
                let c = resolve(&name).ok_or(Reason::Xml)?;
                self.open.last_mut().ok_or(Reason::Xml)?.text.push(c);
            }
            Event::DocType(_) => return Err(Reason::Doctype),
            Event::Decl(declaration) => check_declaration(&declaration, first)?,
            Event::PI(instruction) if !is_name(instruction.target()) => return Err(Reason::Xml),
            Event::PI(_) | Event::Comment(_) | Event::Eof => {}
        }
        Ok(())
    }

    fn start(&mut self, tag: &BytesStart<'_>) -> Result<(), Reason> {
        let name = tag.name();
        let name = name.as_ref();
        let misplaced = self.open.is_empty() && (self.root.is_some() || name != "xml");
        self.elements += 1;
        if misplaced || self.open.len() >= MAX_DEPTH || self.elements > MAX_ELEMENTS || !is_name(name) {
            return Err(Reason::Xml);
        }
        if !tag.attributes_raw().is_empty() {
            self.check_attributes(tag)?;
        }
        self.open.push(Element { name: name.to_owned(), ..Element::default() });
        Ok(())
    }

    /// Attributes mean nothing here, but a document with broken ones is broken.
    fn check_attributes(&mut self, tag: &BytesStart<'_>) -> Result<(), Reason> {
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|_| Reason::Xml)?;
            self.attributes += 1;
            let sound = is_name(attribute.key.as_ref())
                && !attribute.value.contains('<')
                && unescape(&attribute.value).is_ok_and(|value| value.chars().all(is_xml_char));
            if !sound || self.attributes > MAX_ATTRIBUTES {
                return Err(Reason::Xml);
            }
        }
        Ok(())
    }

    /// The reader has checked that the names of both tags agree.
    fn end(&mut self) -> Result<(), Reason> {
        let mut element = self.open.pop().ok_or(Reason::Xml)?;
        if !element.children.is_empty() && is_blank(&element.text) {
            element.text = String::new();
        }
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Reason> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if is_blank(text) => {}
            None => return Err(Reason::Xml),
        }
        Ok(())
    }

    fn finish(self) -> Result<Element, Reason> {
        self.root.filter(|_| self.open.is_empty()).ok_or(Reason::Xml)
    }
}

/// The XML declaration stands first or not at all, and may not claim another encoding than the body has.
fn check_declaration(declaration: &BytesDecl<'_>, first: bool) -> Result<(), Reason> {
    let utf8 = match declaration.encoding() {
        None => true,
        Some(encoding) => encoding.is_ok_and(|name| name.eq_ignore_ascii_case("utf-8")),
    };
    let good = first && utf8 && declaration.version().is_ok();
    good.then_some(()).ok_or(Reason::Xml)
}

/// The five predefined entities and character references; `name` is what stands between `&` and `;`.
fn resolve(name: &str) -> Option<char> {
    match name {
        "lt" => return Some('<'),
        "gt" => return Some('>'),
        "amp" => return Some('&'),
        "apos" => return Some('\''),
        "quot" => return Some('"'),
        _ => {}
    }
    let number = name.strip_prefix('#')?;
    let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |hex| (hex, 16));
    if !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    u32::from_str_radix(digits, radix).ok().and_then(char::from_u32).filter(|c| is_xml_char(*c))
}

/// A name as XML has it, but for the finer points of letters beyond ASCII.
fn is_name(name: &str) -> bool {
    let letter = |b: u8| b.is_ascii_alphabetic() || b == b'_' || b == b':' || b >= 0x80;
    let mut bytes = name.bytes();
    bytes.next().is_some_and(letter) && bytes.all(|b| letter(b) || b.is_ascii_digit() || b == b'-' || b == b'.')
}

fn is_blank(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n'))
}
