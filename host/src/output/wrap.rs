//! Texts of ours for people on narrow terminals.

/// No line is broken into shorter pieces than that.
const LEAST: usize = 40;

/// Breaks the lines of a text that are too long between words. Paragraphs, which begin where a line does, are filled anew; what is indented stays a
/// line, and goes on below its last column.
pub(super) fn wrap(text: &str, width: usize) -> String {
    let width = width.max(LEAST);
    if text.lines().all(|line| length(line) <= width) {
        return text.to_owned();
    }
    let mut wrapped = String::with_capacity(text.len() + text.len() / 8);
    let mut paragraph = String::new();
    for line in text.lines().chain([""]) {
        let is_prose = !line.is_empty() && !line.starts_with(' ') && last_column(line) == 0;
        if is_prose {
            if !paragraph.is_empty() {
                paragraph.push(' ');
            }
            paragraph.push_str(line);
            continue;
        }
        if !paragraph.is_empty() {
            fill(&mut wrapped, &std::mem::take(&mut paragraph), width);
        }
        fill(&mut wrapped, line, width);
    }
    wrapped
}

/// One line, in as many as it takes.
fn fill(to: &mut String, line: &str, width: usize) {
    let hanging = Some(last_column(line)).filter(|column| column + LEAST / 2 <= width).unwrap_or(2);
    let mut rest = line;
    let mut indent = 0;
    while indent + length(rest) > width {
        let Some(end) = place_to_break(rest, width - indent, hanging.saturating_sub(indent)) else { break };
        to.push_str(rest[..end].trim_end());
        to.push('\n');
        rest = rest[end..].trim_start();
        indent = hanging;
        to.extend(std::iter::repeat_n(' ', indent));
    }
    to.push_str(rest);
    to.push('\n');
}

/// Behind the last word that fits, else behind the first one; not within the columns before the last.
fn place_to_break(line: &str, room: usize, kept: usize) -> Option<usize> {
    let spaces = line.char_indices().enumerate().filter(|(column, (_, sign))| *sign == ' ' && *column > kept);
    let places = spaces.map(|(column, (at, _))| (column, at));
    let fitting = places.clone().take_while(|(column, _)| *column <= room).last();
    fitting.or_else(|| places.clone().next()).map(|(_, at)| at)
}

/// Where the last column of a line begins: behind the first two spaces that follow a word, or where its first word is.
fn last_column(line: &str) -> usize {
    let indent = line.len() - line.trim_start().len();
    let Some(gap) = line[indent..].find("  ") else { return indent };
    let behind = &line[indent + gap..];
    length(&line[..indent + gap]) + behind.len() - behind.trim_start().len()
}

fn length(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_filled_and_columns_stay() {
        let text = "Some prose that is written in two\nlines.\n\n  a     what it is, told in many words that do not fit\n";
        assert_eq!(
            wrap(text, 40),
            "Some prose that is written in two lines.\n\n  a     what it is, told in many words\n        that do not fit\n\n"
        );
        assert_eq!(wrap(text, 80), text);
        assert_eq!(
            wrap("setting             a = 1  (what it is and does)", 44).lines().nth(1).unwrap().trim(),
            "does)"
        );
        let long = "x".repeat(100);
        assert_eq!(wrap(&format!("  a  {long} b"), 40), format!("  a  {long}\n     b\n\n"));
        assert_eq!(wrap(&long, 40).trim_end(), long);
    }
}
