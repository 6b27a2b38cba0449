//! `/metrics`: what is measured, as Prometheus reads it. This machine may read it; others have to show a token.

use super::{client::ClientAddress, counts::Counts, guard::same_bytes};
use crate::listen::tls::Tls;
use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use control::{
    Console,
    measure::{BOUNDS_S, Histogram, Measures, StorageMeasure},
};
use domain::{Scn, scn::NS_PER_SECOND};
use std::{
    collections::BTreeMap,
    fmt::{Display, Write},
    path::PathBuf,
    sync::Arc,
};

/// What the handler needs.
#[derive(Clone)]
pub struct Metrics {
    /// The use cases.
    pub console: Console,
    /// The counts of requests.
    pub counts: Arc<Counts>,
    /// File with the token that others have to show. Without one they see nothing.
    pub token_file: Option<PathBuf>,
    /// The certificate, whose end is told.
    pub tls: Option<Arc<Tls>>,
}

/// Answers with every measure.
pub async fn metrics(
    State(metrics): State<Metrics>,
    client: Option<Extension<ClientAddress>>,
    headers: HeaderMap,
) -> Response {
    let local = client.is_some_and(|client| client.local);
    if !local && !metrics.shows_token(&headers) {
        let sentence = "metrics are for this machine, or for whoever shows the token of --metrics-token-file\n";
        return (StatusCode::UNAUTHORIZED, sentence).into_response();
    }
    match metrics.console.measures().await {
        Ok(measures) => {
            let kind = [(
                header::CONTENT_TYPE,
                "text/plain; version=0.0.4; charset=utf-8",
            )];
            (kind, metrics.text(&measures)).into_response()
        }
        Err(error) => {
            tracing::error!("measuring failed: {}", control::chain(&error));
            (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")).into_response()
        }
    }
}

impl Metrics {
    /// The file is read each time, so that a new token needs no restart.
    fn shows_token(&self, headers: &HeaderMap) -> bool {
        let shown = headers.get(header::AUTHORIZATION);
        let shown = shown.and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
        let token = self
            .token_file
            .as_ref()
            .and_then(|path| std::fs::read_to_string(path).ok());
        match (shown, token.as_deref().map(str::trim)) {
            (Some(shown), Some(token)) => !token.is_empty() && same_bytes(shown, token.as_bytes()),
            _ => false,
        }
    }

    fn text(&self, measures: &Measures) -> String {
        let mut out = String::with_capacity(4096 + 512 * measures.tenants.len());
        process(&mut out);
        tasks(&mut out, measures);
        clusters(&mut out, measures);
        tenants(&mut out, measures);
        storages(&mut out, measures);
        duties(&mut out, measures);
        head(
            &mut out,
            "tidemark_engine_call_seconds",
            "histogram",
            "Time until an engine answered.",
        );
        for (operation, times) in &measures.calls {
            let label = format!("operation=\"{}\"", escaped(operation));
            histogram(&mut out, "tidemark_engine_call_seconds", &label, times);
        }
        self.counts.write(&mut out);
        if let Some(until) = self.tls.as_ref().and_then(|tls| tls.until()) {
            let name = "tidemark_certificate_end_timestamp_seconds";
            head(&mut out, name, "gauge", "When the certificate ends.");
            line(&mut out, name, "", seconds(until));
        }
        out
    }
}

fn process(out: &mut String) {
    head(
        out,
        "tidemark_build_info",
        "gauge",
        "The version that runs.",
    );
    let version = format!("version=\"{}\"", env!("CARGO_PKG_VERSION"));
    line(out, "tidemark_build_info", &version, 1);
    // Pages of memory in use: the second number.
    let memory = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: Option<u64> = memory.split(' ').nth(1).and_then(|text| text.parse().ok());
    if let Some(pages) = pages {
        let bytes = pages * rustix::param::page_size() as u64;
        head(
            out,
            "process_resident_memory_bytes",
            "gauge",
            "Memory in use.",
        );
        line(out, "process_resident_memory_bytes", "", bytes);
    }
    if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
        head(out, "process_open_fds", "gauge", "Open files.");
        line(out, "process_open_fds", "", files.count());
    }
}

