//! Languages where pages are made: one per request.

use super::{COOKIE, Language, List};
use leptos::prelude::use_context;
use std::{collections::BTreeMap, sync::LazyLock};

/// The texts, one file per part of the application.
const FILES: [&str; 10] = [
    include_str!("zh/alerts.json"),
    include_str!("zh/backup_recovery.json"),
    include_str!("zh/calendar.json"),
    include_str!("zh/gate.json"),
    include_str!("zh/overview.json"),
    include_str!("zh/pages.json"),
    include_str!("zh/server.json"),
    include_str!("zh/settings.json"),
    include_str!("zh/shell.json"),
    include_str!("zh/tasks.json"),
];

type Owned = BTreeMap<String, String>;

static MERGED: LazyLock<Owned> = LazyLock::new(|| {
    let read = |text| -> Owned {
        serde_json::from_str(text).expect("invariant: a test reads the same files")
    };
    FILES.iter().flat_map(|text| read(text)).collect()
});

static CHINESE: LazyLock<List> = LazyLock::new(|| {
    let pairs = MERGED.iter();
    pairs
        .map(|(english, chinese)| (english.as_str(), chinese.as_str()))
        .collect()
});

/// JSON in which no tag can begin.
static DOCUMENT_LIST: LazyLock<String> = LazyLock::new(|| {
    let list = serde_json::to_string(&*MERGED).expect("invariant: texts are JSON");
    list.replace('<', "\\u003c")
});

/// The list as the document that is being made has to carry it.
pub fn list_for_document() -> Option<&'static str> {
    (current() == Language::Chinese).then_some(DOCUMENT_LIST.as_str())
}

pub(super) fn list() -> &'static List {
    &CHINESE
}

pub(super) fn current() -> Language {
    use_context::<Language>().unwrap_or_default()
}

/// The language that a request asks for: by the cookie, else the first of those its browser prefers that the
/// pages speak.
pub fn of_request(cookies: &str, accepted: &str) -> Language {
    let chosen = cookies
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE);
    if let Some(language) = chosen.and_then(|(_, code)| Language::of_code(code)) {
        return language;
    }
    accepted
        .split(',')
        .find_map(|one| {
            let tag = one.split(';').next().unwrap_or_default().trim();
            let primary = tag.split('-').next().unwrap_or_default();
            Language::of_code(&primary.to_ascii_lowercase())
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_counts_before_what_the_browser_prefers() {
        let of = |cookies: &str| of_request(cookies, "fr, zh-TW;q=0.9, en;q=0.8");
        assert_eq!(of("a=b; tidemark-language=en"), Language::English);
        assert_eq!(of("tidemark-language=tlh"), Language::Chinese);
        assert_eq!(of(""), Language::Chinese);
        assert_eq!(of_request("", "fr"), Language::English);
        assert_eq!(of_request("", ""), Language::English);
    }

    #[test]
    fn sentences_of_the_server_are_told_with_their_values() {
        let told = |text: &str| {
            let owner = leptos::prelude::Owner::new();
            owner.with(|| {
                leptos::prelude::provide_context(Language::Chinese);
                super::super::told(text)
            })
        };
        let sentences = [
            (
                "Use 2 to 64 letters, digits and underscores, beginning with a letter.",
                "请使用 2 至 64 个字母、数字或下划线，以字母开头。",
            ),
            (
                "The data backup of tenant orders failed: no second destination is used; turn second backup on in the backup strategy",
                "租户 orders 的数据备份失败：未使用第二目的端；请在备份策略中开启二次备份",
            ),
            ("85 % of /backup are used.", "/backup 已使用 85 %。"),
            (
                "Log backup of tenant orders was started. Log backup of tenant shop was started.",
                "租户 orders 的日志备份已启动。租户 shop 的日志备份已启动。",
            ),
            (
                "{\"a\": 1} is not a sentence",
                "{\"a\": 1} is not a sentence",
            ),
        ];
        for (english, chinese) in sentences {
            assert_eq!(told(english), chinese);
        }
    }

    #[test]
    fn the_list_reads_and_its_texts_name_the_same_values() {
        let named = |text: &str| {
            let mut names: Vec<String> = text
                .split('{')
                .skip(1)
                .filter_map(|rest| Some(rest.split_once('}')?.0))
                .enumerate()
                .map(|(place, name)| match name {
                    "" => format!("#{place}"),
                    name => name.to_owned(),
                })
                .collect();
            names.sort();
            names.dedup();
            names
        };
        for (english, chinese) in list() {
            assert_eq!(named(english), named(chinese), "{english} / {chinese}");
            assert!(!chinese.is_empty(), "{english}");
        }
    }
}
