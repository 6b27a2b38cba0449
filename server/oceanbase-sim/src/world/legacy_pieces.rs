//! Pieces of the log of 3.x: slices of a round, or the round as one stream where they are switched off.

use super::World;
use super::legacy::{LegacyRound, option};
use crate::calendar;

/// A slice of a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    /// 0 where pieces are switched off.
    pub(crate) id: i64,
    pub(crate) start_us: i64,
    /// How far it got.
    pub(crate) checkpoint_us: i64,
    /// Whether nothing is added any more.
    pub(crate) frozen: bool,
}

impl World {
    /// The configured length of a piece; 0 switches them off.
    pub(crate) fn piece_interval(&self) -> i64 {
        let options = self.cluster_parameter("backup_dest_option");
        option(&options, "log_archive_piece_switch_interval")
            .and_then(calendar::interval)
            .filter(|us| *us >= calendar::DAY_US)
            .unwrap_or(0)
    }

    /// The number of the first piece of the next round.
    pub(crate) fn next_piece(&self) -> i64 {
        let used = self.legacy.rounds.iter().map(|round| {
            let pieces = self.legacy_pieces(round);
            pieces.last().map_or(0, |piece| piece.id)
        });
        used.max().unwrap_or(0) + 1
    }

    /// The pieces of a round, oldest first.
    pub(crate) fn legacy_pieces(&self, round: &LegacyRound) -> Vec<Piece> {
        if round.start_us == 0 {
            return Vec::new();
        }
        let reached = self.legacy_checkpoint(round);
        let stopped = round.status == "STOP";
        if round.interval_us == 0 {
            return vec![Piece {
                id: 0,
                start_us: round.start_us,
                checkpoint_us: reached,
                frozen: stopped,
            }];
        }
        let count = (reached - round.start_us) / round.interval_us + 1;
        (0..count)
            .map(|k| {
                let start_us = round.start_us + k * round.interval_us;
                let end = start_us + round.interval_us;
                Piece {
                    id: round.first_piece + k,
                    start_us,
                    checkpoint_us: reached.min(end),
                    frozen: stopped || end <= reached,
                }
            })
            .collect()
    }
}
