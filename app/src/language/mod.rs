//! The language of the pages: English stands in the code, Chinese is a list of the same texts.
//!
//! The texts themselves are the keys, so that a page reads like what it shows. A text that the list lacks is
//! shown in English; a test looks for those. The server knows the language by a cookie or by what the browser
//! prefers; the browser learns it from the document, which carries the list only where it is needed.

use leptos::prelude::*;
use sentence::{Patterns, Words};
use std::{collections::HashMap, fmt::Display, sync::LazyLock};

#[cfg(feature = "ssr")]
mod at_server;
#[cfg(not(feature = "ssr"))]
mod in_browser;
mod sentence;

#[cfg(feature = "ssr")]
use at_server as place;
#[cfg(not(feature = "ssr"))]
use in_browser as place;

#[cfg(feature = "ssr")]
pub use at_server::of_request;
#[cfg(not(feature = "ssr"))]
pub use in_browser::read_from_document;
pub use place::list_for_document;

/// Id of the element of a document that carries the list.
pub const LIST: &str = "words";

/// Name of the cookie that remembers the viewer's choice.
pub const COOKIE: &str = "tidemark-language";

/// Texts by their English form.
type List = HashMap<&'static str, &'static str>;

/// A language that the pages speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// As written in the code.
    #[default]
    English,
    /// Simplified Chinese.
    Chinese,
}

impl Language {
    /// Both.
    pub const ALL: [Language; 2] = [Language::English, Language::Chinese];

    /// The language of the page that is being made.
    pub fn current() -> Language {
        place::current()
    }

    /// What the cookie holds.
    pub const fn code(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Chinese => "zh",
        }
    }

    /// The value of the document's `lang`.
    pub const fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Chinese => "zh-CN",
        }
    }

    /// What the language calls itself.
    pub const fn own_name(self) -> &'static str {
        match self {
            Language::English => "English",
            Language::Chinese => "中文",
        }
    }

    /// The language with this code.
    pub fn of_code(code: &str) -> Option<Language> {
        Language::ALL.into_iter().find(|it| it.code() == code)
    }
}

/// A text in the viewer's language.
pub fn t(text: &'static str) -> &'static str {
    match Language::current() {
        Language::English => text,
        Language::Chinese => place::list().get(text).copied().unwrap_or(text),
    }
}

/// Marks a text that is translated where it is shown.
pub const fn later(text: &'static str) -> &'static str {
    text
}

/// A text that came from elsewhere, in the viewer's language as far as the list has it or what it is made of.
pub fn told(text: &str) -> String {
    static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| Patterns::of(place::list()));
    match Language::current() {
        Language::English => text.to_owned(),
        Language::Chinese => {
            let words = Words {
                list: place::list(),
                patterns: &PATTERNS,
            };
            words.of(text)
        }
    }
}

/// A text with values in it: `{name}` stands for the value called `name`.
pub fn tf(text: &'static str, values: &[(&str, &dyn Display)]) -> String {
    fill(t(text), |name| {
        let (_, value) = values.iter().find(|(known, _)| *known == name)?;
        Some(value.to_string())
    })
}

/// A text with views in it: `{name}` stands for the view called `name`.
pub fn tv(text: &'static str, mut views: Vec<(&'static str, AnyView)>) -> AnyView {
    let mut shown = Vec::new();
    let mut rest = t(text);
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        if !before.is_empty() {
            shown.push(before.into_any());
        }
        if let Some(at) = views.iter().position(|(known, _)| *known == name) {
            shown.push(views.swap_remove(at).1);
        }
        rest = after;
    }
    if !rest.is_empty() {
        shown.push(rest.into_any());
    }
    shown.into_any()
}

/// Goes through the text once, so that a value is never taken for a name.
fn fill(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let named = after
            .split_once('}')
            .and_then(|(name, after)| Some((value(name)?, after)));
        match named {
            Some((value, after)) => {
                filled.push_str(&value);
                rest = after;
            }
            None => {
                filled.push('{');
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_where_the_text_names_them() {
        let filled = tf("{n} of {total} ({n})", &[("n", &3), ("total", &"many")]);
        assert_eq!(filled, "3 of many (3)");
        let values: &[(&str, &dyn Display)] = &[("a", &"{b}"), ("b", &"x")];
        assert_eq!(tf("{a} {b} {c} {", values), "{b} x {c} {");
    }

    #[test]
    fn codes_name_languages() {
        for language in Language::ALL {
            assert_eq!(Language::of_code(language.code()), Some(language));
        }
        assert_eq!(Language::of_code("xx"), None);
    }
}
