//! `tidemark storage`.

use super::{Client, Output, output::columns};
use crate::{
    cli::{self, Common},
    http::{
        shape::Problem,
        storage_shape::{Storage, StorageForecast, StorageOrder, StorageReport},
    },
};
use domain::{second_backup::Place, size};

/// Shows the storages of a cluster, what is there, and when the first one will be full.
pub(super) fn run(common: &Common, order: &cli::Storage, output: &Output) -> Result<(), Problem> {
    let order = StorageOrder {
        tenant: order.tenant.clone(),
        days: order.days,
    };
    let report: StorageReport = Client::connect(common)?.post(&["storage"], &order)?;
    output.show(&report, text)
}

fn text(report: &StorageReport) -> String {
    let mut rows = vec![
        ["STORAGE", "LOCATION", "USED", "FREE", "TOTAL"]
            .map(str::to_owned)
            .to_vec(),
    ];
    rows.extend(report.storages.iter().map(row));
    let mut text = columns(&rows);
    for storage in &report.storages {
        if let Some(fault) = &storage.fault {
            text.push_str(&format!("{}: {fault}\n", label(storage)));
        }
    }
    text.push_str(&sizes(report));
    text.push_str(&outlook(&report.forecast));
    text
}

fn label(storage: &Storage) -> &str {
    match Place::from_code(&storage.place) {
        Some(place) => place.label(),
        None => &storage.place,
    }
}

fn row(storage: &Storage) -> Vec<String> {
    let bytes = |count: Option<u64>| count.map_or_else(|| "not known".to_owned(), size::bytes);
    let used = storage.used_percent;
    vec![
        label(storage).to_owned(),
        storage.location.clone(),
        used.map_or_else(|| "not known".to_owned(), |used| format!("{used} %")),
        bytes(storage.free_bytes),
        bytes(storage.total_bytes),
    ]
}

fn sizes(report: &StorageReport) -> String {
    let whose = match &report.tenant {
        Some(tenant) => format!("tenant {tenant}"),
        None => format!("cluster {}", report.cluster),
    };
    let (Some(first), Some(last)) = (report.samples.first(), report.samples.last()) else {
        return format!("No sizes of {whose} in this time\n");
    };
    let line = |sample: &crate::http::storage_shape::Sample| {
        format!(
            "{} (data {}, log {}) at {}\n",
            size::bytes(sample.total_bytes),
            size::bytes(sample.data_bytes),
            size::bytes(sample.log_bytes),
            sample.at
        )
    };
    let mut text = format!("Backups of {whose}: {}", line(last));
    if first.at != last.at {
        text.push_str(&format!("First in this time: {}", line(first)));
    }
    if !report.gaps.is_empty() {
        text.push_str(&format!("{} times without sizes\n", report.gaps.len()));
    }
    text
}

fn outlook(forecast: &StorageForecast) -> String {
    let growth = size::bytes(forecast.bytes_per_day.unwrap_or(0));
    let text = match forecast.outlook.as_str() {
        "full" => format!(
            "Full about {}, growing {growth} a day",
            forecast
                .full_at
                .as_deref()
                .and_then(|at| at.get(..10))
                .unwrap_or_default()
        ),
        "later" => format!("Growing {growth} a day; not full within ten years"),
        "not_growing" => "What is used there does not grow".to_owned(),
        "not_enough_history" => format!(
            "When it will be full cannot be told yet: {} of {} days have a size",
            forecast.days.unwrap_or(0),
            forecast.days_needed.unwrap_or(0)
        ),
        _ => "When it will be full cannot be told: the storage did not tell its size".to_owned(),
    };
    format!("{text}\n")
}
