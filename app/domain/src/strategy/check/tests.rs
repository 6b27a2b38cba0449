//! Every limit to its edges, and every sentence of advice.

use super::*;
use crate::{
    capability::{Ability, ArchiveScope, Expiry, RecoverTo},
    second_backup::LogCycle,
    storage::StorageKind,
    strategy::CleanupSettings,
};

fn able() -> Capabilities {
    Capabilities {
        methods: vec![BackupMethod::Physical],
        incremental: true,
        log_archive: ArchiveScope::Tenant,
        recover_to: RecoverTo::AnyInstant,
        cancel_backup: true,
        cancel_recovery: true,
        expiry: Expiry::ConsoleDeletesSets,
        second_backup: true,
        placement: false,
        change_destination: Ability::Yes,
        create_tenant: Ability::Yes,
        verify: Ability::Yes,
        backs_up_new_rounds: true,
        back_up: Ability::Yes,
        plan_cleanup: Ability::Yes,
        storages: vec![StorageKind::File],
        keeps_settings: false,
    }
}

fn storage(name: &str, directory: &str) -> StorageSettings {
    StorageSettings {
        name: name.to_owned(),
        kind: StorageKind::File,
        directory: directory.to_owned(),
        object: None,
        capacity_percent: 80,
    }
}

fn good() -> StrategySettings {
    use BackupKind::{Full, Incremental};
    StrategySettings {
        method: BackupMethod::Physical,
        storage: storage("first", "/backup/first"),
        schedule: Schedule {
            cycle: Cycle::Week,
            days: [(1, Incremental), (4, Incremental), (7, Full)].into(),
            at: TimeOfDay { hour: 2, minute: 0 },
            zone: "UTC".to_owned(),
        },
        start_log_backup: true,
        cleanup: CleanupSettings {
            enabled: true,
            retention_days: 7,
            at: TimeOfDay { hour: 4, minute: 0 },
        },
        thresholds: Thresholds::default(),
        second: Some(SecondSettings {
            data: true,
            log_cycle: LogCycle::Hourly,
            retention_days: Some(30),
            limit_bytes_per_s: None,
            storage: storage("second", "/backup/second"),
        }),
    }
}

/// Labels of what is wrong after a change.
fn fields(change: impl FnOnce(&mut StrategySettings)) -> Vec<String> {
    let mut settings = good();
    change(&mut settings);
    let found = violations(&settings, &able());
    found.into_iter().map(|wrong| wrong.field).collect()
}

fn second(settings: &mut StrategySettings) -> &mut SecondSettings {
    settings.second.as_mut().unwrap()
}

#[test]
fn what_is_right_to_the_edges_is_taken() {
    assert_eq!(violations(&good(), &able()), []);
    assert_eq!(warnings(&good()), []);
    for edge in [1, 3650] {
        assert_eq!(fields(|s| s.cleanup.retention_days = edge), [""; 0]);
        assert_eq!(fields(|s| second(s).retention_days = Some(edge)), [""; 0]);
    }
    for edge in [1, 10_080] {
        assert_eq!(
            fields(|s| s.thresholds.data_backup_timeout_min = edge),
            [""; 0]
        );
    }
    for edge in [1, 86_400] {
        assert_eq!(fields(|s| s.thresholds.log_delay_s = edge), [""; 0]);
    }
    for edge in [1, 365] {
        assert_eq!(fields(|s| s.thresholds.no_success_days = edge), [""; 0]);
    }
    for edge in [1, 100] {
        assert_eq!(fields(|s| s.storage.capacity_percent = edge), [""; 0]);
    }
    let longest = format!("a{}", "9".repeat(31));
    for name in ["ab", "A_9", &longest] {
        assert_eq!(fields(|s| s.storage.name = name.to_owned()), [""; 0]);
    }
}

#[test]
fn what_is_beyond_an_edge_names_its_field() {
    for beyond in [0, 3651] {
        assert_eq!(
            fields(|s| s.cleanup.retention_days = beyond),
            [label::RETENTION]
        );
        assert_eq!(
            fields(|s| second(s).retention_days = Some(beyond)),
            [label::SECOND_RETENTION]
        );
    }
    for beyond in [0, 10_081] {
        assert_eq!(
            fields(|s| s.thresholds.data_backup_timeout_min = beyond),
            [label::TIMEOUT]
        );
    }
    for beyond in [0, 86_401] {
        assert_eq!(
            fields(|s| s.thresholds.log_delay_s = beyond),
            [label::LOG_DELAY]
        );
    }
    for beyond in [0, 366] {
        assert_eq!(
            fields(|s| s.thresholds.no_success_days = beyond),
            [label::NO_SUCCESS]
        );
    }
    for beyond in [0, 101] {
        assert_eq!(
            fields(|s| s.storage.capacity_percent = beyond),
            [label::CAPACITY]
        );
    }
    let long = format!("a{}", "9".repeat(32));
    for name in ["", "a", "1a", "_a", "a-b", "größe", &long] {
        assert_eq!(
            fields(|s| s.storage.name = name.to_owned()),
            [label::STORAGE_NAME]
        );
    }
    let long = format!("/{}", "a".repeat(1024));
    for directory in [
        "", "backup", "./x", "/", "/a/../b", "/a/./b", "/a\nb", "/a\0", &long,
    ] {
        let found = fields(|s| s.storage.directory = directory.to_owned());
        assert!(
            found.contains(&label::DIRECTORY.to_owned()),
            "{directory:?}: {found:?}"
        );
    }
    assert_eq!(
        fields(|s| second(s).limit_bytes_per_s = Some(100)),
        [label::SECOND_LIMIT]
    );
    assert_eq!(fields(|s| s.cleanup.at.hour = 24), [label::CLEANUP_TIME]);
    assert_eq!(fields(|s| s.schedule.at.minute = 60), [label::TIME]);
    assert_eq!(fields(|s| s.schedule.days.clear()), [label::DAYS]);
}

