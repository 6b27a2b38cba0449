//! Back up Now: what, how, what will happen; then the task appears in its table.

use super::head::unable;
use crate::language::{t, tf, told};
use crate::{
    api,
    feed::Feed,
    parts,
    signal::RwSignal,
    ui::{Any, Button, Dialog, Field, Icon, Notice, Toasts, Tone, follow},
};
use domain::{TenantId, backup::BackupKind, tenant::TenantState};
use leptos::prelude::*;

/// The button in the head of the page, and its dialog.
#[component]
pub fn BackUpNow() -> impl IntoView {
    let feed = Feed::current();
    let open = RwSignal::new(false);
    let off = Signal::derive(move || {
        if let Some(reason) = unable(feed) {
            Some(told(&reason))
        } else if feed.summary().read().tenants == 0 {
            Some(t("There is no tenant online to back up.").to_owned())
        } else {
            feed.disconnected_reason()
        }
    });
    view! {
        <Button icon="bolt" off on_press=move |()| parts::open_with_content(open)>
            {t("Back up Now")}
        </Button>
        <Dialog open title=t("Back up Now")>
            {parts::downloaded(move || parts::back_up_now_form(open))}
        </Dialog>
    }
    .any()
}

/// What the dialog asks, down to its buttons.
#[component]
pub fn Form(
    /// Whether the dialog is open.
    open: RwSignal<bool>,
) -> impl IntoView {
    let (feed, toasts) = (Feed::current(), Toasts::current());
    let summary = feed.summary().get_untracked();
    let can_increment = summary.cluster.capabilities.incremental;
    let has_base = summary.tenants_backed_up >= summary.tenants;
    let tenant = RwSignal::new(None::<TenantId>);
    let kind = RwSignal::new(if can_increment && has_base {
        BackupKind::Incremental
    } else {
        BackupKind::Full
    });
    let failed = RwSignal::new(None::<String>);
    let action = Action::new(move |(): &()| async move {
        let (tenant, kind) = (tenant.get_untracked(), kind.get_untracked());
        match api::backups::back_up_now(feed.cluster(), tenant, kind).await {
            Ok(begun) => {
                let ids: Vec<String> = begun.tasks.iter().map(ToString::to_string).collect();
                let noun = if ids.len() == 1 { "task" } else { "tasks" };
                let text = format!("{}, {noun} {}.", t(kind.label()), ids.join(", "));
                toasts.done(t("Data backup started"), text);
                if !begun.skipped.is_empty() {
                    toasts.failed(t("Not every tenant is backed up"), begun.skipped.join("; "));
                }
                open.set(false);
                feed.refresh();
            }
            Err(error) => failed.set(Some(error.to_string())),
        }
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        failed.set(None);
        action.dispatch(());
    };
    let off = Signal::derive(move || feed.disconnected_reason());
    view! {
        <form on:submit=submit>
            <div class="dialog-body">
                <dl class="pairs">
                    <dt>{t("Cluster")}</dt>
                    <dd>
                        {summary.cluster.name.clone()}
                        <small>{format!(" {}", t(summary.cluster.engine.label()))}</small>
                    </dd>
                    <dt>{t("Storage directory")}</dt>
                    <dd>
                        <code>{summary.cluster.destination.clone()}</code>
                    </dd>
                </dl>
                <Field id="backup-tenant" label=t("Tenant")>
                    <TenantSelect tenant/>
                </Field>
                <fieldset class="choice">
                    <legend class="visually-hidden">{t("Data Backup Method")}</legend>
                    {can_increment
                        .then(|| {
                            view! {
                                <Choice
                                    kind
                                    of=BackupKind::Incremental
                                    text=t("What changed since the last data backup. Without one it becomes Full.")
                                />
                            }.any()
                        })}
                    <Choice
                        kind
                        of=BackupKind::Full
                        text=t("Everything. Needs no earlier backup to recover from.")
                    />
                </fieldset>
                <ul class="effects">
                    <li data-tone="ok">
                        <Icon name="s-ok"/>
                        <span>{t("Reading and writing in the tenant go on.")}</span>
                    </li>
                    <li data-tone="ok">
                        <Icon name="s-ok"/>
                        <span>{t("Log backup goes on; the period keeps growing meanwhile.")}</span>
                    </li>
                </ul>
                {follow(move || {
                    failed
                        .get()
                        .map(|text| {
                            view! {
                                <Notice tone=Tone::Bad title=t("No backup was started") text urgent=true/>
                            }.any()
                        })
                })}
            </div>
            <div class="dialog-foot">
                <Button variant="quiet" on_press=move |()| open.set(false)>
                    {t("Cancel")}
                </Button>
                <Button variant="primary" submit=true busy=action.pending() off>
                    {t("Back up Now")}
                </Button>
            </div>
        </form>
    }.any()
}

/// Every tenant, or one of those online.
#[component]
fn TenantSelect(tenant: RwSignal<Option<TenantId>>) -> impl IntoView {
    let tenants: Vec<(TenantId, String)> = Feed::current().period().with_untracked(|period| {
        let online = period
            .tenants
            .iter()
            .filter(|one| one.state == TenantState::Online);
        online.map(|one| (one.tenant, one.name.clone())).collect()
    });
    let all = tf("All tenants ({len})", &[("len", &tenants.len())]);
    let options = tenants
        .into_iter()
        .map(|(id, name)| view! { <option value=id.to_string()>{name}</option> }.any())
        .collect_view();
    view! {
        <select
            class="select"
            id="backup-tenant"
            autofocus=true
            on:change=move |event| tenant.set(event_target_value(&event).parse().ok())
        >
            <option value="">{all}</option>
            {options}
        </select>
    }
    .any()
}

#[component]
fn Choice(kind: RwSignal<BackupKind>, of: BackupKind, text: &'static str) -> impl IntoView {
    view! {
        <label class="check">
            <input
                type="radio"
                name="kind"
                value=of.code()
                prop:checked=move || kind.get() == of
                on:change=move |_| kind.set(of)
            />
            <span>
                {t(of.label())}
                <small>{text}</small>
            </span>
        </label>
    }
    .any()
}
