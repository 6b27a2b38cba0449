//! The language in the browser: that of the document, for as long as the document lives.

use super::{LIST, Language, List};
use leptos::prelude::document;
use std::{
    collections::HashMap,
    sync::{LazyLock, OnceLock},
};

static CURRENT: OnceLock<(Language, List)> = OnceLock::new();
static NOTHING: LazyLock<List> = LazyLock::new(List::new);

pub(super) fn current() -> Language {
    CURRENT
        .get()
        .map(|(language, _)| *language)
        .unwrap_or_default()
}

pub(super) fn list() -> &'static List {
    CURRENT.get().map_or(&NOTHING, |(_, list)| list)
}

/// Nothing: the document is there already.
pub fn list_for_document() -> Option<&'static str> {
    None
}

/// Takes over the language of the document; to be called before any view is made.
pub fn read_from_document() {
    let lasting = |text: String| -> &'static str { text.leak() };
    let element = document().get_element_by_id(LIST);
    let Some(text) = element.and_then(|element| element.text_content()) else {
        return;
    };
    let list: HashMap<String, String> = serde_json::from_str(&text).unwrap_or_default();
    let list = list
        .into_iter()
        .map(|(english, chinese)| (lasting(english), lasting(chinese)))
        .collect();
    // Only one document is ever taken over.
    let _ = CURRENT.set((Language::Chinese, list));
}
