//! Notification channels: the list, and what can be done with each.

use super::channel_form::ChannelForm;
use crate::language::{t, tf, told};
use crate::{
    api::{self, asked},
    shell::ClusterList,
    signal::RwSignal,
    ui::{
        Any, Badge, Button, Cell, Column, Dialog, Empty, ErrorNotice, LinkButton, NoValue,
        Skeleton, Stamp, Table, Toasts, Tone, badge::Look, follow, waiting,
    },
};
use domain::{
    alert::Level,
    channel::{Channel, ChannelKind},
};
use leptos::prelude::*;

/// What can be done with a channel at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Test,
    Switch(bool),
    Remove,
}

/// The panel.
#[component]
pub fn Channels(
    /// Whether the viewer may change them.
    manages: bool,
) -> impl IntoView {
    let ClusterList(clusters) = expect_context();
    let channels = asked(|| (), |()| api::channels::list());
    let again = Callback::new(move |()| channels.refetch());
    let open = RwSignal::new(false);
    let edited = RwSignal::new(None::<Channel>);
    let edit = Callback::new(move |channel: Option<Channel>| {
        edited.set(channel);
        open.set(true);
    });
    let title = Signal::derive(move || match &*edited.read() {
        None => t("Add channel").to_owned(),
        Some(channel) => tf("Modify channel {name}", &[("name", &channel.name)]),
    });
    let view = move || async move {
        let names = clusters.await.unwrap_or_default();
        let names: Vec<_> = names
            .into_iter()
            .map(|one| (one.cluster.id, one.cluster.name))
            .collect();
        match channels.await {
            Ok(list) if list.is_empty() => {
                let text = t(
                    "Add one to have people called when an alert begins or ends, or a ping that tells when the console itself is gone.",
                );
                view! { <Empty title=t("Nobody is told about alerts") text/> }.any()
            }
            Ok(list) => {
                let row = |channel| row(channel, &names, manages, again, edit);
                let rows = list.into_iter().map(row).collect_view();
                view! { <Table caption=t("Notification channels") columns=columns()>{rows}</Table> }
                    .any()
            }
            Err(error) => {
                let title = t("The channels could not be loaded").to_owned();
                view! { <ErrorNotice title text=error.to_string() on_retry=again/> }.any()
            }
        }
    };
    let add = manages.then(|| {
        view! {
            <div class="panel-tools">
                <Button size="sm" icon="plus" on_press=move |()| edit.run(None)>
                    {t("Add channel")}
                </Button>
            </div>
        }
        .any()
    });
    view! {
        <section class="panel panel-table" aria-labelledby="channels">
            <div class="panel-head">
                <h2 id="channels">{t("Notification channels")}</h2>
                {add}
            </div>
            {waiting(|| view! { <Skeleton rows=3/> }.any(), view)}
        </section>
        <Dialog open title>
            {follow(move || view! { <ChannelForm channel=edited.get() open again/> }.any())}
        </Dialog>
    }
    .any()
}

fn columns() -> Vec<Column> {
    [
        t("Name"),
        t("Kind"),
        t("Address"),
        t("Levels"),
        t("Clusters"),
        t("Last sent"),
        t("Status"),
        t("Actions"),
    ]
    .map(Column::plain)
    .to_vec()
}