#[test]
fn everything_wrong_is_told_at_once() {
    let found = fields(|s| {
        s.storage.name = "1".to_owned();
        s.storage.directory = "here".to_owned();
        s.schedule.days = [(0, BackupKind::Full), (8, BackupKind::Full)].into();
        s.thresholds = Thresholds {
            data_backup_timeout_min: 0,
            log_delay_s: 0,
            no_success_days: 0,
        };
        s.start_log_backup = false;
        s.method = BackupMethod::Physical;
        second(s).storage.name = "-".to_owned();
    });
    assert_eq!(found.len(), 9, "{found:?}");
}

#[test]
fn a_second_storage_is_neither_the_first_nor_within_it_nor_around_it() {
    let field = format!("{}{}", label::SECOND_PREFIX, label::DIRECTORY);
    for directory in [
        "/backup/first",
        "/backup/first/",
        "/backup//first",
        "/backup/first/copy",
        "/backup",
    ] {
        assert_eq!(
            fields(|s| second(s).storage.directory = directory.to_owned()),
            [&*field],
            "{directory}"
        );
    }
    for directory in ["/backup/first2", "/backup/firs", "/elsewhere"] {
        assert_eq!(
            fields(|s| second(s).storage.directory = directory.to_owned()),
            [""; 0],
            "{directory}"
        );
    }
    let field = format!("{}{}", label::SECOND_PREFIX, label::STORAGE_NAME);
    assert_eq!(
        fields(|s| second(s).storage.name = "first".to_owned()),
        [field]
    );
}

#[test]
fn what_a_cluster_cannot_do_is_refused_with_the_reason() {
    let mut able = able();
    able.second_backup = false;
    able.incremental = false;
    let found = violations(&good(), &able);
    let fields: Vec<&str> = found.iter().map(|wrong| &*wrong.field).collect();
    assert_eq!(fields, [label::DAYS, label::SECOND]);
    let mut logical = good();
    logical.method = BackupMethod::Logical;
    let found = violations(&logical, &able);
    assert_eq!(found[0].field, label::METHOD);
    assert!(found[0].allowed.contains("Physical Backup"));
}

#[test]
fn distances_know_weeks_and_months() {
    let full = Some(BackupKind::Full);
    let mut schedule = good().schedule;
    assert_eq!(longest_distance(&schedule, None), Some(3));
    assert_eq!(longest_distance(&schedule, full), Some(7));
    schedule.cycle = Cycle::Month;
    schedule.days = [(1, BackupKind::Incremental), (15, BackupKind::Incremental)].into();
    assert_eq!(longest_distance(&schedule, None), Some(17));
    assert_eq!(longest_distance(&schedule, full), None);
    schedule.days = [(31, BackupKind::Full)].into();
    assert_eq!(longest_distance(&schedule, full), Some(61));
    schedule.days = [(29, BackupKind::Full)].into();
    assert_eq!(longest_distance(&schedule, full), Some(59));
}

#[test]
fn advice_is_given_where_it_is_due() {
    let advice = |change: &dyn Fn(&mut StrategySettings)| -> Vec<String> {
        let mut settings = good();
        change(&mut settings);
        let found = warnings(&settings);
        found.into_iter().map(|warning| warning.field).collect()
    };
    let no_full =
        |s: &mut StrategySettings| s.schedule.days = [(1, BackupKind::Incremental)].into();
    assert_eq!(advice(&no_full), [label::DAYS]);
    assert_eq!(
        advice(&|s| s.thresholds.no_success_days = 2),
        [label::NO_SUCCESS]
    );
    assert_eq!(
        advice(&|s| s.cleanup.retention_days = 6),
        [label::RETENTION]
    );
    let off = |s: &mut StrategySettings| {
        s.cleanup.retention_days = 1;
        s.cleanup.enabled = false;
    };
    assert_eq!(advice(&off), [""; 0]);
    let late = |s: &mut StrategySettings| {
        s.schedule.cycle = Cycle::Month;
        s.schedule.days = [(29, BackupKind::Full), (30, BackupKind::Full)].into();
        s.thresholds.no_success_days = 365;
        s.cleanup.retention_days = 365;
    };
    assert_eq!(advice(&late), [label::DAYS]);
}
