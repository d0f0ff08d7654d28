//! JSON, as far as pages and traces need it: texts and numbers.

use std::fmt::{self, Display, Formatter};

/// A text between quotation marks.
///
/// It may stand within a script element of a page: `<` is escaped, so that no text can end the element, and so are the two
/// line ends that JSON allows in texts and older JavaScript did not.
#[derive(Clone, Copy)]
pub(super) struct Text<'a>(pub(super) &'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for char in self.0.chars() {
            match char {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\u{0}'..='\u{1f}' | '\u{7f}' => {
                    write!(f, "\\u{:04x}", u32::from(char))?;
                }
                char => write!(f, "{char}")?,
            }
        }
        f.write_str("\"")
    }
}

/// A list of whatever displays as JSON.
pub(super) struct List<I>(pub(super) I);

impl<I> Display for List<I>
where
    I: IntoIterator + Clone,
    I::Item: Display,
{
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (index, item) in self.0.clone().into_iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            write!(f, "{comma}{item}")?;
        }
        f.write_str("]")
    }
}

/// Nanoseconds, as microseconds.
pub(super) struct Micros(pub(super) u64);

impl Display for Micros {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1000, self.0 % 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_ends_no_script() {
        let text = Text("</script>\"\\\n\u{2028}ä").to_string();
        assert_eq!(text, r#""\u003c/script\u003e\"\\\u000a\u2028ä""#);
    }

    #[test]
    fn lists_and_times_are_json() {
        assert_eq!(List([1, 2]).to_string(), "[1,2]");
        assert_eq!(List::<[u8; 0]>([]).to_string(), "[]");
        assert_eq!(Micros(1_000_001).to_string(), "1000.001");
    }
}
