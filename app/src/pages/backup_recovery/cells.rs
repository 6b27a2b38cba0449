//! Cells that several task tables have.

use crate::language::{t, tf};
use crate::{
    pages::words::whole_seconds,
    signal::Memo,
    ui::{Any, Badge, Cell, NoValue, Progress, Stamp, badge::Look, follow},
};
use domain::{Scn, job, size::bytes};
use leptos::prelude::*;

/// A moment, or a dash.
#[component]
pub fn MomentCell(
    /// Head of its column.
    label: &'static str,
    /// The moment.
    #[prop(into)]
    at: Signal<Option<Scn>>,
) -> impl IntoView {
    let at = Memo::new(move |_| at.get());
    view! {
        <Cell label empty=Signal::derive(move || at.get().is_none())>
            {follow(move || match at.get() {
                Some(at) => view! { <Stamp at/> }.any(),
                None => view! { <NoValue/> }.any(),
            })}
        </Cell>
    }
    .any()
}

/// Status; while something runs also how far it is, how fast, and how long it will take.
#[component]
pub fn StatusCell(
    /// The badge.
    #[prop(into)]
    look: Signal<Look>,
    /// How far, while it runs.
    #[prop(into)]
    progress: Signal<Option<job::Progress>>,
    /// What stands under it.
    #[prop(optional, into)]
    more: Option<AnyView>,
) -> impl IntoView {
    let percent = Memo::new(move |_| progress.read().as_ref().and_then(job::Progress::percent));
    let is_measured = Memo::new(move |_| percent.get().is_some());
    let rate = Memo::new(move |_| {
        let progress = progress.read();
        let rate = progress.as_ref().map_or(0, |p| p.rate_bytes_per_s);
        (rate > 0).then(|| format!("{}/s", bytes(rate)))
    });
    let left = Memo::new(move |_| {
        let ms = progress.read().as_ref().and_then(|p| p.eta_ms)?;
        Some(tf(
            "{time} left",
            &[("time", &whole_seconds(ms.div_ceil(1000)))],
        ))
    });
    view! {
        <Cell label=t("Status") class="cell-status">
            {follow(move || {
                if is_measured.get() {
                    view! {
                        <div class="progress">
                            <span class="progress-line">
                                <Badge look/>
                                <b class="num">
                                    {move || percent.get().map(|p| format!("{p}\u{a0}%")).unwrap_or_default()}
                                </b>
                            </span>
                            <Progress percent label=t("Progress")/>
                            <span class="progress-note">
                                <span>{move || rate.get()}</span>
                                <span>{move || left.get()}</span>
                            </span>
                        </div>
                    }.any()
                } else {
                    view! { <Badge look/> }.any()
                }
            })}
            {more}
        </Cell>
    }.any()
}
