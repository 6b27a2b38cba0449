//! What follows from a strategy that is being typed: advice, and what a cleanup would remove.

use super::draft::Draft;
use super::fields::State;
use crate::api::{self, asked};
use crate::language::{t, tf, told};
use crate::pages::words::count;
use crate::signal::Memo;
use crate::ui::{Any, ErrorNotice, Notice, Skeleton, Stamp, Tone, waiting};
use domain::retention::{CleanupSum, RETENTION_DAYS_MAX, RETENTION_DAYS_MIN};
use domain::size::bytes;
use domain::strategy::check::Warning;
use leptos::prelude::*;

/// What is allowed and unwise about what is typed.
#[component]
pub fn Advice(
    /// The form.
    state: State,
) -> impl IntoView {
    let typed = Memo::new(move |_| state.draft.with(Draft::settings).ok());
    let advice = asked(
        move || typed.get(),
        |settings| async move {
            match settings {
                Some(settings) => api::strategies::advice(settings).await,
                None => Ok(Vec::new()),
            }
        },
    );
    let list = move || async move {
        let one = |one: Warning| {
            let (title, text) = (told(&one.field), told(&one.text));
            view! { <Notice tone=Tone::Warn title text/> }.any()
        };
        // Without an answer there is no advice; saving tells what is wrong.
        let found = advice.await.unwrap_or_default();
        found.into_iter().map(one).collect_view().into_any()
    };
    view! { <div class="stack" aria-live="polite">{waiting(|| ().into_any(), list)}</div> }.any()
}

/// What a cleanup with the typed days would remove now.
#[component]
pub fn RemovedToday(
    /// The form.
    state: State,
) -> impl IntoView {
    let days = Memo::new(move |_| {
        let draft = state.draft.read();
        let days = draft.retention.trim().parse::<u32>().ok();
        days.filter(|days| {
            draft.cleanup && (RETENTION_DAYS_MIN..=RETENTION_DAYS_MAX).contains(days)
        })
    });
    let sum = asked(
        move || days.get(),
        move |days| async move {
            match days {
                Some(days) => api::cleanup::sum(state.cluster.get_value(), days)
                    .await
                    .map(Some),
                None => Ok(None),
            }
        },
    );
    let again = Callback::new(move |()| sum.refetch());
    let shown = move || async move {
        match sum.await {
            Ok(Some(sum)) => removed(&sum),
            Ok(None) => {
                let text = t("Nothing: expired backups are not removed.");
                view! { <p class="field-hint">{text}</p> }.any()
            }
            Err(error) => {
                let title = t("This could not be looked up");
                view! { <ErrorNotice title text=error.to_string() on_retry=again/> }.any()
            }
        }
    };
    view! {
        <section class="panel" aria-labelledby="removed-today">
            <div class="panel-head"><h2 id="removed-today">{t("What would be removed today")}</h2></div>
            <div class="panel-body" aria-live="polite">
                {waiting(|| view! { <Skeleton rows=2/> }.any(), shown)}
            </div>
        </section>
    }
    .any()
}

fn removed(sum: &CleanupSum) -> AnyView {
    let what = match sum.objects {
        0 => t("Nothing has expired.").to_owned(),
        objects => tf(
            "{things} would go, {freed}.",
            &[
                ("things", &count(objects, "object")),
                ("freed", &bytes(sum.bytes)),
            ],
        ),
    };
    let partly = (sum.left_out > 0).then(|| {
        let text = tf(
            "Of the first {tenants} tenants; {left_out} more were not asked about.",
            &[("tenants", &sum.tenants), ("left_out", &sum.left_out)],
        );
        view! { <p class="field-hint">{text}</p> }.any()
    });
    view! {
        <p><b>{what}</b></p>
        <p class="field-hint">
            {t("Every moment since this one stays recoverable:")} " " <Stamp at=sum.keep_from/>
        </p>
        {partly}
    }
    .any()
}
