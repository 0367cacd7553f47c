//! The events of a load, made from a number and read back from a row: so every acknowledgement can be looked up.

use std::collections::HashMap;

/// Each person does ten things; number / 10 is the person, number % 10 the thing.
const LIFE: u64 = 10;
/// Events that share a second of CreateTime, about: keys grow with time, as the platform's do.
const A_SECOND: u64 = 2000;
/// Each so many people unsubscribe in the end.
const LEAVERS: u64 = 5;

/// One push.
#[derive(Debug, Clone)]
pub struct Event {
    pub openid: String,
    pub kind: &'static str,
    /// CreateTime, seconds.
    pub created: i64,
    pub xml: String,
}

/// All events of a load.
pub struct Events {
    original_id: String,
    /// CreateTime of the first.
    from: i64,
    people: Vec<String>,
    numbers: HashMap<String, u64>,
}

impl Events {
    /// Events of these people, then of people that no platform knows.
    pub fn new(original_id: &str, from: i64, people: Vec<String>) -> Self {
        let numbers = people.iter().enumerate().map(|(number, openid)| (openid.clone(), number as u64)).collect();
        Events { original_id: original_id.to_owned(), from, people, numbers }
    }

    /// Event number so and so; always the same.
    pub fn at(&self, number: u64) -> Event {
        let (person, thing) = (number / LIFE, number % LIFE);
        let openid = self.openid(person);
        let created = self.created(number);
        let (kind, body) = body(person, thing, number);
        let xml = format!(
            "<xml><ToUserName><![CDATA[{}]]></ToUserName>\n<FromUserName><![CDATA[{openid}]]></FromUserName>\n\
             <CreateTime>{created}</CreateTime>\n{body}\n</xml>",
            self.original_id
        );
        Event { openid, kind, created, xml }
    }

    /// The number of the event that a row holds; `None` for a row that is none of ours.
    pub fn number_of(&self, openid: &str, kind: &str, created: i64) -> Option<u64> {
        let person = self.numbers.get(openid).copied().or_else(|| openid.strip_prefix("oLOAD")?.parse().ok())?;
        let thing = created - self.created(person * LIFE);
        let number = person * LIFE + u64::try_from(thing).ok().filter(|thing| *thing < LIFE)?;
        (self.at(number).kind == kind).then_some(number)
    }

    /// True when the event makes a row in `user_mapping`.
    pub fn follows(&self, number: u64) -> bool {
        number.is_multiple_of(LIFE)
    }

    /// True when its person has left after it.
    pub fn leaves(&self, number: u64) -> bool {
        number % LIFE == LIFE - 1 && (number / LIFE).is_multiple_of(LEAVERS)
    }

    fn openid(&self, person: u64) -> String {
        self.people.get(person as usize).cloned().unwrap_or_else(|| format!("oLOAD{person:023}"))
    }

    /// Within a person each thing has a second of its own, which tells them apart.
    fn created(&self, number: u64) -> i64 {
        self.from + (number / A_SECOND + number % LIFE) as i64
    }
}

fn body(person: u64, thing: u64, number: u64) -> (&'static str, String) {
    let event = |name: &str, fields: String| {
        format!("<MsgType><![CDATA[event]]></MsgType>\n<Event><![CDATA[{name}]]></Event>\n{fields}")
    };
    let key = |key: String| format!("<EventKey><![CDATA[{key}]]></EventKey>");
    let message = |name: &str, fields: &str| {
        let id = 7_345_678_000_000_000_000 + number;
        format!("<MsgType><![CDATA[{name}]]></MsgType>\n{fields}\n<MsgId>{id}</MsgId>")
    };
    match thing {
        0 if person.is_multiple_of(3) => {
            let ticket = format!("<Ticket><![CDATA[gQLOAD{person}]]></Ticket>");
            (
                "event.subscribe",
                event("subscribe", format!("{}\n{ticket}", key(format!("qrscene_shop-{}", person % 97)))),
            )
        }
        0 => ("event.subscribe", event("subscribe", key(String::new()))),
        1 => {
            let place =
                "<Latitude>23.137466</Latitude>\n<Longitude>113.352425</Longitude>\n<Precision>119.385040</Precision>";
            ("event.location", event("LOCATION", place.into()))
        }
        2 => ("message.text", message("text", "<Content><![CDATA[你好]]></Content>")),
        3 => ("event.click", event("CLICK", key("MENU_ORDERS".into()))),
        4 => ("event.view", event("VIEW", key("https://shop.example.com/?from=menu".into()))),
        5 => {
            let ticket = format!("<Ticket><![CDATA[gQLOAD{person}]]></Ticket>");
            ("event.scan", event("SCAN", format!("{}\n{ticket}", key(format!("shop-{}", person % 97)))))
        }
        6 => {
            let fields = format!(
                "<PicUrl><![CDATA[http://mmbiz.example.com/{number}]]></PicUrl>\n<MediaId><![CDATA[M{number}]]></MediaId>"
            );
            ("message.image", message("image", &fields))
        }
        7 => ("message.text", message("text", "<Content><![CDATA[几点关门？ <b>1 & 2</b> 🎮]]></Content>")),
        8 => {
            let fields = format!("<MsgID>{number}</MsgID>\n<Status><![CDATA[success]]></Status>");
            ("event.template_finished", event("TEMPLATESENDJOBFINISH", fields))
        }
        _ if person.is_multiple_of(LEAVERS) => ("event.unsubscribe", event("unsubscribe", key(String::new()))),
        _ => ("message.text", message("text", "<Content><![CDATA[谢谢]]></Content>")),
    }
}
