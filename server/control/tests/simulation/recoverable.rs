//! The moments that the console calls recoverable, against every set and every stretch of log of the cluster.

use crate::{
    process::{LOCAL, Process, Site},
    tally,
};
use domain::{
    Scn,
    backup::BackupSet,
    page::TenantPeriod,
    recoverable::{LogSpan, Verdict, verdict},
};
use engine::TenantObservation;

/// What the console says that is not so, in words.
pub(crate) async fn moments(site: &Site, process: &Process) -> Vec<String> {
    let viewer = process.viewer();
    let mut wrong = Vec::new();
    for tenant in viewer.tenants(LOCAL).await.unwrap() {
        let (Some(period), _) = viewer.period(LOCAL, tenant.id).await.unwrap() else {
            wrong.push(format!("tenant {} has no period", tenant.name));
            continue;
        };
        let state = site.world.state();
        let there = &state.tenants[&tenant.engine_key];
        wrong.extend(compared(&period, there));
    }
    wrong
}

/// The edges of everything, the moments beside them and those half way to the next one.
fn compared(period: &TenantPeriod, there: &TenantObservation) -> Vec<String> {
    let mut edges: Vec<u64> = Vec::new();
    for (sets, spans) in copies(there) {
        edges.extend(sets.iter().map(|set| set.min_restore_scn.0));
        edges.extend(spans.iter().flat_map(|span| [span.start.0, span.end.0]));
    }
    edges.sort_unstable();
    let between = edges.windows(2).map(|two| two[0].midpoint(two[1]));
    let beside = edges.iter().flat_map(|at| [at - 1, *at, at + 1]);
    let asked: Vec<u64> = between.chain(beside).collect();
    let mut recoverable = 0;
    let wrong = asked.into_iter().map(Scn).filter(|at| {
        let really = copies(there).any(|(sets, spans)| leads_to(sets, spans, *at));
        recoverable += u64::from(really);
        really != matches!(verdict(&period.ranges, *at), Verdict::Recoverable(_))
    });
    let wrong = wrong.map(|at| format!("{at} of {} is told wrong", period.name));
    let wrong = wrong.collect();
    tally::count("recoverable moments", recoverable);
    wrong
}

/// The first copy, and the second one if there is one.
fn copies(there: &TenantObservation) -> impl Iterator<Item = (&[BackupSet], &[LogSpan])> {
    let second = there.second.iter();
    let second = second.map(|second| (second.sets.as_slice(), second.spans.as_slice()));
    std::iter::once((there.sets.as_slice(), there.spans.as_slice())).chain(second)
}

/// Whether some set whose whole chain is there reaches `at`, with the log of its round from it until then.
fn leads_to(sets: &[BackupSet], spans: &[LogSpan], at: Scn) -> bool {
    sets.iter().any(|set| {
        let from = set.min_restore_scn;
        let log = |span: &LogSpan| {
            span.round == set.round && span.start <= from && from <= span.end && at <= span.end
        };
        is_whole(sets, set) && from <= at && (at == from || spans.iter().any(log))
    })
}

fn is_whole(sets: &[BackupSet], set: &BackupSet) -> bool {
    set.base.is_none_or(|base| {
        let base = sets.iter().find(|one| one.id == base);
        base.is_some_and(|base| is_whole(sets, base))
    })
}
