//! Who may sign in.

use crate::SqlError;
use crate::error;
use crate::world::World;
use crate::world::tenant::Status;

/// A signed-in user.
#[derive(Debug, Clone)]
pub(crate) struct Who {
    pub(crate) name: String,
    /// 1 is sys.
    pub(crate) tenant: i64,
    pub(crate) tenant_name: String,
    /// Whether only reading is allowed.
    pub(crate) monitor: bool,
}

const MONITOR_PASSWORD: &str = "monitor";

/// Signs in, or refuses in one way for a wrong user, tenant, cluster or password.
pub(crate) fn sign_in(
    world: &World,
    user: &str,
    proof: &dyn Fn(&str) -> bool,
) -> Result<Who, SqlError> {
    let denied = || error::access_denied(user.split('@').next().unwrap_or(user));
    let place = if world.setup.proxy {
        let (place, cluster) = user.rsplit_once('#').ok_or_else(denied)?;
        if cluster != world.setup.cluster_name {
            return Err(denied());
        }
        place
    } else {
        user
    };
    let (name, tenant) = place.split_once('@').unwrap_or((place, "sys"));
    let (id, password) = if tenant.eq_ignore_ascii_case("sys") {
        (1, world.setup.root_password.clone())
    } else {
        let found = world
            .tenant_named(tenant)
            .filter(|t| t.status != Status::Dropping && !t.in_recyclebin)
            .ok_or_else(denied)?;
        (found.id, found.password.clone())
    };
    let monitor = name == "monitor" && id == 1;
    let expected = match name {
        "root" => password,
        "monitor" if monitor => MONITOR_PASSWORD.to_owned(),
        _ => return Err(denied()),
    };
    if !proof(&expected) {
        return Err(denied());
    }
    Ok(Who {
        name: name.to_owned(),
        tenant: id,
        tenant_name: tenant.to_owned(),
        monitor,
    })
}
