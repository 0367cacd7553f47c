//! The forms that a message may have, and what the platform takes of each (WeCom reference 3 and 4).

use super::Via;

/// The `msgtype` of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// Plain text; read everywhere, in WeChat's plug-in too.
    Text,
    /// WeCom's own few marks; shown in WeCom alone.
    Markdown,
    /// A robot's tables, lists and pictures; no colours and no mentions.
    MarkdownV2,
    /// A card with a title, a description and a link; an application's alone.
    TextCard,
    /// A card with rows of names and values (`text_notice`).
    TemplateCard,
}

impl Form {
    /// Every one.
    pub const ALL: [Form; 5] = [Form::Text, Form::Markdown, Form::MarkdownV2, Form::TextCard, Form::TemplateCard];

    /// As the platform and the configuration write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Form::Text => "text",
            Form::Markdown => "markdown",
            Form::MarkdownV2 => "markdown_v2",
            Form::TextCard => "textcard",
            Form::TemplateCard => "template_card",
        }
    }

    /// Reads the name.
    pub fn parse(text: &str) -> Option<Form> {
        Form::ALL.into_iter().find(|form| form.as_str() == text)
    }

    /// Whether a message of this form can go out by this way.
    pub fn goes(self, via: Via) -> bool {
        match self {
            Form::Text | Form::Markdown | Form::TemplateCard => true,
            Form::MarkdownV2 => via == Via::Robot,
            Form::TextCard => via == Via::App,
        }
    }

    /// The form it has by this way: what a way does not have goes out in the form that is nearest.
    pub fn by(self, via: Via) -> Form {
        match self {
            form if form.goes(via) => form,
            Form::MarkdownV2 => Form::Markdown,
            _ => Form::Text,
        }
    }

    /// Bytes of its content at the most: an application's is cut beyond it, a robot's refused (40058).
    pub fn bytes(self, via: Via) -> usize {
        match (self, via) {
            (Form::Markdown | Form::MarkdownV2, Via::Robot) => 4096,
            _ => 2048,
        }
    }

    /// Whether it is made of parts with names, and leads somewhere.
    pub fn is_card(self) -> bool {
        matches!(self, Form::TextCard | Form::TemplateCard)
    }
}
