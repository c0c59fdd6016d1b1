//! Reading what people print: one character at a time, full-width and compatibility forms folded, so that positions
//! in the folded text are positions in the printed one.

use unicode_normalization::UnicodeNormalization;

/// A printed text and its folded characters.
pub struct Printed<'a> {
    text: &'a str,
    starts: Vec<usize>,
    chars: Vec<char>,
}

impl<'a> Printed<'a> {
    pub fn new(text: &'a str) -> Self {
        let fold = |c: char| {
            let mut folded = std::iter::once(c).nfkc();
            match (folded.next(), folded.next()) {
                (Some(one), None) => one,
                _ => c,
            }
        };
        Self {
            text,
            starts: text.char_indices().map(|(start, _)| start).collect(),
            chars: text.chars().map(fold).collect(),
        }
    }

    pub fn len(&self) -> usize {
        self.chars.len()
    }

    pub fn at(&self, index: usize) -> Option<char> {
        self.chars.get(index).copied()
    }

    /// The printed text between two positions.
    pub fn slice(&self, from: usize, to: usize) -> &'a str {
        let byte = |index: usize| self.starts.get(index).copied().unwrap_or(self.text.len());
        self.text.get(byte(from)..byte(to)).unwrap_or_default()
    }

    /// The folded characters between two positions.
    pub fn folded(&self, from: usize, to: usize) -> &[char] {
        self.chars.get(from..to).unwrap_or_default()
    }

    /// Behind `word`, if it stands here.
    pub fn word(&self, at: usize, word: &str) -> Option<usize> {
        let mut end = at;
        for c in word.chars() {
            if self.at(end) != Some(c) {
                return None;
            }
            end += 1;
        }
        Some(end)
    }

    /// Behind the first of `words` that stands here.
    pub fn any_word(&self, at: usize, words: &[&str]) -> Option<usize> {
        words.iter().find_map(|word| self.word(at, word))
    }

    /// Does one of `words` end here?
    pub fn ends_with(&self, end: usize, words: &[&str]) -> bool {
        words.iter().any(|word| {
            let length = word.chars().count();
            end >= length && self.word(end - length, word).is_some()
        })
    }

    pub fn spaces(&self, mut at: usize) -> usize {
        while self.at(at) == Some(' ') {
            at += 1;
        }
        at
    }

    /// A whole number of at most `digits` digits that is not the tail or the head of a longer one.
    pub fn number(&self, at: usize, digits: usize) -> Option<(u32, usize)> {
        let digit = |index: usize| self.at(index).is_some_and(|c| c.is_ascii_digit());
        if at > 0 && digit(at - 1) {
            return None;
        }
        let mut end = at;
        while digit(end) {
            end += 1;
        }
        if end == at || end - at > digits {
            return None;
        }
        let text: String = self.folded(at, end).iter().collect();
        text.parse().ok().map(|number| (number, end))
    }

    /// A number with thousands separators and a fraction, as text without the separators.
    pub fn decimal(&self, at: usize) -> Option<(String, usize)> {
        let digit = |index: usize| self.at(index).is_some_and(|c| c.is_ascii_digit());
        if !digit(at)
            || (at > 0 && (digit(at - 1) || (matches!(self.at(at - 1), Some('.' | ',')) && at > 1 && digit(at - 2))))
        {
            return None;
        }
        let (mut text, mut end, mut point) = (String::new(), at, false);
        while let Some(c) = self.at(end) {
            if c.is_ascii_digit() {
                text.push(c);
            } else if c == ',' && !point && digit(end + 1) {
                // a separator
            } else if c == '.' && !point && digit(end + 1) {
                point = true;
                text.push(c);
            } else {
                break;
            }
            end += 1;
        }
        Some((text, end))
    }
}