fn row(
    channel: Channel,
    names: &[(domain::ClusterId, String)],
    manages: bool,
    again: Callback<()>,
    edit: Callback<Option<Channel>>,
) -> AnyView {
    let levels: Vec<&str> = channel
        .levels
        .iter()
        .map(|level| t(level.label()))
        .collect();
    let levels = match (channel.kind, levels.len() == Level::ALL.len()) {
        (ChannelKind::Ping, _) => "–".to_owned(),
        (_, true) => t("All").to_owned(),
        _ => levels.join(", "),
    };
    let clusters = match &channel.clusters {
        None => t("All, and the console").to_owned(),
        Some(ids) => {
            let name = |id| names.iter().find(|(known, _)| known == id);
            let known = ids.iter().filter_map(name).map(|(_, name)| name.as_str());
            known.collect::<Vec<_>>().join(", ")
        }
    };
    let look = look(&channel);
    let fault = channel.fault.clone();
    let every = channel.every_min.map(|minutes| {
        let text = tf("every {minutes} min", &[("minutes", &minutes)]);
        view! { <span class="cell-sub">{text}</span> }.any()
    });
    let signed = channel
        .signed
        .then(|| view! { <span class="tag">{t("signed")}</span> }.any());
    let actions = match manages {
        true => view! { <Actions channel=channel.clone() again edit/> }.any(),
        false => view! { <NoValue/> }.any(),
    };
    view! {
        <tr role="row">
            <th scope="row" role="rowheader" class="cell-key" data-label=t("Name")>
                {channel.name.clone()}
            </th>
            <Cell label=t("Kind")>{channel.kind.label()} {every}</Cell>
            <Cell label=t("Address") class="cell-clip">
                <code>{channel.host.clone()}</code>
                {signed}
            </Cell>
            <Cell label=t("Levels")>{levels}</Cell>
            <Cell label=t("Clusters")>{clusters}</Cell>
            <Cell label=t("Last sent")>
                {match channel.last_sent {
                    Some(at) => view! { <Stamp at/> }.any(),
                    None => view! { <NoValue/> }.any(),
                }}
            </Cell>
            <Cell label=t("Status") class="cell-status">
                <Badge look/>
                {fault.map(|fault| view! { <span class="cell-sub">{fault}</span> }.any())}
            </Cell>
            <Cell label=t("Actions") class="cell-actions">{actions}</Cell>
        </tr>
    }
    .any()
}

fn look(channel: &Channel) -> Look {
    let (text, tone, icon) = match (channel.enabled, channel.failing_since) {
        (false, _) => (t("Off"), Tone::Mute, "s-stop"),
        (true, Some(_)) => (t("Nothing arrives"), Tone::Bad, "s-bad"),
        (true, None) => (t("On"), Tone::Ok, "s-ok"),
    };
    Look {
        text: text.to_owned(),
        tone,
        icon,
    }
}

#[component]
fn Actions(
    channel: Channel,
    again: Callback<()>,
    edit: Callback<Option<Channel>>,
) -> impl IntoView {
    let toasts = Toasts::current();
    let name = StoredValue::new(channel.name.clone());
    let enabled = channel.enabled;
    let whole = StoredValue::new(channel);
    // Removing asks once more in its own place.
    let sure = RwSignal::new(false);
    let act = Action::new(move |order: &Order| {
        let order = *order;
        async move {
            let name = name.get_value();
            let done = match order {
                Order::Test => match api::channels::test(name.clone()).await {
                    Ok(test) => {
                        match test.failure {
                            None => toasts.done(
                                t("The test message has arrived"),
                                tf(
                                    "{name}, {ms} ms.",
                                    &[("name", &name), ("ms", &test.took_ms)],
                                ),
                            ),
                            Some(why) => {
                                toasts.failed(t("The test message did not arrive"), told(&why));
                            }
                        }
                        Ok(())
                    }
                    Err(error) => Err(error),
                },
                Order::Switch(on) => api::channels::switch(name, on).await,
                Order::Remove => api::channels::remove(name).await,
            };
            match done {
                Ok(()) => again.run(()),
                Err(error) => toasts.failed(t("This was not done"), error.to_string()),
            }
        }
    });
    let remove = move |()| match sure.get_untracked() {
        true => {
            act.dispatch(Order::Remove);
        }
        false => sure.set(true),
    };
    let label = move |verb: &'static str| format!("{verb} {}", name.get_value());
    let switch = if enabled { t("Disable") } else { t("Enable") };
    view! {
        <span>
            <LinkButton label=label(t("Test")) on_press=move |()| { act.dispatch(Order::Test); }>
                {t("Test")}
            </LinkButton>
            <LinkButton label=label(t("Modify")) on_press=move |()| edit.run(Some(whole.get_value()))>
                {t("Modify")}
            </LinkButton>
            <LinkButton label=label(switch) on_press=move |()| { act.dispatch(Order::Switch(!enabled)); }>
                {switch}
            </LinkButton>
            <LinkButton label=label(t("Remove")) on_press=remove>
                {move || if sure.get() { t("Really remove") } else { t("Remove") }}
            </LinkButton>
        </span>
    }
    .any()
}
