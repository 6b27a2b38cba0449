//! A healthy cluster to break, and what rules say about it.

use domain::{
    ClusterId, Scn, TenantId,
    alert::{
        ClusterFacts, Hit, RULES, RuleId, SizeReading, State, StorageFacts, StrategyFacts,
        TenantFacts, Verdict, evaluate,
    },
    archive::ArchiveState,
    backup::BackupMethod,
    capability::{Ability, ArchiveScope, Capabilities, Expiry, RecoverTo},
    scn::{NS_PER_DAY, NS_PER_SECOND},
    second_backup::Place,
    strategy::Thresholds,
    tenant::TenantState,
};

/// Now, in these tests.
pub(crate) const NOW: Scn = Scn(1_800_000_000 * NS_PER_SECOND);

pub(crate) fn cluster() -> ClusterFacts {
    ClusterFacts {
        id: ClusterId(1),
        name: "local".to_owned(),
        capabilities: Capabilities {
            methods: vec![BackupMethod::Physical],
            incremental: true,
            log_archive: ArchiveScope::Tenant,
            recover_to: RecoverTo::AnyInstant,
            cancel_backup: true,
            cancel_recovery: true,
            expiry: Expiry::EngineByPolicy,
            second_backup: true,
            placement: false,
            change_destination: Ability::Yes,
            create_tenant: Ability::Yes,
            verify: Ability::Yes,
            backs_up_new_rounds: true,
            back_up: Ability::Yes,
            plan_cleanup: Ability::Yes,
            storages: vec![domain::storage::StorageKind::File],
            keeps_settings: false,
        },
        added: NOW.minus_ns(90 * NS_PER_DAY),
        observed: Some(NOW.minus_ns(NS_PER_SECOND)),
        fault: None,
        strategy: Some(StrategyFacts {
            thresholds: Thresholds::default(),
            paused: false,
            modified: NOW.minus_ns(80 * NS_PER_DAY),
            second: true,
        }),
        runs: Vec::new(),
        processes: None,
        clock_back: Some((0, Scn::ZERO)),
        tenants: vec![tenant(TenantState::Online)],
        storages: Some(vec![storage()]),
    }
}

pub(crate) fn tenant(state: TenantState) -> TenantFacts {
    let second = |ago: u64| Some(NOW.minus_ns(ago * NS_PER_SECOND));
    TenantFacts {
        id: TenantId(1),
        name: "orders".to_owned(),
        state,
        note: None,
        archive: Some(ArchiveState::Doing),
        archive_note: None,
        archive_started: Some(NOW.minus_ns(20 * NS_PER_DAY)),
        checkpoint: second(1),
        sets: 3,
        oldest_set: Some(NOW.minus_ns(19 * NS_PER_DAY)),
        newest_set: second(3600),
        recoverable_until: second(1),
        gaps: Vec::new(),
        ended: Vec::new(),
        running: Vec::new(),
        verified: None,
    }
}

pub(crate) fn storage() -> StorageFacts {
    StorageFacts {
        place: Place::First,
        location: "file:///backups".to_owned(),
        capacity_percent: 80,
        size: SizeReading::Used(10),
        fault: None,
        identity_changed: false,
    }
}

/// What a rule says about the only object it looks at.
pub(crate) fn find(state: &State, rule: RuleId) -> Verdict {
    let mut found = evaluate(RULES, state, NOW)
        .into_iter()
        .filter(|finding| finding.rule == rule);
    let first = found.next().expect("the rule looks at something");
    assert!(found.next().is_none(), "one object only");
    first.verdict
}

/// The fault that a rule sees in a cluster.
pub(crate) fn hit(cluster: ClusterFacts, rule: RuleId) -> Hit {
    let state = State {
        clusters: vec![cluster],
        ..State::default()
    };
    match find(&state, rule) {
        Verdict::Hit(hit) => *hit,
        other => panic!("{other:?}"),
    }
}
