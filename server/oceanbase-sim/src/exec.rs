//! The administrative statements of 4.x.

use crate::session::SimSession;
use crate::sql::Statement;
use crate::sql::statement::{Policy, Scope, Sim};
use crate::world::World;
use crate::world::backup::Request;
use crate::world::faults::Fault;
use crate::{SqlError, error, exec_restore};

/// Carries out a statement.
pub(crate) fn run(session: &mut SimSession, statement: Statement) -> Result<(), SqlError> {
    let sim = session.sim.clone();
    let mut guard = sim.lock();
    let world = &mut *guard;
    let own = session.who.tenant;
    match statement {
        Statement::Sim(sim) => simulate(world, sim),
        Statement::Parameters { entries, scope } => parameters(world, own, &entries, &scope),
        Statement::ArchiveMode { on, scope } => archive_mode(world, own, on, &scope),
        Statement::Backup {
            incremental,
            tenants,
            to,
            plus,
            description,
        } => {
            if to {
                return Err(error::not_supported(
                    "backup do not support using specify path is not supported",
                ));
            }
            if tenants.is_some() {
                sys_only(own)?;
            }
            world.start_backup(&Request {
                initiator: own,
                tenants,
                incremental,
                plus,
                description,
                password: session.encryption.clone(),
            })
        }
        Statement::CancelBackup(names) => {
            let tenants = several(world, own, names.as_deref())?;
            world.cancel_backup(tenants.as_deref());
            Ok(())
        }
        Statement::AddPolicy(policy) => add_policy(world, own, &policy),
        Statement::DropPolicy { name, tenant } => {
            let tenant = exactly_one(world, own, tenant.as_deref())?;
            if name == "default"
                && let Some(owner) = world.tenant_mut(tenant)
            {
                owner.window = None;
            }
            Ok(())
        }
        Statement::DeleteSomething => Err(error::function_not_supported()),
        Statement::CancelDelete(names) => {
            let tenants = several(world, own, names.as_deref())?;
            world.cancel_cleanup(tenants.as_deref());
            Ok(())
        }
        other => exec_restore::run(session, world, other),
    }
}

/// 1227 outside sys.
pub(crate) fn sys_only(own: i64) -> Result<(), SqlError> {
    if own == 1 {
        Ok(())
    } else {
        Err(error::no_privilege())
    }
}

/// Statements no OceanBase has.
pub(crate) fn simulate(world: &mut World, sim: Sim) -> Result<(), SqlError> {
    match sim {
        Sim::Advance(text) => {
            let seconds: f64 = text.parse().map_err(|_| error::arguments("advance"))?;
            let until = world.now_us.saturating_add((seconds.max(0.0) * 1e6) as i64);
            world.run_until(until);
        }
        Sim::Clear => world.clear_faults(),
        Sim::File(uri) => world.put_file(&uri)?,
        Sim::Fault(name, args) => {
            let fault = Fault::named(&name, &args).ok_or_else(|| error::arguments("fault"))?;
            world.inject(fault);
        }
    }
    Ok(())
}

/// `None` is every tenant, which only sys can mean.
fn several(
    world: &World,
    own: i64,
    names: Option<&[String]>,
) -> Result<Option<Vec<i64>>, SqlError> {
    match names {
        None if own == 1 => Ok(None),
        None => Ok(Some(vec![own])),
        Some(names) => {
            sys_only(own)?;
            names
                .iter()
                .map(|n| world.tenant_id(n))
                .collect::<Result<_, _>>()
                .map(Some)
        }
    }
}

/// The tenant of a retention policy.
fn exactly_one(world: &World, own: i64, names: Option<&[String]>) -> Result<i64, SqlError> {
    match names {
        None if own != 1 => Ok(own),
        None | Some([]) => Err(error::not_supported(
            "Too little tenant names is not supported",
        )),
        Some(_) if own != 1 => Err(error::no_privilege()),
        Some([name]) => world.tenant_id(name),
        Some(_) => Err(error::not_supported(
            "Too many tenant names is not supported",
        )),
    }
}

fn add_policy(world: &mut World, own: i64, policy: &Policy) -> Result<(), SqlError> {
    let tenant = exactly_one(world, own, policy.tenant.as_deref())?;
    world.add_policy(tenant, policy)
}

fn archive_mode(world: &mut World, own: i64, on: bool, scope: &Scope) -> Result<(), SqlError> {
    if own != 1 {
        return match scope {
            Scope::Own => world.switch_archive(own, on),
            _ => Err(error::no_privilege()),
        };
    }
    let tenants: Vec<i64> = match scope {
        Scope::Own | Scope::All => world.tenants.iter().map(|t| t.id).collect(),
        Scope::Named(names) => names
            .iter()
            .map(|n| world.tenant_id(n))
            .collect::<Result<_, _>>()?,
        Scope::AllUser | Scope::AllMeta => return Err(error::function_not_supported()),
    };
    for tenant in tenants {
        // From sys, what one tenant has against it is not told.
        let _ = world.switch_archive(tenant, on);
    }
    Ok(())
}

fn is_destination(name: &str) -> bool {
    name.starts_with("log_archive_dest") || name == "data_backup_dest"
}

fn parameters(
    world: &mut World,
    own: i64,
    entries: &[(String, String)],
    scope: &Scope,
) -> Result<(), SqlError> {
    let destinations = entries.iter().filter(|(n, _)| is_destination(n)).count();
    if destinations > 0 {
        if destinations < entries.len() {
            return Err(error::not_supported(
                "backup configuration items cannot be set together with non data backup \
                 configuration items is not supported",
            ));
        }
        let tenant = destination_tenant(world, own, scope)?;
        for (name, value) in entries {
            match name.as_str() {
                "log_archive_dest" => world.set_archive_dest(tenant, value)?,
                "log_archive_dest_state" => world.set_archive_state(tenant, value)?,
                "data_backup_dest" => world.set_data_dest(tenant, value)?,
                _ => return Err(error::function_not_supported()),
            }
        }
        return Ok(());
    }
    let tenants: Vec<i64> = match scope {
        Scope::Own => vec![own],
        _ if own != 1 => return Err(error::no_privilege()),
        Scope::Named(names) => names
            .iter()
            .map(|n| {
                if n.eq_ignore_ascii_case("sys") {
                    Ok(1)
                } else {
                    world.tenant_id(n)
                }
            })
            .collect::<Result<_, _>>()?,
        Scope::All => std::iter::once(1)
            .chain(world.tenants.iter().map(|t| t.id))
            .collect(),
        Scope::AllUser => world.tenants.iter().map(|t| t.id).collect(),
        Scope::AllMeta => Vec::new(),
    };
    for (name, value) in entries {
        let cluster = world
            .known_parameters()
            .any(|k| k.name == name && !k.tenant);
        if cluster {
            sys_only(own)?;
        }
        world.set_parameter(&tenants, name, value)?;
    }
    Ok(())
}

/// Destinations belong to one user tenant.
fn destination_tenant(world: &World, own: i64, scope: &Scope) -> Result<i64, SqlError> {
    match scope {
        Scope::Own if own != 1 => Ok(own),
        _ if own != 1 => Err(error::no_privilege()),
        Scope::Named(names) => match names.as_slice() {
            [name] if name.eq_ignore_ascii_case("sys") || name.starts_with("META$") => {
                Err(error::function_not_supported())
            }
            [name] => world.tenant_id(name),
            _ => Err(error::function_not_supported()),
        },
        _ => Err(error::function_not_supported()),
    }
}
