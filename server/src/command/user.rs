//! `tidemark user list|add|reset|disable|enable|delete|grant|revoke`.

use super::{Client, Failure, Output, output::columns};
use crate::{
    cli::{Common, Everywhere, User},
    http::{
        shape::Problem,
        user_shape::{Changed, Link, RoleOrder, UserOrder, Users},
    },
};
use domain::validate;

/// Manages users.
pub(super) fn run(common: &Common, order: &User, output: &Output) -> Result<(), Problem> {
    match order {
        User::List => {
            let users: Users = Client::of_console(common)?.get(&["users"])?;
            output.show(&users, list)
        }
        User::Add { name, role, place } => {
            validate::user_name("NAME", name).map_err(|wrong| Failure::usage(wrong.to_string()))?;
            let order = UserOrder {
                name: name.clone(),
                role: role.map(|role| role.code().to_owned()),
                cluster: cluster(common, place),
            };
            let link: Link = Client::of_console(common)?.post(&["users"], &order)?;
            output.show(&link, told)
        }
        User::Reset { name } => change(common, output, name, "reset", &RoleOrder::default()),
        User::Disable { name } => change(common, output, name, "disable", &RoleOrder::default()),
        User::Enable { name } => change(common, output, name, "enable", &RoleOrder::default()),
        User::Delete { name } => change(common, output, name, "delete", &RoleOrder::default()),
        User::Grant { name, role, place } => {
            let order = RoleOrder {
                role: Some(role.code().to_owned()),
                cluster: cluster(common, place),
            };
            change(common, output, name, "role", &order)
        }
        User::Revoke { name, place } => {
            let order = RoleOrder {
                role: None,
                cluster: cluster(common, place),
            };
            change(common, output, name, "role", &order)
        }
    }
}

/// The cluster that is meant; nothing for all.
fn cluster(common: &Common, place: &Everywhere) -> Option<String> {
    (!place.everywhere).then(|| common.cluster.clone())
}

fn change(
    common: &Common,
    output: &Output,
    name: &str,
    order: &str,
    change: &RoleOrder,
) -> Result<(), Problem> {
    let changed: Changed = Client::of_console(common)?.post(&["users", name, order], change)?;
    output.show(&changed, |changed| match &changed.link {
        Some(link) => told(link),
        None => format!("User {}: done", changed.name),
    })
}

fn told(link: &Link) -> String {
    format!(
        "{} chooses a password by this link, which works once, until {}:\n{}",
        link.name, link.until, link.url
    )
}

fn list(users: &Users) -> String {
    if users.users.is_empty() {
        return "No user yet; add one with `tidemark user add NAME --role admin --everywhere`"
            .to_owned();
    }
    let mut rows = vec![
        ["NAME", "STATE", "EVERYWHERE", "IN CLUSTERS", "LAST SIGN-IN"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for user in &users.users {
        let clusters = user.clusters.iter();
        let clusters: Vec<String> = clusters
            .map(|(cluster, role)| format!("{cluster}: {role}"))
            .collect();
        rows.push(vec![
            user.name.clone(),
            user.state.clone(),
            user.everywhere.clone().unwrap_or_else(|| "-".to_owned()),
            if clusters.is_empty() {
                "-".to_owned()
            } else {
                clusters.join(", ")
            },
            user.signed_in.clone().unwrap_or_else(|| "never".to_owned()),
        ]);
    }
    columns(&rows)
}
