//! What the trend says in words: growth, outlook, events.

use crate::language::{t, tf};
use crate::pages::backup_recovery::task_details::kind_words;
use domain::{
    size::bytes,
    trend::{Forecast, TrendEvent, TrendEventKind},
};

/// `+0.58 TB`, or nothing where it stays.
pub fn grown(before: u64, now: u64) -> String {
    match now.cmp(&before) {
        std::cmp::Ordering::Greater => format!("+{}", bytes(now - before)),
        std::cmp::Ordering::Less => format!("\u{2212}{}", bytes(before - now)),
        std::cmp::Ordering::Equal => String::new(),
    }
}

/// When the storage will be full.
pub fn forecast(forecast: &Forecast) -> String {
    match forecast {
        Forecast::NoCapacity => {
            t("The storage does not tell how much room it has, so nothing can be said about when it will be full.").to_owned()
        }
        Forecast::NotEnoughHistory { days, needed } => tf(
            "When the storage will be full can be told after {needed} days with sizes; there are {days}.",
            &[("needed", needed), ("days", days)],
        ),
        Forecast::NotGrowing => t("What is used of the storage does not grow.").to_owned(),
        Forecast::Later { bytes_per_day } => tf(
            "It grows by about {bytes} a day and is not full within ten years.",
            &[("bytes", &bytes(*bytes_per_day))],
        ),
        Forecast::Full { at, bytes_per_day } => tf(
            "At about {bytes} a day the storage will be full around {day}.",
            &[
                ("bytes", &bytes(*bytes_per_day)),
                ("day", &at.display_seconds().chars().take(10).collect::<String>()),
            ],
        ),
    }
}

/// What happened.
pub(super) fn event(event: &TrendEvent) -> String {
    let what = match event.kind {
        TrendEventKind::Completed(kind) => tf("{kind} completed", &[("kind", &kind_words(kind))]),
        TrendEventKind::Failed(kind) => tf("{kind} failed", &[("kind", &kind_words(kind))]),
        TrendEventKind::LogStarted => t("Log backup started").to_owned(),
        TrendEventKind::LogStopped => t("Log backup stopped").to_owned(),
    };
    tf(
        "{what}, {tenant}",
        &[("what", &what), ("tenant", &event.tenant)],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Scn, job::JobKind};

    #[test]
    fn growth_has_a_sign() {
        assert_eq!(grown(1000, 3000).replace('\u{a0}', " "), "+2.00 KB");
        assert!(grown(3000, 1000).starts_with('\u{2212}'));
        assert_eq!(grown(7, 7), "");
    }

    #[test]
    fn the_outlook_names_the_day() {
        let at = Scn::parse_rfc3339("2027-03-04T05:06:07Z").unwrap();
        let told = forecast(&Forecast::Full {
            at,
            bytes_per_day: 5_000_000,
        });
        assert!(told.contains("2027-03-04"), "{told}");
    }

    #[test]
    fn an_event_says_what_and_whose() {
        let told = event(&TrendEvent {
            at: Scn(1),
            kind: TrendEventKind::Failed(JobKind::Cleanup),
            tenant: "ledger".to_owned(),
        });
        assert_eq!(told, "Cleanup failed, ledger");
    }
}
