//! The administrative statements of 3.x.

use crate::exec::{simulate, sys_only};
use crate::exec_restore::plumbing;
use crate::session::SimSession;
use crate::sql::Statement;
use crate::sql::statement::Legacy;
use crate::world::World;
use crate::{SqlError, error};

/// Carries out a statement.
pub(crate) fn run(session: &mut SimSession, statement: Statement) -> Result<(), SqlError> {
    let sim = session.sim.clone();
    let mut guard = sim.lock();
    let world = &mut *guard;
    if let Statement::Sim(sim) = statement {
        return simulate(world, sim);
    }
    sys_only(session.who.tenant)
        .map_err(|_| error::not_supported("operation from regular user tenant not supported"))?;
    match statement {
        Statement::Parameters { entries, .. } => {
            for (name, value) in &entries {
                world.legacy_parameter(name, value)?;
            }
            Ok(())
        }
        Statement::ArchiveMode { on, .. } => world.legacy_archive(on),
        Statement::Backup { tenants, to, .. } if tenants.is_some() || to => {
            Err(error::not_supported("tenant level backup is not supported"))
        }
        Statement::Backup { incremental, .. } => {
            world.legacy_backup(incremental, session.encryption.is_some())
        }
        Statement::CancelBackup(_) => world.legacy_cancel(),
        Statement::CancelDelete(_) => Ok(()),
        Statement::Legacy(legacy) => only(world, legacy),
        other => plumbing(session, world, other),
    }
}

fn only(world: &mut World, statement: Legacy) -> Result<(), SqlError> {
    match statement {
        Legacy::DeleteObsolete => world.legacy_delete_obsolete(),
        Legacy::CancelAllBackup => {
            let _ = world.legacy_cancel();
            let _ = world.legacy_archive(false);
            world.set_parameter(&[], "backup_dest", "")?;
            world.set_parameter(&[], "backup_backup_dest", "")
        }
        Legacy::DeleteSet(id) => match world
            .legacy
            .sets
            .iter()
            .position(|s| i64::try_from(id) == Ok(s.id) && !s.deleted)
        {
            None => Err(error::not_supported(
                "delete backupset is not exist is not supported",
            )),
            Some(at) => {
                let good =
                    |s: &crate::world::legacy::LegacySet| s.status == "COMPLETED" && !s.deleted;
                let others = world.legacy.sets.iter().filter(|s| good(s)).count();
                if good(&world.legacy.sets[at]) && others == 1 {
                    return Err(error::coded(9045, "backup set is needed"));
                }
                world.change += 1;
                world.legacy.sets[at].deleted = true;
                Ok(())
            }
        },
        Legacy::BackupSet {
            id,
            times,
            tenant,
            to,
        } => world.copy_set(id, times, tenant, to),
        Legacy::BackupPiece {
            id,
            with_active,
            tenant,
            to,
        } => world.copy_piece(id, with_active, tenant, to),
        Legacy::BackupArchivelog(on) => {
            world.legacy.round_copies = on;
            Ok(())
        }
        Legacy::CancelSecond => {
            world.cancel_copy();
            Ok(())
        }
        Legacy::Restore {
            dest,
            source,
            uri,
            until,
            options,
            preview,
        } if !preview => world.legacy_restore(&dest, &source, (&uri, &until), &options),
        _ => Err(error::function_not_supported()),
    }
}
