//! The known name that a misspelt one most likely means.

/// The nearest of the known names, when it is near enough to be meant.
pub fn near<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    near_by(wrong, known, wrong.chars().count() / 3 + 1)
}

/// The nearest of the known names, by so many letters at the most.
pub fn near_by<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>, most: usize) -> Option<&'a str> {
    let best = known.into_iter().map(|name| (distance(wrong, name), name)).min()?;
    (best.0 <= most).then_some(best.1)
}

/// Levenshtein's distance: letters to insert, drop or exchange.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let exchange = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = exchange.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