fn tasks(out: &mut String, measures: &Measures) {
    let names: BTreeMap<_, _> = measures
        .clusters
        .iter()
        .map(|cluster| (cluster.id, cluster.name.as_str()))
        .collect();
    head(
        out,
        "tidemark_tasks",
        "gauge",
        "Tasks, as counted last, at most five minutes ago.",
    );
    for task in &measures.tasks {
        let Some(cluster) = names.get(&task.cluster) else {
            continue;
        };
        let label = format!(
            "cluster=\"{}\",kind=\"{}\",state=\"{}\"",
            escaped(cluster),
            escaped(&task.kind),
            escaped(&task.state)
        );
        line(out, "tidemark_tasks", &label, task.count);
    }
    let name = "tidemark_oldest_queued_task_age_seconds";
    head(
        out,
        name,
        "gauge",
        "Age of the task that waits longest; 0 when none waits.",
    );
    for cluster in &measures.clusters {
        let age = cluster
            .oldest_queued
            .map_or(0.0, |at| since(measures.now, at));
        line(
            out,
            name,
            &format!("cluster=\"{}\"", escaped(&cluster.name)),
            age,
        );
    }
}

fn clusters(out: &mut String, measures: &Measures) {
    head(
        out,
        "tidemark_cluster_open",
        "gauge",
        "1 when the cluster's engine is open.",
    );
    for cluster in &measures.clusters {
        let label = format!("cluster=\"{}\"", escaped(&cluster.name));
        line(out, "tidemark_cluster_open", &label, u8::from(cluster.open));
    }
    let name = "tidemark_cluster_observed_timestamp_seconds";
    head(out, name, "gauge", "When the cluster was last observed.");
    for cluster in &measures.clusters {
        if let Some(at) = cluster.observed {
            let label = format!("cluster=\"{}\"", escaped(&cluster.name));
            line(out, name, &label, seconds(at));
        }
    }
}

fn tenants(out: &mut String, measures: &Measures) {
    let name = "tidemark_tenants_left_out";
    head(
        out,
        name,
        "gauge",
        "Tenants beyond the limit of those measured one by one.",
    );
    line(out, name, "", measures.tenants_left_out);
    let label = |cluster: &str, tenant: &str| {
        format!(
            "cluster=\"{}\",tenant=\"{}\"",
            escaped(cluster),
            escaped(tenant)
        )
    };
    let name = "tidemark_log_delay_seconds";
    head(
        out,
        name,
        "gauge",
        "Time since the log checkpoint of a tenant whose log backup is meant to run.",
    );
    for tenant in &measures.tenants {
        if let Some(at) = tenant.checkpoint {
            let label = label(&tenant.cluster, &tenant.name);
            line(out, name, &label, since(measures.now, at));
        }
    }
    let name = "tidemark_last_data_backup_timestamp_seconds";
    head(
        out,
        name,
        "gauge",
        "When the newest data backup was complete.",
    );
    for tenant in &measures.tenants {
        if let Some(at) = tenant.last_backup {
            line(
                out,
                name,
                &label(&tenant.cluster, &tenant.name),
                seconds(at),
            );
        }
    }
    let name = "tidemark_backup_bytes";
    head(out, name, "gauge", "Bytes at the destination.");
    for tenant in &measures.tenants {
        let label = label(&tenant.cluster, &tenant.name);
        line(
            out,
            name,
            &format!("{label},what=\"data\""),
            tenant.data_bytes,
        );
        line(
            out,
            name,
            &format!("{label},what=\"log\""),
            tenant.log_bytes,
        );
    }
}

