//! `tidemark cleanup`.

use super::{Client, Output, output::columns};
use crate::{
    cli::{Cleanup, Common},
    http::{
        cleanup_shape::{CleanupOrder, Cleanups, PlannedCleanup, Thing},
        shape::{Problem, Range},
    },
};
use domain::size;

/// Tells what goes, what stays and why, and unless that is all, has it removed.
pub(super) fn run(common: &Common, order: &Cleanup, output: &Output) -> Result<(), Problem> {
    let request = CleanupOrder {
        tenant: order.tenant.clone(),
        keep_days: order.keep_days,
        second: order.second,
        dry_run: order.dry_run,
    };
    let answer: Cleanups = Client::connect(common)?.post(&["cleanups"], &request)?;
    output.show(&answer, |answer| text(answer, order.dry_run))
}

fn text(answer: &Cleanups, dry_run: bool) -> String {
    let mut text = String::new();
    for plan in &answer.plans {
        text.push_str(&planned(plan, dry_run));
    }
    for task in &answer.tasks {
        text.push_str(&format!("Cleanup task {task} is queued\n"));
    }
    for why in &answer.skipped {
        text.push_str(&format!("Not cleaned up: {why}\n"));
    }
    text
}

fn planned(plan: &PlannedCleanup, dry_run: bool) -> String {
    let goes = match dry_run {
        true => "would go",
        false => "goes",
    };
    let mut text = format!(
        "Tenant {}, {} copy, everything since {} stays recoverable\n",
        plan.tenant, plan.place, plan.keep_from
    );
    match plan.expired.is_empty() {
        true => text.push_str("  Nothing has expired\n"),
        false => text.push_str(&format!(
            "  {} {goes}:\n{}",
            size::bytes(plan.expired_bytes),
            table(&plan.expired)
        )),
    }
    if !plan.kept.is_empty() {
        text.push_str(&format!("  What stays, and why:\n{}", table(&plan.kept)));
    }
    if !plan.lost.is_empty() {
        text.push_str("  Moments that cannot be recovered to any more:\n");
        text.extend(plan.lost.iter().map(span));
    }
    text
}

fn span(range: &Range) -> String {
    format!("    {} to {}\n", range.start, range.end)
}

fn table(things: &[Thing]) -> String {
    let row = |thing: &Thing| {
        let what = match (thing.set, thing.round) {
            (Some(set), _) => format!("set {set}"),
            (None, round) => format!("log of round {}", round.unwrap_or_default()),
        };
        let when = match (&thing.start, &thing.end) {
            (Some(start), Some(end)) => format!("{start} to {end}"),
            _ => String::new(),
        };
        let why = thing.why.clone().unwrap_or_default();
        vec![format!("    {what}"), size::bytes(thing.bytes), when, why]
    };
    let rows: Vec<Vec<String>> = things.iter().map(row).collect();
    columns(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thing(set: Option<i64>, why: Option<&str>) -> Thing {
        let moment = |text: &str| set.is_none().then(|| text.to_owned());
        Thing {
            set,
            round: set.is_none().then_some(2),
            start: moment("a"),
            end: moment("b"),
            bytes: 2048,
            why: why.map(str::to_owned),
        }
    }

    #[test]
    fn what_goes_what_stays_and_what_is_lost_are_told() {
        let plan = PlannedCleanup {
            tenant: "orders".to_owned(),
            place: "first".to_owned(),
            keep_from: "k".to_owned(),
            expired_bytes: 4096,
            expired: vec![thing(Some(1), None), thing(None, None)],
            kept: vec![thing(Some(3), Some("set 4 builds on it"))],
            lost: vec![Range {
                start: "c".to_owned(),
                end: "d".to_owned(),
            }],
        };
        let answer = Cleanups {
            plans: vec![plan],
            tasks: vec![7],
            skipped: vec!["cleanup task 6 of tenant payments is not finished".to_owned()],
        };
        let told = text(&answer, true);
        for part in [
            "Tenant orders, first copy, everything since k stays recoverable\n",
            "would go:\n    set 1",
            "    log of round 2",
            "set 4 builds on it\n",
            "    c to d\n",
            "Cleanup task 7 is queued\n",
            "Not cleaned up: cleanup task 6",
        ] {
            assert!(told.contains(part), "{part:?} is not in\n{told}");
        }
        assert!(text(&answer, false).contains(" goes:\n"));
    }
}
