use std::borrow::Cow;

/// Text from strangers, made harmless for a terminal: control characters and those that turn the direction of writing are spelled out.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_harmful(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

fn is_harmful(c: char) -> bool {
    // Bidirectional controls reorder what stands around them (Unicode TR 36, "Bidirectional Text Spoofing").
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_moves_the_cursor() {
        assert_eq!(escape("peer \u{1b}[2J\r\n\u{202e}x"), "peer \\u{1b}[2J\\u{d}\\u{a}\\u{202e}x");
        assert!(matches!(escape("日本 [::1]:80"), Cow::Borrowed(_)));
    }
}
