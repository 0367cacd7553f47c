//! What is to be explained: the words of the command line, or stdin line by line in bounded memory.

use std::io::{BufRead, Result};

/// Bytes of a line that are looked at; what follows is skipped.
const LINE: usize = 64 * 1024;

/// Reads lines to the end, however long they are and whatever bytes they hold.
pub(super) fn lines(mut from: impl BufRead, mut each: impl FnMut(&str)) -> Result<()> {
    let mut line: Vec<u8> = Vec::new();
    loop {
        let piece = from.fill_buf()?;
        if piece.is_empty() {
            break;
        }
        let end = piece.iter().position(|byte| *byte == b'\n');
        let of_line = &piece[..end.unwrap_or(piece.len())];
        line.extend_from_slice(&of_line[..of_line.len().min(LINE - line.len())]);
        let used = end.map_or(piece.len(), |end| end + 1);
        from.consume(used);
        if end.is_some() {
            each(&String::from_utf8_lossy(&line));
            line.clear();
        }
    }
    if !line.is_empty() {
        each(&String::from_utf8_lossy(&line));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn long_lines_are_cut_and_all_bytes_are_taken() {
        let long = [vec![b'x'; 10 * 1024 * 1024], b"\nerrcode 1\n\xff\xfe\nlast".to_vec()].concat();
        let mut seen = Vec::new();
        lines(long.as_slice(), |line| seen.push(line.to_owned())).unwrap();
        assert_eq!(seen[0].len(), LINE);
        assert_eq!(seen[1..], ["errcode 1", "\u{fffd}\u{fffd}", "last"]);
    }
}
