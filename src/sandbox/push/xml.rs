//! Writes a push as the platform does: text in CDATA, numbers bare, a line an element.

/// An element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The tag.
    pub name: String,
    /// What it holds.
    pub value: Value,
}

/// What an element holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Text in CDATA.
    Text(String),
    /// A number, bare.
    Number(String),
    /// Elements.
    Inside(Vec<Node>),
}

/// An element with text.
pub fn text(name: &str, value: impl Into<String>) -> Node {
    Node { name: name.to_owned(), value: Value::Text(value.into()) }
}

/// An element with a number.
pub fn number(name: &str, value: impl ToString) -> Node {
    Node { name: name.to_owned(), value: Value::Number(value.to_string()) }
}

/// An element with elements.
pub fn inside(name: &str, nodes: Vec<Node>) -> Node {
    Node { name: name.to_owned(), value: Value::Inside(nodes) }
}

/// The whole document.
pub fn document(nodes: &[Node]) -> String {
    let mut out = String::from("<xml>");
    nodes.iter().for_each(|node| write(node, &mut out));
    out.push_str("</xml>");
    out
}

/// The text of a top-level element.
pub fn text_of<'a>(nodes: &'a [Node], name: &str) -> Option<&'a str> {
    match &nodes.iter().find(|node| node.name == name)?.value {
        Value::Text(value) | Value::Number(value) => Some(value),
        Value::Inside(_) => None,
    }
}

/// Sets the first element at a dotted path, or adds it. A number stays bare while it is one.
pub fn set(nodes: &mut Vec<Node>, path: &str, value: &str) {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let at = nodes.iter().position(|node| node.name == name).unwrap_or_else(|| {
        nodes.push(inside(name, Vec::new()));
        nodes.len() - 1
    });
    let held = &mut nodes[at].value;
    let Some(rest) = rest else {
        let bare = matches!(held, Value::Number(_)) && value.parse::<f64>().is_ok();
        *held = if bare { Value::Number(value.to_owned()) } else { Value::Text(value.to_owned()) };
        return;
    };
    if !matches!(held, Value::Inside(_)) {
        *held = Value::Inside(Vec::new());
    }
    if let Value::Inside(children) = held {
        set(children, rest, value);
    }
}

/// Whether every part of a dotted path can be the name of an element.
pub fn is_path(path: &str) -> bool {
    let is_name = |name: &str| {
        name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    };
    path.split('.').all(is_name)
}

/// Text in CDATA; the end mark inside is split over two sections.
pub fn cdata(text: &str) -> String {
    format!("<![CDATA[{}]]>", text.replace("]]>", "]]]]><![CDATA[>"))
}

fn write(node: &Node, out: &mut String) {
    let Node { name, value } = node;
    match value {
        Value::Text(text) => out.push_str(&format!("<{name}>{}</{name}>\n", cdata(text))),
        Value::Number(number) => out.push_str(&format!("<{name}>{number}</{name}>\n")),
        Value::Inside(nodes) => {
            out.push_str(&format!("<{name}>\n"));
            nodes.iter().for_each(|node| write(node, out));
            out.push_str(&format!("</{name}>\n"));
        }
    }
}
