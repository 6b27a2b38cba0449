//! Small phrases that several pages need.

use crate::language::{Language, t, tf};
use crate::signal::RwSignal;
use domain::{Scn, page::TOTAL_MAX, size::duration_ms};
use leptos::prelude::Signal;

/// `12 s ago`, `3 d 4 h ago`, `just now`.
pub fn ago(moment: Scn, now: Scn) -> String {
    let seconds = now.since_ns(moment) / domain::scn::NS_PER_SECOND;
    if seconds < 2 {
        t("just now").to_owned()
    } else {
        tf("{age} ago", &[("age", &whole_seconds(seconds))])
    }
}

/// `6 s`, `1 m 5 s`: without tenths.
pub fn whole_seconds(seconds: u64) -> String {
    if seconds < 10 {
        format!("{seconds}\u{a0}s")
    } else {
        duration_ms(seconds * 1000)
    }
}

/// `1 tenant`, `3 tenants`. In Chinese a noun brings its measure word along and has no plural.
pub fn count(number: u64, noun: &'static str) -> String {
    match (Language::current(), number) {
        (Language::Chinese, _) => format!("{number} {}", t(noun)),
        (Language::English, 1) => format!("1 {noun}"),
        (Language::English, _) => format!("{number} {noun}s"),
    }
}

/// How many rows of a list match, once it is known. Lists are counted up to a limit.
pub fn matching(total: RwSignal<Option<u64>>, noun: &'static str) -> Signal<String> {
    Signal::derive(move || match total.get() {
        None => String::new(),
        Some(total) if total > TOTAL_MAX => {
            tf("more than {count}", &[("count", &count(TOTAL_MAX, noun))])
        }
        Some(total) => count(total, noun),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_told_in_the_unit_that_fits() {
        let now = Scn::from_ms(1_000_000_000);
        let told = |seconds: u64| {
            ago(now.minus_ns(seconds * domain::scn::NS_PER_SECOND), now).replace('\u{a0}', " ")
        };
        assert_eq!(told(0), "just now");
        assert_eq!(told(3), "3 s ago");
        assert_eq!(told(65), "1 m 5 s ago");
        assert_eq!(told(7200), "2 h 0 m ago");
        assert_eq!(ago(now.plus_ns(5), now), "just now");
    }
}
