//! Restore, standby, and the tenants and resources around them.

use crate::exec::sys_only;
use crate::rows::{Row, piece_path, row};
use crate::session::SimSession;
use crate::sql::Statement;
use crate::sql::statement::{Restore, Until};
use crate::version::Version;
use crate::world::World;
use crate::world::select::Selection;
use crate::{SqlError, calendar, error};

/// Carries out a statement.
pub(crate) fn run(
    session: &mut SimSession,
    world: &mut World,
    statement: Statement,
) -> Result<(), SqlError> {
    let own = session.who.tenant;
    match statement {
        Statement::Activate { tenant, verify } => {
            let id = standby_tenant(world, own, tenant)?;
            if verify { Ok(()) } else { world.activate(id) }
        }
        Statement::RecoverStandby(tenant) => standby_tenant(world, own, tenant).map(|_| ()),
        other => {
            sys_only(own)?;
            sys(session, world, other)
        }
    }
}

/// Which tenant a standby statement is for.
fn standby_tenant(world: &World, own: i64, tenant: Option<String>) -> Result<i64, SqlError> {
    match tenant {
        None if own == 1 => Err(error::not_supported(
            "omitting tenant name is not supported",
        )),
        None => Ok(own),
        Some(_) if own != 1 => Err(error::arguments("tenant name")),
        Some(name) => world.tenant_id(&name),
    }
}

fn sys(session: &mut SimSession, world: &mut World, statement: Statement) -> Result<(), SqlError> {
    match statement {
        Statement::Restore(restore) if restore.preview => {
            let from = restore.from.clone();
            preview(session, world, from, restore.until)
        }
        Statement::Restore(restore) => start(session, world, &restore),
        Statement::AddSource(uri) => {
            session.source.push(uri);
            Ok(())
        }
        Statement::ClearSource => {
            session.source.clear();
            Ok(())
        }
        Statement::Preview { from, until } => preview(session, world, from, until),
        Statement::CancelRestore(name) => {
            if world.version() < Version::V4_2_0 {
                return Err(error::not_supported("cancel restore is not supported"));
            }
            world.cancel_restore(&name)
        }
        Statement::RecoverTable(recover) => {
            let passwords = session.decryption.clone();
            world.start_recover(*recover, &passwords)
        }
        Statement::CancelRecoverTable(name) => world.cancel_recover(&name),
        Statement::Upgrade(tenant) => world.run_upgrade(tenant.as_deref()),
        other => plumbing(session, world, other),
    }
}

/// Units, pools and tenants; the same in 3.x.
pub(crate) fn plumbing(
    session: &SimSession,
    world: &mut World,
    statement: Statement,
) -> Result<(), SqlError> {
    match statement {
        Statement::CreateUnit {
            name,
            if_not_exists,
            options,
        } => world.create_unit(&name, if_not_exists, &options),
        Statement::AlterUnit { name, options } => world.alter_unit(&name, &options),
        Statement::DropUnit { name, if_exists } => world.drop_unit(&name, if_exists),
        Statement::CreatePool {
            name,
            if_not_exists,
            options,
            zones,
        } => world.create_pool(&name, if_not_exists, &options, &zones),
        Statement::AlterPool { name, .. } => world
            .pool_named(&name)
            .map(|_| ())
            .ok_or_else(|| crate::world::resources::no_pool(&name)),
        Statement::DropPool { name, if_exists } => world.drop_pool(&name, if_exists),
        Statement::DropTenant {
            name,
            if_exists,
            force,
        } => {
            if if_exists && world.tenant_named(&name).is_none() {
                return Ok(());
            }
            world.drop_tenant(&name, force, session.variables.recyclebin())
        }
        Statement::Flashback { name, rename } => world.flashback(&name, rename.as_deref()),
        Statement::Purge(name) => {
            let id = world.recycled(&name)?;
            world.remove_tenant(id);
            Ok(())
        }
        _ => Err(error::function_not_supported()),
    }
}

fn start(session: &mut SimSession, world: &mut World, restore: &Restore) -> Result<(), SqlError> {
    let source = session.source.clone();
    let passwords = session.decryption.clone();
    session.takes_us = world.start_restore(restore, &source, &passwords)?;
    session.source.clear();
    Ok(())
}

fn preview(
    session: &mut SimSession,
    world: &World,
    from: Option<String>,
    until: Option<Until>,
) -> Result<(), SqlError> {
    if until.is_none() {
        return Err(error::not_allowed(
            "restore preview must have a scn or timestamp, otherwise",
        ));
    }
    let from = world.restore_from(from, &session.source)?;
    let until = world.until_scn(until.as_ref())?;
    let selection = world.choose(&from, until, &session.decryption)?;
    session.preview = preview_rows(&selection);
    Ok(())
}

fn preview_rows(selection: &Selection) -> Vec<Row> {
    let moment = |scn: i64| {
        let text = calendar::text(scn / 1000, 480);
        text[..19].replace(' ', "T")
    };
    let sets = selection.sets.iter().map(|s| {
        let kind = if s.incremental { "INC" } else { "FULL" };
        let size = s.bytes as f64 / f64::from(1 << 30);
        row![
            "BACKUP_TYPE" => "BACKUP_SET",
            "BACKUP_ID" => s.id,
            "BACKUP_DEST" => s.path(),
            "DESCRIPTION" => format!(
                "type: {kind}, min_restore_scn_display: {}, size: {size:.1}G.",
                moment(s.min_restore_scn)
            ),
        ]
    });
    let pieces = selection.pieces.iter().map(|p| {
        row![
            "BACKUP_TYPE" => "BACKUP_PIECE",
            "BACKUP_ID" => p.id,
            "BACKUP_DEST" => piece_path(p),
            "DESCRIPTION" => format!(
                "start_scn_display: {}, checkpoint_scn_display: {}.",
                moment(p.start_scn),
                moment(p.checkpoint_scn)
            ),
        ]
    });
    sets.chain(pieces).collect()
}
