//! Patterns of `CONFIG GET`: `*`, `?`, `[a-z]`, `[^a]`, and `\` before any of these.

/// Whether all of `text` matches `pattern`. Case does not matter.
///
/// Only the last `*` is ever gone back to: an earlier one could do nothing that the last one cannot. So
/// the work is at most the product of the lengths, whatever the pattern.
pub(super) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    // Where to go on when what follows the last star does not fit: behind the star, one byte further.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if pattern.get(p) == Some(&b'*') {
            p += 1;
            retry = Some((p, t));
            continue;
        }
        if t == text.len() && p == pattern.len() {
            return true;
        }
        let fits = text.get(t).and_then(|&byte| one(&pattern[p..], byte));
        match (fits, retry) {
            (Some(taken), _) => {
                p += taken;
                t += 1;
            }
            (None, Some((star, from))) if from < text.len() => {
                retry = Some((star, from + 1));
                (p, t) = (star, from + 1);
            }
            (None, _) => return false,
        }
    }
}

/// How many bytes of `pattern` stand for this one `byte`; `None` when they do not match.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    let byte = byte.to_ascii_lowercase();
    let is = |other: &u8| other.to_ascii_lowercase() == byte;
    match pattern {
        [] => None,
        [b'?', ..] => Some(1),
        [b'[', class @ ..] => {
            let (is_in, taken) = class_has(class, byte);
            is_in.then_some(1 + taken)
        }
        [b'\\', escaped, ..] => is(escaped).then_some(2),
        [literal, ..] => is(literal).then_some(1),
    }
}

/// Whether `byte` is in the class that begins behind a `[`, and how long that class is with its `]`.
fn class_has(class: &[u8], byte: u8) -> (bool, usize) {
    let negated = class.first() == Some(&b'^');
    let mut at = usize::from(negated);
    let mut found = false;
    while at < class.len() && class[at] != b']' {
        at += match &class[at..] {
            [b'\\', escaped, ..] => {
                found |= escaped.to_ascii_lowercase() == byte;
                2
            }
            [from, b'-', to, ..] => {
                let (from, to) = (from.to_ascii_lowercase(), to.to_ascii_lowercase());
                found |= (from.min(to)..=from.max(to)).contains(&byte);
                3
            }
            literal => {
                found |= literal[0].to_ascii_lowercase() == byte;
                1
            }
        };
    }
    (found != negated, (at + 1).min(class.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_names() {
        for (pattern, text, expected) in [
            ("maxclients", "maxclients", true),
            ("MAX*", "maxclients", true),
            ("max", "maxclients", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("?", "", false),
            ("*client*", "maxclients", true),
            ("*a*b*c", "xaxbxbxc", true),
            ("*a*b*c", "xaxcxb", false),
            ("h[ae]llo", "hallo", true),
            ("h[^e]llo", "hello", false),
            ("h[a-c]llo", "hbllo", true),
            ("h[c-a]llo", "hbllo", true),
            ("h[a", "ha", true),
            ("a\\*b", "a*b", true),
            ("a\\*b", "axb", false),
            ("a**b", "ab", true),
        ] {
            let matched = matches(pattern.as_bytes(), text.as_bytes());
            assert_eq!(matched, expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn a_hostile_pattern_takes_no_time() {
        let pattern = "a*".repeat(2000) + "b";
        let text = "a".repeat(20_000);
        assert!(!matches(pattern.as_bytes(), text.as_bytes()));
    }
}
