//! Storage configurations: where backups may go, and who uses them.

use crate::language::{t, tf};
use crate::{
    api::{self, asked},
    paths,
    signal::RwSignal,
    ui::{
        Any, Cell, Column, Empty, ErrorNotice, LinkButton, NoValue, Skeleton, Table, Toasts,
        waiting,
    },
};
use domain::strategy::StorageUse;
use leptos::prelude::*;

/// The panel.
#[component]
pub fn Storages(
    /// Whether the viewer may change them.
    manages: bool,
) -> impl IntoView {
    let storages = asked(|| (), |()| api::strategies::storages());
    let again = Callback::new(move |()| storages.refetch());
    let view = move || async move {
        match storages.await {
            Ok(list) if list.is_empty() => {
                let text = t("They are made with the backup strategies that use them.");
                view! { <Empty title=t("No storage configuration yet") text/> }.any()
            }
            Ok(list) => {
                let rows = list
                    .into_iter()
                    .map(|one| row(one, manages, again))
                    .collect_view();
                view! { <Table caption=t("Storage configurations") columns=columns()>{rows}</Table> }
                    .any()
            }
            Err(error) => {
                let title = t("The storage configurations could not be loaded").to_owned();
                view! { <ErrorNotice title text=error.to_string() on_retry=again/> }.any()
            }
        }
    };
    view! {
        <section class="panel panel-table" aria-labelledby="storages">
            <div class="panel-head">
                <h2 id="storages">{t("Storage configurations")}</h2>
            </div>
            {waiting(|| view! { <Skeleton rows=3/> }.any(), view)}
        </section>
    }
    .any()
}

fn columns() -> Vec<Column> {
    [
        t("Name"),
        t("Storage type"),
        t("Directory"),
        t("Capacity alert threshold"),
        t("Backups of"),
        t("Second copies of"),
        t("Actions"),
    ]
    .map(Column::plain)
    .to_vec()
}

fn row(one: StorageUse, manages: bool, again: Callback<()>) -> AnyView {
    let settings = one.config.settings;
    let unused = one.first_of.is_empty() && one.second_of.is_empty();
    let actions = match manages && unused {
        true => view! { <Remove name=settings.name.clone() again/> }.any(),
        false => view! { <NoValue/> }.any(),
    };
    view! {
        <tr role="row">
            <th scope="row" role="rowheader" class="cell-key" data-label=t("Name")>
                {settings.name.clone()}
            </th>
            <Cell label=t("Storage type")>{t(settings.kind.label())}</Cell>
            <Cell label=t("Directory") class="cell-clip cell-wide">
                <code title=settings.directory.clone()>{settings.directory.clone()}</code>
            </Cell>
            <Cell label=t("Capacity alert threshold")>{format!("{}\u{a0}%", settings.capacity_percent)}</Cell>
            <Cell label=t("Backups of")>{users(one.first_of)}</Cell>
            <Cell label=t("Second copies of")>{users(one.second_of)}</Cell>
            <Cell label=t("Actions") class="cell-actions">{actions}</Cell>
        </tr>
    }
    .any()
}

/// The clusters, each with the way to its strategy.
fn users(names: Vec<String>) -> AnyView {
    if names.is_empty() {
        return view! { <NoValue/> }.any();
    }
    let each = names
        .into_iter()
        .map(|name| view! { <a href=paths::strategy(&name)>{name.clone()}</a> " " }.any());
    each.collect_view().into_any()
}

#[component]
fn Remove(name: String, again: Callback<()>) -> impl IntoView {
    let toasts = Toasts::current();
    let label = tf("Remove storage configuration {name}", &[("name", &name)]);
    let name = StoredValue::new(name);
    let sure = RwSignal::new(false);
    let remove = Action::new(move |(): &()| async move {
        match api::strategies::remove_storage(name.get_value()).await {
            Ok(()) => again.run(()),
            Err(error) => toasts.failed(t("This was not done"), error.to_string()),
        }
    });
    let press = move |()| match sure.get_untracked() {
        true => {
            remove.dispatch(());
        }
        false => sure.set(true),
    };
    view! {
        <LinkButton label on_press=press>
            {move || if sure.get() { t("Really remove") } else { t("Remove") }}
        </LinkButton>
    }
    .any()
}
