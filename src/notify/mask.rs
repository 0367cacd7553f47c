//! What staff need not read in full: a phone number keeps its ends.

/// Columns that hold a number to call or one of a document.
const MASKED: [&str; 10] = [
    "phone",
    "mobile",
    "tel",
    "telephone",
    "cellphone",
    "phone_number",
    "mobile_phone",
    "id_card",
    "idcard",
    "id_number",
];

/// Whether a column of this name is shown masked where nobody says otherwise.
pub fn is_masked(column: &str) -> bool {
    MASKED.contains(&column.to_lowercase().as_str())
}

/// `138****8000`: the ends of a number, and always four stars, so that they do not tell its length. Of a short one less
/// is shown.
pub fn mask(text: &str) -> String {
    let letters: Vec<char> = text.trim().chars().collect();
    // +86 and its like are nobody's secret.
    let (code, number) = match letters.len().checked_sub(11) {
        Some(extra @ 1..=4) if letters[0] == '+' => letters.split_at(extra),
        _ => letters.split_at(0),
    };
    let (head, tail) = match number.len() {
        0 => return String::new(),
        11.. => (3, 4),
        7..=10 => (2, 2),
        4..=6 => (1, 0),
        _ => (0, 0),
    };
    let ends = |part: &[char]| part.iter().collect::<String>();
    format!("{}{}****{}", ends(code), ends(&number[..head]), ends(&number[number.len() - tail..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_ends_of_a_number_stay() {
        for (number, shown) in [
            ("13800138000", "138****8000"),
            (" 13800138000 ", "138****8000"),
            ("+8613800138000", "+86138****8000"),
            ("8613800138000", "861****8000"),
            ("138-0013-8000", "138****8000"),
            ("440106199001011234", "440****1234"),
            ("02087654321", "020****4321"),
            ("87654321", "87****21"),
            ("10086", "1****"),
            ("110", "****"),
            ("", ""),
            ("张三李四王五", "张****"),
        ] {
            assert_eq!(mask(number), shown, "{number}");
        }
        assert!(is_masked("phone") && is_masked("Mobile") && !is_masked("wechat") && !is_masked("phones"));
    }

    proptest! {
        /// At most seven letters of a number are told, a code of the country aside, and never its middle.
        #[test]
        fn the_middle_is_never_told(number in "[0-9]{4,20}") {
            let shown = mask(&number);
            let (head, tail) = shown.split_once("****").unwrap_or_default();
            prop_assert!(number.starts_with(head) && number.ends_with(tail));
            prop_assert!(head.len() <= 3 && tail.len() <= 4);
            prop_assert!(number.len() - head.len() - tail.len() >= 3);
        }
    }
}
