//! Where the cluster has other settings than its strategy says, and sending the strategy's again.

use crate::api;
use crate::language::{t, tf, told};
use crate::shell::Myself;
use crate::ui::{Any, Button, Cell, Column, NoValue, Notice, Table, Toasts, Tone, waiting};
use domain::strategy::{DRIFT_MAX, Drift};
use leptos::prelude::*;

/// The differences; nothing while there are none.
#[component]
pub fn Differences(
    /// Name of the cluster.
    cluster: String,
    /// What differs.
    drift: Vec<Drift>,
    /// Reads the strategy again.
    again: Callback<()>,
) -> impl IntoView {
    if drift.is_empty() {
        return ().into_any();
    }
    let Myself(me) = expect_context();
    let cluster = StoredValue::new(cluster);
    let full = (drift.len() >= DRIFT_MAX).then(|| {
        let text = tf(
            "Only the first {number} are shown.",
            &[("number", &DRIFT_MAX)],
        );
        view! { <p class="field-hint">{text}</p> }.any()
    });
    let blocked = drift.iter().filter_map(|one| {
        let why = told(one.blocked.as_ref()?);
        let title = tf(
            "{tenant} cannot be set right as it is",
            &[("tenant", &one.tenant)],
        );
        Some(view! { <Notice tone=Tone::Warn title text=why/> }.any())
    });
    let blocked = blocked.collect_view();
    view! {
        <section class="panel panel-table" aria-labelledby="differences">
            <div class="panel-head">
                <h2 id="differences">{t("Differences from the cluster")}</h2>
                <span class="panel-note">{t("Somebody changed these settings in the cluster, or they were never made.")}</span>
                {waiting(|| ().into_any(), move || async move {
                    let may = me.await.is_ok_and(|me| me.administers());
                    may.then(|| view! { <Apply cluster again/> }.any()).into_any()
                })}
            </div>
            <Table caption=t("Differences from the cluster") columns=columns()>
                {drift.into_iter().map(row).collect_view()}
            </Table>
            {full}
        </section>
        {blocked}
    }
    .any()
}

fn columns() -> Vec<Column> {
    [
        t("Tenant"),
        t("Setting"),
        t("The strategy says"),
        t("The cluster has"),
    ]
    .map(Column::plain)
    .to_vec()
}

fn row(one: Drift) -> AnyView {
    let value = |text: String| match text.is_empty() {
        true => view! { <NoValue/> }.any(),
        false => view! { <code title=text.clone()>{text.clone()}</code> }.any(),
    };
    view! {
        <tr role="row">
            <th scope="row" role="rowheader" class="cell-key" data-label=t("Tenant")>{one.tenant}</th>
            <Cell label=t("Setting")>{t(one.setting.label())}</Cell>
            <Cell label=t("The strategy says") class="cell-clip cell-wide">{value(one.wanted)}</Cell>
            <Cell label=t("The cluster has") class="cell-clip cell-wide">{value(one.found)}</Cell>
        </tr>
    }
    .any()
}

/// Sends the strategy's settings again.
#[component]
fn Apply(cluster: StoredValue<String>, again: Callback<()>) -> impl IntoView {
    let toasts = Toasts::current();
    let apply = Action::new(move |(): &()| async move {
        match api::strategies::apply(cluster.get_value()).await {
            Ok(notes) => {
                let notes: Vec<String> = notes.iter().map(|note| told(note)).collect();
                toasts.done(t("Backup strategy applied"), notes.join(" "));
                again.run(());
            }
            Err(error) => toasts.failed(t("This was not done"), error.to_string()),
        }
    });
    let busy = Signal::derive(move || apply.pending().get());
    let press = move |()| {
        apply.dispatch(());
    };
    view! { <Button size="sm" icon="refresh" busy on_press=press>{t("Apply again")}</Button> }.any()
}
