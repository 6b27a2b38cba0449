//! Moments, names and the life of a task against definitions by brute force.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use domain::{
    Scn,
    job::{JobEvent, JobState},
    scn::{NS_PER_DAY, NS_PER_SECOND},
    validate,
};
use proptest::prelude::*;

const EVENTS: [JobEvent; 7] = [
    JobEvent::Claim,
    JobEvent::Accepted,
    JobEvent::Cancel,
    JobEvent::Complete,
    JobEvent::Fail,
    JobEvent::ConfirmCanceled,
    JobEvent::Requeue,
];

/// Year, month and day of a day since 1970, found by counting one day after the other.
fn date(day: u64) -> (u64, u64, u64) {
    let each = |year: u64, years| year.is_multiple_of(years);
    let leap = |year| each(year, 4) && (!each(year, 100) || each(year, 400));
    let (mut year, mut left) = (1970, day);
    loop {
        let lengths = [
            31,
            28 + u64::from(leap(year)),
            31,
            30,
            31,
            30,
            31,
            31,
            30,
            31,
            30,
            31,
        ];
        for (month, length) in (1..).zip(lengths) {
            if left < length {
                return (year, month, left + 1);
            }
            left -= length;
        }
        year += 1;
    }
}

/// An instant as clocks in a zone show it, with this many digits of the second's fraction.
fn written(ns: u64, zone_minutes: i64, digits: usize) -> String {
    let shown = i128::from(ns) + i128::from(zone_minutes) * 60 * i128::from(NS_PER_SECOND);
    let shown = u64::try_from(shown).unwrap();
    let (year, month, day) = date(shown / NS_PER_DAY);
    let second = shown % NS_PER_DAY / NS_PER_SECOND;
    let fraction = format!("{:09}", shown % NS_PER_SECOND);
    let fraction = match digits {
        0 => String::new(),
        digits => format!(".{}", &fraction[..digits]),
    };
    let zone = match zone_minutes {
        0 => "Z".to_owned(),
        minutes => {
            let sign = if minutes < 0 { '-' } else { '+' };
            let minutes = minutes.abs();
            format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
        }
    };
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}{fraction}{zone}",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

/// Instants whose date exists in every zone and before the last one that columns hold.
fn instants() -> impl Strategy<Value = u64> {
    NS_PER_DAY..i64::MAX.cast_unsigned() - NS_PER_DAY
}

proptest! {
    #[test]
    fn a_moment_means_the_same_in_every_zone(
        ns in instants(), zone in -14 * 60i64..=14 * 60, digits in 0usize..=9,
    ) {
        let cut = ns - ns % 10u64.pow(9 - u32::try_from(digits).unwrap());
        let text = written(ns, zone, digits);
        prop_assert_eq!(Scn::parse_rfc3339(&text).unwrap(), Scn(cut), "{}", text);
    }

    #[test]
    fn a_moment_is_written_in_utc_to_the_nanosecond_and_orders_as_text(a in instants(), b in instants()) {
        let text = |ns| Scn(ns).to_rfc3339();
        prop_assert_eq!(text(a), written(a, 0, 9));
        prop_assert_eq!(Scn::parse_rfc3339(&text(a)).unwrap(), Scn(a));
        prop_assert_eq!(text(a).cmp(&text(b)), a.cmp(&b));
        let seconds = written(a, 0, 0).replace('T', " ").replace('Z', "");
        prop_assert_eq!(Scn(a).display_seconds(), seconds);
    }

    #[test]
    fn text_that_is_no_moment_is_refused_and_quoted(text in "[0-9TZ:+. -]{0,30}") {
        // Whatever is taken reads as something with a date, a time and a zone.
        match Scn::parse_rfc3339(&text) {
            Ok(_) => prop_assert!(text.trim().len() >= "2026-11-12T14:32:07Z".len()),
            Err(bad) => {
                let quoted = format!("\"{text}\"");
                prop_assert!(bad.to_string().contains(&quoted));
            }
        }
    }

    #[test]
    fn a_name_is_a_letter_and_up_to_63_letters_digits_and_underscores(
        text in prop_oneof!["[A-Za-z][A-Za-z0-9_]{0,70}", "[A-Za-z0-9_.é/ -]{0,8}", "\\PC{0,5}"],
    ) {
        const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let more = format!("{LETTERS}0123456789_");
        let good = (2..=64).contains(&text.chars().count())
            && text.char_indices().all(|(at, each)| match at {
                0 => LETTERS.contains(each),
                _ => more.contains(each),
            });
        match validate::name("NAME", &text) {
            Ok(name) => prop_assert!(good && name == text, "{text:?} was taken as {name:?}"),
            Err(wrong) => prop_assert!(!good && wrong.value == text, "{text:?} was refused"),
        }
    }

    #[test]
    fn a_task_lives_by_the_rules_whatever_happens_to_it(
        events in proptest::collection::vec(proptest::sample::select(&EVENTS[..]), 0..40),
    ) {
        use JobEvent as E;
        let mut state = JobState::Queued;
        let mut past: Vec<JobEvent> = Vec::new();
        for event in events {
            let Some(next) = state.after(event) else {
                // What is not legal leaves no trace; but a task that is not over can always fail.
                prop_assert!(event != E::Fail || state.is_final());
                continue;
            };
            prop_assert!(!state.is_final(), "{state:?} was final");
            past.push(event);
            state = next;

            let count = |event: E| past.iter().filter(|each| **each == event).count();
            let since_queued = past
                .iter()
                .rposition(|each| *each == E::Requeue)
                .map_or(&past[..], |at| &past[at + 1..]);
            let claimed = since_queued.contains(&E::Claim);
            let accepted = since_queued.contains(&E::Accepted);
            let asked = past.contains(&E::Cancel);
            // Told from its past alone.
            let expected = match event {
                E::Fail => JobState::Failed,
                E::Complete => JobState::Completed,
                E::ConfirmCanceled => JobState::Canceled,
                _ if asked && claimed => JobState::Canceling,
                _ if asked => JobState::Canceled,
                _ if accepted => JobState::Running,
                _ if claimed => JobState::Starting,
                _ => JobState::Queued,
            };
            prop_assert_eq!(state, expected, "{:?}", past);
            // One holder at a time, no success without one, no new beginning once somebody said stop.
            prop_assert!(count(E::Claim) <= count(E::Requeue) + 1);
            prop_assert!(count(E::Accepted) <= count(E::Claim));
            prop_assert!(state != JobState::Completed || claimed);
            prop_assert!(state != JobState::Canceled || asked);
            if let Some(at) = past.iter().position(|each| *each == E::Cancel) {
                let after = &past[at + 1..];
                prop_assert!([E::Claim, E::Accepted, E::Cancel, E::Requeue].iter().all(|each| !after.contains(each)));
            }
        }
    }
}
