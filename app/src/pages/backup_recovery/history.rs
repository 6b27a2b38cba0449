//! A scheduling history in the drawer: each moment that was due, what became of it and why, and its tasks.

use super::task_drawer::{Opened, Shown};
use crate::language::{t, tf, told};
use crate::{
    api::{self, asked},
    feed::Feed,
    pages::status,
    signal::RwSignal,
    ui::{Any, Badge, Button, Empty, ErrorNotice, LinkButton, Skeleton, Stamp, waiting},
};
use domain::{
    page::{Page, TaskFilter},
    size::duration_ms,
    strategy::{RunKind, ScheduleRun},
};
use leptos::prelude::*;

/// Runs of a page.
const SIZE: u32 = 20;

/// The runs, newest first.
#[component]
pub fn History(
    /// Of which schedule.
    kind: RunKind,
) -> impl IntoView {
    let feed = Feed::current();
    let page = RwSignal::new(1_u32);
    let runs = asked(
        move || page.get(),
        move |page| {
            let filter = TaskFilter {
                page,
                size: SIZE,
                ..TaskFilter::default()
            };
            api::tasks::history(feed.cluster(), kind, filter)
        },
    );
    let retry = Callback::new(move |()| runs.refetch());
    let view = move || async move {
        match runs.await {
            Ok(found) => loaded(found, page),
            Err(error) => {
                let title = t("The history could not be loaded").to_owned();
                view! { <ErrorNotice title text=error.to_string() on_retry=retry/> }.any()
            }
        }
    };
    waiting(|| view! { <Skeleton rows=8/> }.any(), view)
}

fn loaded(found: Page<ScheduleRun>, page: RwSignal<u32>) -> AnyView {
    if found.rows.is_empty() {
        let text = t("Runs appear here from the first moment that the backup strategy names.");
        return view! { <Empty title=t("No run yet") text/> }.any();
    }
    let last = u32::try_from(found.total.div_ceil(u64::from(SIZE))).unwrap_or(u32::MAX);
    let here = found.page;
    let turn = (last > 1).then(|| {
        view! {
            <div class="row">
                <Button size="sm" icon="chevron-left" off=reason(here == 1) on_press=move |()| page.set(here - 1)>
                    {t("Newer")}
                </Button>
                <span class="panel-note">
                    {tf("Page {page} of {last}", &[("page", &here), ("last", &last)])}
                </span>
                <Button size="sm" icon="chevron-right" off=reason(here >= last) on_press=move |()| page.set(here + 1)>
                    {t("Older")}
                </Button>
            </div>
        }
        .any()
    });
    view! {
        <ol class="course">{found.rows.into_iter().map(run).collect_view()}</ol>
        {turn}
    }
    .any()
}

fn reason(off: bool) -> Signal<Option<String>> {
    Signal::derive(move || off.then(|| t("There is nothing more in this direction.").to_owned()))
}

fn run(run: ScheduleRun) -> AnyView {
    let opened = Opened::current();
    let took = run.ended.filter(|_| !run.tasks.is_empty()).map(|ended| {
        let took = duration_ms(ended.since_ns(run.started) / 1_000_000);
        tf("took {took}", &[("took", &took)])
    });
    let kind = run.backup.map(|kind| t(kind.label()));
    let facts: Vec<String> = [kind.map(str::to_owned), took]
        .into_iter()
        .flatten()
        .collect();
    let tasks = run.tasks.into_iter().map(|id| {
        view! {
            <LinkButton
                class="id"
                label=tf("Task {id}, details", &[("id", &id)])
                on_press=move |()| opened.show(Shown::Id(id))
            >
                {id.to_string()}
            </LinkButton>
        }
        .any()
    });
    view! {
        <li>
            <Stamp at=run.due/>
            <span>
                <span class="row">
                    <Badge look=status::run(run.outcome)/>
                    <small>{facts.join(", ")}</small>
                </span>
                {run.cause.map(|cause| view! { <small class="pair-note">{told(&cause)}</small> }.any())}
                <span class="row row-ids">{tasks.collect_view()}</span>
            </span>
        </li>
    }
    .any()
}
