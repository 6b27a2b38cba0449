//! Facts that the details of several kinds of tasks show: cause, size, times.

use crate::language::{t, tf, told};
use crate::{
    feed::Feed,
    ui::{Any, Notice, Stamp, Tone, follow},
};
use domain::{
    Scn,
    job::Progress,
    size::{bytes, duration_ms},
};
use leptos::prelude::*;

/// Why something failed and what to do, first of all.
#[component]
pub fn Cause(
    /// What failed.
    title: &'static str,
    /// Why; nothing is shown without it.
    text: Option<String>,
) -> impl IntoView {
    let text = text.map(|text| told(&text));
    text.map(|text| view! { <Notice tone=Tone::Bad title text/> }.any())
}

/// The phase, and how much is done.
#[component]
pub fn Measures(
    /// How far it is.
    progress: Progress,
    /// Whether nothing happens any more.
    is_final: bool,
) -> impl IntoView {
    let phase =
        (!is_final && !progress.phase.is_empty()).then(|| pair(t("Phase"), told(&progress.phase)));
    let size = match (progress.done_bytes, progress.total_bytes) {
        (0, 0) => None,
        (done, total) if done >= total || is_final => Some(bytes(done)),
        (done, total) => Some(tf(
            "{done} of {total}",
            &[("done", &bytes(done)), ("total", &bytes(total))],
        )),
    };
    view! {
        {phase}
        {size.map(|size| pair(t("Data"), size))}
    }
    .any()
}

/// When it was asked for, began and ended, and how long it took.
#[component]
pub fn Moments(
    /// When it was asked for.
    created: Scn,
    /// When work began.
    started: Option<Scn>,
    /// When it ended.
    ended: Option<Scn>,
) -> impl IntoView {
    let now = Feed::current().now();
    let took = move || {
        let end = ended.unwrap_or_else(|| now.get());
        started.map(|started| {
            pair(
                t("Duration"),
                duration_ms(end.since_ns(started) / 1_000_000),
            )
        })
    };
    let moment = |label: &'static str, at: Option<Scn>| {
        at.map(|at| {
            view! {
                <dt>{label}</dt>
                <dd>
                    <Stamp at/>
                </dd>
            }
            .any()
        })
    };
    view! {
        {moment(t("Asked for"), Some(created))}
        {moment(t("Start Time"), started)}
        {moment(t("End Time"), ended)}
        {follow(took)}
    }
    .any()
}

/// A fact: its label and its value.
pub fn pair(label: &'static str, value: String) -> impl IntoView {
    view! {
        <dt>{label}</dt>
        <dd>{value}</dd>
    }
    .any()
}
