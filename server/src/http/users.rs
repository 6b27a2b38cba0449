//! Users and the audit for the commands' API: below `/cli/v1/-/`, as no cluster is called `-`.

use super::{
    commands::{Answer, Refusal, actor},
    shape::Problem,
    sign_in, user_shape as shape,
};
use axum::{
    Json, Router,
    extract::{Path, Query, State},
    routing::{get, post},
};
use control::{Console, GlobalAdmin};
use domain::{
    access::Role,
    audit::AuditFilter,
    user::{ClusterRole, NewUser, OneTimeLink},
};
use std::sync::Arc;

/// What the handlers need.
#[derive(Clone)]
struct Desk {
    console: Console,
    /// Where people open the console.
    url: Arc<str>,
}

impl Desk {
    fn admin(&self) -> Result<GlobalAdmin, Refusal> {
        Ok(self.console.global_admin(&actor())?)
    }

    fn link(&self, name: &str, link: &OneTimeLink) -> shape::Link {
        shape::Link {
            name: name.to_owned(),
            url: sign_in::address(&self.url, link),
            until: link.until.to_rfc3339(),
        }
    }
}

/// The routes.
pub fn routes(console: Console, url: Arc<str>) -> Router {
    Router::new()
        .route("/-/users", get(list).post(add))
        .route("/-/users/{name}/{order}", post(change))
        .route("/-/audit", get(audit))
        .with_state(Desk { console, url })
}

async fn list(State(desk): State<Desk>) -> Answer<shape::Users> {
    let users = desk.admin()?.users().await?;
    Ok(Json(shape::Users {
        users: users.into_iter().map(Into::into).collect(),
    }))
}

async fn add(State(desk): State<Desk>, Json(order): Json<shape::UserOrder>) -> Answer<shape::Link> {
    let role = order.role.as_deref().map(role).transpose()?;
    let mut new = NewUser {
        name: order.name,
        ..NewUser::default()
    };
    match (role, order.cluster) {
        (Some(role), Some(cluster)) => new.clusters.push(ClusterRole { cluster, role }),
        (role, _) => new.everywhere = role,
    }
    let link = desk.admin()?.add_user(&new).await?;
    Ok(Json(desk.link(&new.name, &link)))
}

async fn change(
    State(desk): State<Desk>,
    Path((name, order)): Path<(String, String)>,
    Json(change): Json<shape::RoleOrder>,
) -> Answer<shape::Changed> {
    let admin = desk.admin()?;
    let id = admin.user_named(&name).await?;
    let mut link = None;
    match order.as_str() {
        "reset" => link = Some(desk.link(&name, &admin.reset_user(id).await?)),
        "disable" => admin.set_disabled(id, true).await?,
        "enable" => admin.set_disabled(id, false).await?,
        "delete" => admin.delete_user(id).await?,
        "role" => {
            let role = change.role.as_deref().map(role).transpose()?;
            admin.grant(id, change.cluster.as_deref(), role).await?;
        }
        other => {
            return Err(Problem::new("not_found", format!("there is no order {other}")).into());
        }
    }
    Ok(Json(shape::Changed { name, link }))
}

async fn audit(
    State(desk): State<Desk>,
    Query(filter): Query<AuditFilter>,
) -> Answer<shape::AuditEntries> {
    let page = desk.admin()?.admin().audit(&filter).await?;
    Ok(Json(shape::AuditEntries {
        total: page.total,
        entries: page.rows.into_iter().map(Into::into).collect(),
    }))
}

fn role(code: &str) -> Result<Role, Refusal> {
    Role::from_code(code)
        .ok_or_else(|| Refusal::invalid(format!("role \"{code}\": use viewer, operator or admin")))
}
