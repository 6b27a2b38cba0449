//! How much of everything the histories had, so that none of them is about nothing.

use crate::{judge, process::Site};
use std::{collections::BTreeMap, sync::Mutex};

/// What must have happened somewhere in many histories.
const EXPECTED: [&str; 21] = [
    "data_backup completed",
    "data_backup failed",
    "data_backup canceled",
    "recovery completed",
    "second_data completed",
    "second_data failed",
    "second_log completed",
    "second_log failed",
    "cleanup completed",
    "cleanup failed",
    "run completed",
    "run failed",
    "run missed",
    "run skipped",
    "tried again",
    "begun again",
    "removed sets",
    "cleanup by a person",
    "second cleanup by a person",
    "recoverable moments",
    "killed",
];

static TALLY: Mutex<BTreeMap<String, u64>> = Mutex::new(BTreeMap::new());

/// Counts something that happened.
pub(crate) fn count(what: &str, times: u64) {
    let mut tally = TALLY.lock().unwrap();
    *tally.entry(what.to_owned()).or_default() += times;
}

/// Counts what a history left in the control database.
pub(crate) fn database(site: &Site) {
    for text in judge::groups(
        site,
        &[
            "SELECT kind || ' ' || state, count(*) FROM job GROUP BY kind, state",
            "SELECT 'run ' || outcome, count(*) FROM schedule_run GROUP BY outcome",
            "SELECT 'tried again', count(*) FROM job WHERE retry_of IS NOT NULL",
            "SELECT 'begun again', count(*) FROM job WHERE attempts > 1",
            "SELECT CASE place WHEN 'second' THEN 'second cleanup by a person' ELSE 'cleanup by a person' END, count(*) \
             FROM job WHERE kind = 'cleanup' AND caused_by = 'manual' GROUP BY 1",
            "SELECT 'removed sets', count(*) FROM job WHERE outcome LIKE '% sets removed' \
             AND outcome NOT LIKE '0 %'",
        ],
    ) {
        count(&text.0, text.1);
    }
}

/// Everything counted; panics when something never happened though there were many histories.
#[expect(
    clippy::print_stdout,
    reason = "what the histories had is part of what the test tells"
)]
pub(crate) fn show(histories: u64) {
    let tally = TALLY.lock().unwrap();
    println!("{histories} histories: {tally:#?}");
    let missing: Vec<&str> = EXPECTED
        .into_iter()
        .filter(|what| tally.get(*what).copied().unwrap_or_default() == 0)
        .collect();
    assert!(
        histories < 300 || missing.is_empty(),
        "never happened in {histories} histories: {missing:?}"
    );
}
