//! JSON of a WeCom callback to the same tree that its XML makes: a field is a leaf with its text, an object a branch,
//! a list a branch of `item`s.

use super::reason::Reason;
use crate::domain::event::Element;
use serde_json::{Map, Value};

/// Most elements in a document, as of XML.
const MAX_ELEMENTS: usize = 2_000;

/// Reads a whole document; its root is called `xml`, as the other form's.
pub fn parse(text: &str) -> Result<Element, Reason> {
    let fields: Map<String, Value> = serde_json::from_str(text).map_err(|_| Reason::Xml)?;
    let mut left = MAX_ELEMENTS;
    branch("xml", fields, &mut left)
}

fn branch(name: &str, fields: Map<String, Value>, left: &mut usize) -> Result<Element, Reason> {
    let children = fields.into_iter().map(|(name, value)| element(&name, value, left)).collect::<Result<_, _>>()?;
    Ok(Element { name: name.to_owned(), text: String::new(), children })
}

fn element(name: &str, value: Value, left: &mut usize) -> Result<Element, Reason> {
    *left = left.checked_sub(1).ok_or(Reason::Xml)?;
    let text = match value {
        Value::Object(fields) => return branch(name, fields, left),
        Value::Array(items) => {
            let children = items.into_iter().map(|item| element("item", item, left)).collect::<Result<_, _>>()?;
            return Ok(Element { name: name.to_owned(), text: String::new(), children });
        }
        Value::String(text) => text,
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    };
    Ok(Element { name: name.to_owned(), text, children: Vec::new() })
}
