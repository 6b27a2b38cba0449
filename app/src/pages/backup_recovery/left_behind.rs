//! "Clean Up": what a failed recovery left in the cluster, and removing it after a look at it.

use super::task_actions::Ask;
use crate::api::{self, asked};
use crate::feed::Feed;
use crate::language::{t, tf};
use crate::pages::statements::{CopyStatements, Statements};
use crate::signal::RwSignal;
use crate::ui::{Any, Button, ErrorNotice, Notice, Skeleton, Toasts, Tone, follow, waiting};
use domain::JobId;
use domain::recovery::PlannedStep;
use leptos::prelude::*;

/// The question, down to its buttons.
#[component]
pub fn CleanUp(
    /// The recovery task.
    id: JobId,
) -> impl IntoView {
    let (ask, feed) = (Ask::current(), Feed::current());
    let left = asked(
        || (),
        move |()| api::recoveries::leftovers(feed.cluster(), id),
    );
    let retry = Callback::new(move |()| left.refetch());
    let none = move || {
        view! {
            <div class="dialog-body"><p>{t("It left nothing in the cluster. There is nothing to clean up.")}</p></div>
            <div class="dialog-foot"><Button variant="quiet" focused=true on_press=move |()| ask.open.set(false)>{t("Close")}</Button></div>
        }
        .any()
    };
    waiting(
        || view! { <div class="dialog-body"><Skeleton rows=4/></div> }.any(),
        move || async move {
            match left.await {
                Ok(steps) if steps.is_empty() => none(),
                Ok(steps) => view! { <Left id steps/> }.any(),
                Err(error) => {
                    let title = t("What it left could not be looked for").to_owned();
                    view! { <div class="dialog-body"><ErrorNotice title text=error.to_string() on_retry=retry/></div> }.any()
                }
            }
        },
    )
}

#[component]
fn Left(id: JobId, steps: Vec<PlannedStep>) -> impl IntoView {
    let (ask, feed, toasts) = (Ask::current(), Feed::current(), Toasts::current());
    let failed = RwSignal::new(None::<String>);
    let action = Action::new(move |(): &()| async move {
        match api::recoveries::remove_leftovers(feed.cluster(), id).await {
            Ok(done) => {
                let count = done.len();
                toasts.done(
                    t("Cleaned up"),
                    tf("{count} statements were sent.", &[("count", &count)]),
                );
                ask.open.set(false);
                feed.refresh();
            }
            Err(error) => failed.set(Some(error.to_string())),
        }
    });
    let off = Signal::derive(move || feed.disconnected_reason());
    view! {
        <div class="dialog-body">
            <div class="statements-head">
                <p>{t("These statements are sent, in this order. Before each of them the cluster is looked at again; what is in use stays.")}</p>
                <CopyStatements steps=steps.clone()/>
            </div>
            <Statements steps/>
            {follow(move || failed.get().map(|text| view! {
                <Notice tone=Tone::Bad title=t("Not everything was removed") text urgent=true/>
            }.any()))}
        </div>
        <div class="dialog-foot">
            <Button variant="quiet" focused=true on_press=move |()| ask.open.set(false)>{t("Cancel")}</Button>
            <Button variant="danger" busy=action.pending() off on_press=move |()| { failed.set(None); action.dispatch(()); }>
                {t("Clean Up")}
            </Button>
        </div>
    }
    .any()
}