fn storages(out: &mut String, measures: &Measures) {
    let label = |storage: &StorageMeasure| {
        let cluster = escaped(&storage.cluster);
        format!("cluster=\"{cluster}\",storage=\"{}\"", storage.place.code())
    };
    let name = "tidemark_storage_usable";
    head(out, name, "gauge", "1 when the destination can be used.");
    for storage in &measures.storages {
        line(out, name, &label(storage), u8::from(storage.usable));
    }
    let name = "tidemark_storage_bytes";
    head(
        out,
        name,
        "gauge",
        "Capacity of what is behind a destination, where it is known.",
    );
    for storage in &measures.storages {
        let (total, free) = (storage.total_bytes, storage.free_bytes);
        let used = total
            .zip(free)
            .map(|(total, free)| total.saturating_sub(free));
        for (what, bytes) in [("total", total), ("used", used), ("free", free)] {
            if let Some(bytes) = bytes {
                let label = format!("{},what=\"{what}\"", label(storage));
                line(out, name, &label, bytes);
            }
        }
    }
}

fn duties(out: &mut String, measures: &Measures) {
    let label = |duty: &control::measure::DutyMeasure| {
        let cluster = duty.cluster.as_deref().unwrap_or_default();
        format!(
            "duty=\"{}\",cluster=\"{}\"",
            escaped(duty.name),
            escaped(cluster)
        )
    };
    let name = "tidemark_duty_last_round_timestamp_seconds";
    head(
        out,
        name,
        "gauge",
        "When a duty in the background last went round.",
    );
    for duty in &measures.duties {
        line(out, name, &label(duty), seconds(duty.last));
    }
    let name = "tidemark_duty_falls_total";
    head(
        out,
        name,
        "counter",
        "How often a duty stumbled and was begun again.",
    );
    for duty in &measures.duties {
        line(out, name, &label(duty), duty.falls);
    }
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn line(out: &mut String, name: &str, labels: &str, value: impl Display) {
    let _ = match labels {
        "" => writeln!(out, "{name} {value}"),
        labels => writeln!(out, "{name}{{{labels}}} {value}"),
    };
}

/// Writes a histogram: for each bound how many were at or below it.
pub(super) fn histogram(out: &mut String, name: &str, label: &str, times: &Histogram) {
    let mut below = 0;
    for (bound, count) in BOUNDS_S.iter().zip(times.counts) {
        below += count;
        line(
            out,
            &format!("{name}_bucket"),
            &format!("{label},le=\"{bound}\""),
            below,
        );
    }
    line(
        out,
        &format!("{name}_bucket"),
        &format!("{label},le=\"+Inf\""),
        times.count,
    );
    line(out, &format!("{name}_sum"), label, times.sum_s);
    line(out, &format!("{name}_count"), label, times.count);
}

/// A label's value: quotes, backslashes and line ends would end it.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

/// A moment as Prometheus counts it.
fn seconds(at: Scn) -> f64 {
    at.0 as f64 / NS_PER_SECOND as f64
}

fn since(now: Scn, at: Scn) -> f64 {
    now.since_ns(at) as f64 / NS_PER_SECOND as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_histogram_counts_upwards_and_labels_stay_labels() {
        let mut times = Histogram::default();
        for ms in [1, 30, 700_000] {
            times.add(Duration::from_millis(ms));
        }
        let mut out = String::new();
        histogram(&mut out, "t", "a=\"b\"", &times);
        for line in [
            "t_bucket{a=\"b\",le=\"0.002\"} 1\n",
            "t_bucket{a=\"b\",le=\"0.05\"} 2\n",
            "t_bucket{a=\"b\",le=\"600\"} 2\n",
            "t_bucket{a=\"b\",le=\"+Inf\"} 3\n",
            "t_count{a=\"b\"} 3\n",
        ] {
            assert!(out.contains(line), "{line} in {out}");
        }
        assert_eq!(escaped("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
    }
}
