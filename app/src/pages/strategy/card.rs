//! The strategy to read: one row per section of the form, and the next runs.

use super::preview::Runs;
use crate::language::{t, tf, told, tv};
use crate::pages::status;
use crate::ui::{Any, Badge, Notice, Stamp, Tone};
use domain::backup::BackupKind;
use domain::size::bytes;
use domain::storage::StorageSettings;
use domain::strategy::{Schedule, SecondSettings, StrategyReport, StrategySettings};
use domain::strategy::{difference::day_name, label};
use leptos::prelude::*;

type Pair = (&'static str, String);

/// The panel.
#[component]
pub fn Card(
    /// What is known of the strategy.
    report: StrategyReport,
) -> impl IntoView {
    let settings = report.strategy.settings;
    let look = status::schedule(report.status);
    let (modified, by) = (report.strategy.modified, report.modified_by);
    let second = match settings.second {
        Some(_) => t("Second backup enabled"),
        None => t("Second backup not enabled"),
    };
    let title = t("Scheduling needs attention");
    let reason = report.reason;
    let reason = reason.map(|text| told(&text));
    let reason = reason.map(|text| view! { <Notice tone=Tone::Bad title text/> }.any());
    let warnings = report.warnings.into_iter().map(|warning| {
        let (title, text) = (told(&warning.field), told(&warning.text));
        view! { <Notice tone=Tone::Warn title text/> }.any()
    });
    let warnings = warnings.collect_view();
    view! {
        <div class="stack">
            {reason}
            {warnings}
            <section class="panel" aria-labelledby="strategy">
                <div class="panel-head">
                    <h2 id="strategy">{t("Backup Strategy")}</h2>
                    <Badge look soft=true/>
                    <span class="panel-note">
                    {tv(
                        "{second}, modified {at} by {by}",
                        vec![
                            ("second", second.into_any()),
                            ("at", view! { <Stamp at=modified/> }.any()),
                            ("by", by.into_any()),
                        ],
                    )}
                </span>
                </div>
                {sections(&settings).into_iter().map(section).collect_view()}
                <section class="strategy-row">
                    <div><h3>{t("Days")}</h3><p>{t("What is made on which day")}</p></div>
                    <Days schedule=settings.schedule/>
                </section>
                <section class="strategy-row">
                    <div><h3>{t("Next runs")}</h3><p>{t("In the zone of the schedule, and in yours")}</p></div>
                    <Runs runs=report.next/>
                </section>
            </section>
        </div>
    }
    .any()
}

struct Section {
    title: &'static str,
    note: &'static str,
    pairs: Vec<Pair>,
}

fn section(section: Section) -> impl IntoView {
    let pair = |(name, value): Pair| view! { <dt>{t(name)}</dt><dd>{value}</dd> }.into_any();
    view! {
        <section class="strategy-row">
            <div><h3>{t(section.title)}</h3><p>{section.note}</p></div>
            <dl class="pairs">{section.pairs.into_iter().map(pair).collect_view()}</dl>
        </section>
    }
    .any()
}

fn on(is: bool) -> String {
    (if is { t("On") } else { t("Off") }).to_owned()
}

fn sections(settings: &StrategySettings) -> Vec<Section> {
    let (schedule, cleanup, limits) = (&settings.schedule, &settings.cleanup, &settings.thresholds);
    let one = |title, note, pairs| Section { title, note, pairs };
    vec![
        one(
            t("Backup method"),
            t("What is read"),
            vec![
                (label::METHOD, t(settings.method.label()).to_owned()),
                (t("Log backup"), on(settings.start_log_backup)),
            ],
        ),
        one(
            t("Backup storage"),
            t("Where data and logs go first"),
            storage(&settings.storage),
        ),
        one(
            t("Backup scheduling"),
            t("Cycle and time of data backups"),
            vec![
                (label::CYCLE, t(schedule.cycle.label()).to_owned()),
                (label::TIME, format!("{} {}", schedule.at, schedule.zone)),
            ],
        ),
        one(
            label::CLEANUP,
            t("What stays recoverable"),
            vec![
                (t("Cleanup"), on(cleanup.enabled)),
                (
                    label::RETENTION,
                    tf("{days} days", &[("days", &cleanup.retention_days)]),
                ),
                (
                    label::CLEANUP_TIME,
                    format!("{} {}", cleanup.at, schedule.zone),
                ),
            ],
        ),
        one(
            t("Alert thresholds"),
            t("When a person is called"),
            vec![
                (
                    label::TIMEOUT,
                    tf(
                        "{minutes} minutes",
                        &[("minutes", &limits.data_backup_timeout_min)],
                    ),
                ),
                (
                    label::LOG_DELAY,
                    tf("{seconds} seconds", &[("seconds", &limits.log_delay_s)]),
                ),
                (
                    label::NO_SUCCESS,
                    tf("{days} days", &[("days", &limits.no_success_days)]),
                ),
            ],
        ),
        one(
            label::SECOND,
            t("A copy of the backups at another place"),
            settings
                .second
                .as_ref()
                .map_or_else(|| vec![(label::SECOND, on(false))], second),
        ),
    ]
}

fn second(second: &SecondSettings) -> Vec<Pair> {
    let data = match second.data {
        true => t("On, after each completed data backup").to_owned(),
        false => on(false),
    };
    let kept = match second.retention_days {
        Some(days) => tf("{days} days", &[("days", &days)]),
        None => t("As long as the first copy").to_owned(),
    };
    let limit = match second.limit_bytes_per_s {
        Some(limit) => tf("{limit} per second", &[("limit", &bytes(limit))]),
        None => t("None").to_owned(),
    };
    let mut pairs = vec![
        (label::SECOND_DATA, data),
        (label::SECOND_LOG, t(second.log_cycle.label()).to_owned()),
        (label::SECOND_RETENTION, kept),
        (label::SECOND_LIMIT, limit),
    ];
    pairs.extend(storage(&second.storage));
    pairs
}

fn storage(of: &StorageSettings) -> Vec<Pair> {
    let mut pairs = vec![
        (label::STORAGE_NAME, of.name.clone()),
        (label::STORAGE_KIND, t(of.kind.label()).to_owned()),
        (label::DIRECTORY, of.directory.clone()),
    ];
    if let Some(object) = &of.object {
        let of_service = [
            (label::ENDPOINT, &object.endpoint),
            (label::ACCESS_ID, &object.access_id),
            (label::REGION, &object.region),
            (label::APP_ID, &object.app_id),
        ];
        let given = of_service
            .into_iter()
            .filter(|(_, value)| !value.is_empty());
        pairs.extend(given.map(|(name, value)| (name, value.clone())));
    }
    pairs.push((label::CAPACITY, format!("{} %", of.capacity_percent)));
    pairs
}

#[component]
fn Days(schedule: Schedule) -> impl IntoView {
    let cycle = schedule.cycle;
    let day = |(day, kind): (u8, BackupKind)| {
        let name = told(&day_name(cycle, day));
        view! { <div role="listitem"><span>{name}</span><b>{t(kind.label())}</b></div> }.into_any()
    };
    view! {
        <div class="day-matrix" role="list" aria-label=t("Days and method")>
            {schedule.days.into_iter().map(day).collect_view()}
        </div>
    }
    .any()
}
