//! Data destinations and the storage they are on.

use super::{Row, Val, row};
use crate::world::World;

pub(super) fn parameters(world: &World) -> Vec<Row> {
    world
        .tenants
        .iter()
        .filter_map(|t| Some((t.id, t.data_dest.as_ref()?)))
        .map(|(tenant, dest)| {
            row![
                "TENANT_ID" => tenant,
                "NAME" => "data_backup_dest",
                "VALUE" => dest.shown.as_str(),
            ]
        })
        .collect()
}

pub(super) fn info(world: &World) -> Vec<Row> {
    let mut rows = Vec::new();
    for tenant in &world.tenants {
        let data = tenant
            .data()
            .map(|d| (d.path.as_str(), d.shown.as_str(), d.dest_id, "backup_data"));
        let archive = tenant
            .archive_dest
            .as_ref()
            .map(|d| (d.path.as_str(), d.shown.as_str(), d.dest_id, "archive_log"));
        for (path, shown, dest, kind) in data.into_iter().chain(archive) {
            let (place, host) = path.split_once("?host=").unwrap_or((path, ""));
            let access = shown
                .split(['?', '&'])
                .filter(|p| p.starts_with("access_id=") || p.starts_with("encrypt_key="))
                .collect::<Vec<_>>()
                .join("&");
            rows.push(row![
                "TENANT_ID" => tenant.id,
                "PATH" => place,
                "ENDPOINT" => host,
                "DEST_ID" => dest,
                "DEST_TYPE" => kind,
                "AUTHORIZATION" => access,
                "EXTENSION" => "",
                "CHECK_FILE_NAME" => format!("{}_connect_file.obbak", tenant.id),
                "LAST_CHECK_TIMESTAMP" => Val::Moment(world.now_us),
                "MAX_BANDWIDTH_DISPLAY" => "UNLIMITED",
            ]);
        }
    }
    rows
}
