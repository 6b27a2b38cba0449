//! Runs before they come.

use crate::language::{t, told};
use crate::live::time::Clock;
use crate::ui::Any;
use domain::schedule::PlannedRun;
use leptos::prelude::*;

/// Planned runs: on the wall clock of the schedule's zone, and in the viewer's zone.
#[component]
pub fn Runs(
    /// In order.
    runs: Vec<PlannedRun>,
) -> impl IntoView {
    let clock = Clock::current();
    if runs.is_empty() {
        let text = t("No run is planned while scheduling is paused.");
        return view! { <p class="field-hint">{text}</p> }.any();
    }
    let each = move |run: PlannedRun| {
        let at = run.at;
        let here = move || {
            let civil = clock.civil(at);
            let (date, hour, minute) = (civil.date(), civil.hour, civil.minute);
            format!("{date} {hour:02}:{minute:02} {}", clock.zone_label(at))
        };
        view! {
            <li>
                <span>
                    <time datetime=at.to_rfc3339()>{wall(&run.wall)}</time>
                    <br/>
                    <small>{t(run.kind.label())}{run.note.map(|note| format!(". {}", told(&note)))}</small>
                </span>
                <small>{here}</small>
            </li>
        }
        .into_any()
    };
    view! { <ol class="runs">{runs.into_iter().map(each).collect_view()}</ol> }.any()
}

/// The time on the wall of the schedule's zone, which begins with the day of the week.
fn wall(text: &str) -> String {
    match text.split_once(' ') {
        Some((day, rest)) => format!("{} {rest}", told(day)),
        None => text.to_owned(),
    }
}
