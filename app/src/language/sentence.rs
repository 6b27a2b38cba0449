//! Sentences that the server made with values in them, found again in the list by what stands around the values.

use super::{List, fill};
use std::{collections::HashMap, sync::LazyLock};

/// Letters and signs that have to stand around the values; shorter patterns would be found in anything.
const FIXED_MIN: usize = 6;

/// A text of the list with values in it.
struct Pattern {
    /// What stands before the first value, between the values, and behind the last one.
    pieces: Vec<&'static str>,
    /// What the values are called, in their order.
    names: Vec<String>,
    /// The text in the other language, which calls them the same.
    translated: &'static str,
    /// Length of all pieces.
    fixed: usize,
}

/// All patterns of a list, the most telling one first.
pub(super) struct Patterns(Vec<Pattern>);

impl Patterns {
    pub(super) fn of(list: &List) -> Patterns {
        let mut patterns: Vec<Pattern> = list
            .iter()
            .filter_map(|(text, translated)| Pattern::of(text, translated))
            .collect();
        patterns.sort_by(|a, b| (b.fixed, &b.pieces).cmp(&(a.fixed, &a.pieces)));
        Patterns(patterns)
    }
}

impl Pattern {
    fn of(text: &'static str, translated: &'static str) -> Option<Pattern> {
        let (mut pieces, mut names, mut rest) = (Vec::new(), Vec::new(), text);
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}')?;
            // Values without a name are called by their place.
            names.push(match name {
                "" => format!("#{}", names.len()),
                name => name.to_owned(),
            });
            pieces.push(before);
            rest = after;
        }
        pieces.push(rest);
        let fixed = pieces.iter().map(|piece| piece.len()).sum();
        (!names.is_empty() && fixed >= FIXED_MIN).then_some(Pattern {
            pieces,
            names,
            translated,
            fixed,
        })
    }

    /// The values in `text`, if it is made by this pattern.
    fn values<'a>(&self, text: &'a str) -> Option<Vec<&'a str>> {
        let (first, others) = self.pieces.split_first()?;
        let (last, between) = others.split_last()?;
        let mut rest = text.strip_prefix(first)?.strip_suffix(last)?;
        let mut values = Vec::new();
        for piece in between {
            // Two values without anything between them: the first one takes everything.
            let (value, after) = match *piece {
                "" => (rest, ""),
                piece => rest.split_once(piece)?,
            };
            values.push(value);
            rest = after;
        }
        // Only what ends a sentence may itself be several.
        let within = values.iter().chain((!last.is_empty()).then_some(&rest));
        if within.into_iter().any(|value| value.contains(". ")) {
            return None;
        }
        values.push(rest);
        Some(values)
    }
}

/// What is known of a language: its texts, and those of them that are patterns.
pub(super) struct Words<'a> {
    pub(super) list: &'a List,
    pub(super) patterns: &'a LazyLock<Patterns>,
}

impl Words<'_> {
    /// `text` in the language, as far as it is known.
    pub(super) fn of(&self, text: &str) -> String {
        if let Some(known) = self.list.get(text) {
            return (*known).to_owned();
        }
        // Several sentences, the first of which is known by itself.
        let sentences = text.split_once(". ");
        if let Some((first, rest)) = sentences
            && let Some(first) = self.whole(&format!("{first}."))
        {
            return format!("{first}{}", self.of(rest));
        }
        if let Some(whole) = self.whole(text) {
            return whole;
        }
        if let Some((first, rest)) = sentences {
            return format!("{first}. {}", self.of(rest));
        }
        // What it is about, and what is said of it.
        match text.split_once(": ") {
            Some((head, rest)) if self.list.contains_key(head) => {
                format!("{}：{}", self.list[head], self.of(rest))
            }
            _ => text.to_owned(),
        }
    }

    /// A text that the list has, as it is or as a sentence made of it.
    fn whole(&self, text: &str) -> Option<String> {
        if let Some(known) = self.known(text) {
            return Some(known);
        }
        let body = text.strip_suffix('.')?;
        let mut small = body.to_owned();
        if let Some(first) = small.get_mut(..1) {
            first.make_ascii_lowercase();
        }
        let known = self.known(body).or_else(|| self.known(&small))?;
        Some(format!("{known}。"))
    }

    fn known(&self, text: &str) -> Option<String> {
        if let Some(known) = self.list.get(text) {
            return Some((*known).to_owned());
        }
        self.patterns.0.iter().find_map(|pattern| {
            let values = pattern.values(text)?;
            let values: HashMap<&str, String> = pattern
                .names
                .iter()
                .zip(values)
                .map(|(name, value)| (name.as_str(), self.of(value)))
                .collect();
            Some(fill(pattern.translated, |name| values.get(name).cloned()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static LIST: LazyLock<List> = LazyLock::new(|| {
        List::from([
            (
                "data backup {} of tenant {} failed: {}",
                "租户 {#1} 的数据备份 {#0} 失败：{#2}",
            ),
            ("use at most {MAX} bytes", "最多 {MAX} 个字节"),
            (
                "use at most {MAX} bytes, or none",
                "最多 {MAX} 个字节或留空",
            ),
            ("the disk is full", "磁盘已满"),
            ("Nothing was removed.", "未删除任何内容。"),
            ("{a}, {b}", "不会被使用 {a}{b}"),
            ("{path}{why} is gone for ever", "{path}{why}已消失"),
        ])
    });
    static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| Patterns::of(&LIST));

    fn of(text: &str) -> String {
        let words = Words {
            list: &LIST,
            patterns: &PATTERNS,
        };
        words.of(text)
    }

    #[test]
    fn values_are_found_and_told_themselves() {
        assert_eq!(
            of("data backup 7 of tenant shop failed: the disk is full"),
            "租户 shop 的数据备份 7 失败：磁盘已满"
        );
    }

    #[test]
    fn the_most_telling_pattern_counts() {
        assert_eq!(of("use at most 9 bytes"), "最多 9 个字节");
        assert_eq!(of("use at most 9 bytes, or none"), "最多 9 个字节或留空");
    }

    #[test]
    fn sentences_are_known_by_their_texts() {
        assert_eq!(of("Use at most 9 bytes."), "最多 9 个字节。");
        assert_eq!(
            of("The disk is full. Nothing was removed."),
            "磁盘已满。未删除任何内容。"
        );
        assert_eq!(
            of("Something unknown. The disk is full."),
            "Something unknown. 磁盘已满。"
        );
    }

    #[test]
    fn what_a_sentence_is_about_is_told_too() {
        assert_eq!(
            of("the disk is full: use at most 9 bytes"),
            "磁盘已满：最多 9 个字节"
        );
        assert_eq!(of("unknown: the disk is full"), "unknown: the disk is full");
    }

    #[test]
    fn what_is_not_known_stays_as_it_is() {
        for text in [
            "",
            ".",
            "a, b",
            "use at most",
            "磁盘. ",
            "{",
            "no such text {x}",
        ] {
            assert_eq!(of(text), text);
        }
    }

    #[test]
    fn values_beside_each_other_stay_together() {
        assert_eq!(of("/a: b is gone for ever"), "/a: b已消失");
    }
}
