//! One user: state, roles, and what can be done.

use super::{Desk, EVERYWHERE, place, roles};
use crate::language::{t, tf};
use crate::{
    api,
    signal::RwSignal,
    ui::{Any, Badge, Cell, LinkButton, NoValue, Stamp, Toasts, Tone, badge::Look},
};
use domain::{
    access::Role,
    user::{ClusterRole, UserRow},
};
use leptos::prelude::*;

/// What can be done with a user.
#[derive(Clone)]
enum Order {
    Reset,
    Disable(bool),
    Delete,
    Grant(Option<String>, Option<Role>),
}

/// One row of the table.
pub(super) fn row(user: UserRow, places: StoredValue<Vec<String>>, desk: Desk) -> AnyView {
    let toasts = Toasts::current();
    let (id, name) = (user.id, StoredValue::new(user.name.clone()));
    let act = Action::new(move |order: &Order| {
        let order = order.clone();
        async move {
            let done = match order {
                Order::Reset => match api::users::reset(id).await {
                    Ok(link) => return desk.show(&name.get_value(), &link),
                    Err(error) => Err(error),
                },
                Order::Disable(disabled) => api::users::set_disabled(id, disabled).await,
                Order::Delete => api::users::delete(id).await,
                Order::Grant(cluster, role) => api::users::grant(id, cluster, role).await,
            };
            match done {
                Ok(()) => desk.again.run(()),
                Err(error) => toasts.failed(t("This was not done"), error.to_string()),
            }
        }
    });
    let run = move |order: Order| {
        act.dispatch(order);
    };
    let disabled = user.disabled;
    let look = look(&user);
    let held = held(&user, run);
    let (role, cluster) = (
        RwSignal::new(Role::Viewer.code().to_owned()),
        RwSignal::new(EVERYWHERE.to_owned()),
    );
    let grant = move |()| {
        let cluster = cluster.get_untracked();
        let cluster = (cluster != EVERYWHERE).then_some(cluster);
        run(Order::Grant(
            cluster,
            Role::from_code(&role.get_untracked()),
        ));
    };
    // Deleting asks once more in its own place.
    let sure = RwSignal::new(false);
    let delete = move |()| {
        if sure.get_untracked() {
            run(Order::Delete);
        } else {
            sure.set(true);
        }
    };
    view! {
        <tr role="row">
            <th scope="row" role="rowheader" class="cell-key" data-label=t("Name")>
                {name.get_value()}
            </th>
            <Cell label=t("State") class="cell-status">
                <Badge look/>
            </Cell>
            <Cell label=t("Roles")>
                {held}
                <details>
                    <summary>{t("Give a role")}</summary>
                    <div class="row">
                        {roles("", role)} {place("", places, cluster)}
                        <LinkButton label=tf("Give {name} the role", &[("name", &name.get_value())]) on_press=grant>
                            {t("Give")}
                        </LinkButton>
                    </div>
                </details>
            </Cell>
            <Cell label=t("Last sign-in")>
                {match user.signed_in {
                    Some(at) => view! { <Stamp at/> }.any(),
                    None => view! { <NoValue/> }.any(),
                }}
            </Cell>
            <Cell label=t("Actions") class="cell-actions">
                <span>
                    <LinkButton
                        label=tf("Reset password of {name}", &[("name", &name.get_value())])
                        on_press=move |()| run(Order::Reset)
                    >
                        {t("Reset")}
                    </LinkButton>
                    <LinkButton
                        label=format!("{} {}", if disabled { t("Enable") } else { t("Disable") }, name.get_value())
                        on_press=move |()| run(Order::Disable(!disabled))
                    >
                        {if disabled { t("Enable") } else { t("Disable") }}
                    </LinkButton>
                    <LinkButton
                        tone="bad"
                        label=tf("Delete {name}", &[("name", &name.get_value())])
                        on_press=delete
                    >
                        {move || if sure.get() { t("Really delete") } else { t("Delete") }}
                    </LinkButton>
                </span>
            </Cell>
        </tr>
    }
    .any()
}

/// The roles a user has, each with the way to take it away.
fn held(user: &UserRow, run: impl Fn(Order) + Copy + Send + Sync + 'static) -> AnyView {
    let everywhere = user.everywhere.map(|role| (None, role));
    let single = user
        .clusters
        .iter()
        .map(|ClusterRole { cluster, role }| (Some(cluster.clone()), *role));
    let name = user.name.clone();
    let one = move |(cluster, role): (Option<String>, Role)| {
        let place = match &cluster {
            Some(cluster) => tf("in {cluster}", &[("cluster", &cluster)]),
            None => "everywhere".to_owned(),
        };
        let label = tf(
            "Take from {name} the role {role} {place}",
            &[
                ("name", &name),
                ("role", &t(role.label())),
                ("place", &place),
            ],
        );
        view! {
            <li>
                {format!("{} {place} ", t(role.label()))}
                <LinkButton label on_press=move |()| run(Order::Grant(cluster.clone(), None))>
                    {t("Take away")}
                </LinkButton>
            </li>
        }
        .any()
    };
    let all = everywhere.into_iter().chain(single).map(one).collect_view();
    view! { <ul>{all}</ul> }.any()
}

fn look(user: &UserRow) -> Look {
    let (text, tone, icon) = match (user.disabled, user.has_password, user.locked_until) {
        (true, ..) => (t("Disabled"), Tone::Mute, "s-cancel"),
        (false, false, _) if user.has_link => (t("Invited"), Tone::Wait, "s-wait"),
        (false, false, _) => (t("Link ended, reset it"), Tone::Warn, "s-warn"),
        (false, true, Some(_)) => (t("Locked for a while"), Tone::Warn, "s-pause"),
        (false, true, None) => (t("Active"), Tone::Ok, "s-ok"),
    };
    Look {
        text: text.to_owned(),
        tone,
        icon,
    }
}
