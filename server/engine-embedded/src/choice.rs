//! The choice of what a recovery reads: by what is at the destination, and nothing else.

use crate::{
    history::{History, Run, SegmentInfo},
    recovery::RecoveryError,
    set::SetManifest,
};
use domain::{
    Scn,
    recoverable::{self, SetPoint, Verdict},
};

/// What a recovery to a moment would read, chosen by what is at the destination.
pub(crate) struct Choice {
    pub(crate) until: Scn,
    /// Full set first.
    pub(crate) chain: Vec<SetManifest>,
    pub(crate) segments: Vec<SegmentInfo>,
    /// The segment behind them, of which nothing is applied.
    pub(crate) next: Option<SegmentInfo>,
}

impl Choice {
    /// Chooses the newest usable set at or before `until` whose log reaches it.
    pub(crate) fn make(history: &History, until: Scn) -> Result<Self, RecoveryError> {
        let mut candidates: Vec<&SetManifest> = history
            .sets
            .values()
            .filter(|set| set.min_restore_scn <= until)
            .collect();
        candidates.sort_by_key(|set| std::cmp::Reverse((set.min_restore_scn, set.set_id)));
        for set in candidates {
            let Some(chain) = history.chain(set) else {
                continue;
            };
            let chain = || chain.iter().map(|set| (*set).clone()).collect();
            let round = history.rounds.get(&set.head.round);
            let runs = round.map(|round| history.runs(round)).unwrap_or_default();
            let covers = |run: &&Run| {
                (run.after_txn..=run.last_txn).contains(&set.head.txn) && until <= run.span.end
            };
            if let Some(round) = round
                && runs.iter().any(|run| covers(&run))
            {
                let wanted = |segment: &&SegmentInfo| {
                    segment.name.last_txn > set.head.txn && segment.name.first_scn <= until
                };
                let behind = |segment: &&SegmentInfo| segment.name.first_scn > until;
                return Ok(Choice {
                    until,
                    chain: chain(),
                    segments: round.segments.values().filter(wanted).cloned().collect(),
                    next: round.segments.values().find(behind).cloned(),
                });
            }
            if set.min_restore_scn == until {
                return Ok(Choice {
                    until,
                    chain: chain(),
                    segments: Vec::new(),
                    next: None,
                });
            }
        }
        Err(not_recoverable(history, until))
    }

    pub(crate) fn newest(&self) -> &SetManifest {
        self.chain
            .last()
            .expect("invariant: a chain has at least its full set")
    }
}

fn not_recoverable(history: &History, until: Scn) -> RecoveryError {
    let points: Vec<SetPoint> = history
        .usable_sets()
        .iter()
        .map(|set| SetPoint {
            id: set.id,
            round: set.round,
            min_restore_scn: set.min_restore_scn,
        })
        .collect();
    let ranges = recoverable::ranges(&points, &history.spans());
    let (before, after) = match recoverable::verdict(&ranges, until) {
        Verdict::Impossible { before, after } => (before, after),
        Verdict::Recoverable(_) => (None, None),
    };
    RecoveryError::NotRecoverable {
        until,
        before,
        after,
    }
}
