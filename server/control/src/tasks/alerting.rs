//! Alerting: each minute the rules are asked, and what they find becomes rows and messages in one transaction.

use super::alert_facts::{self, Ledger};
use crate::{
    console::Inner,
    error::{Error, chain},
    notify::outbox::{self, News, Why},
};
use domain::{
    AlertId, Scn,
    alert::{self, AlertChange, ConsoleFacts, Finding, Open, RULES},
    scn::{NS_PER_DAY, NS_PER_SECOND},
};
use std::{collections::HashMap, sync::Arc, sync::atomic::Ordering, time::Duration};
use store::{Change, OPEN_ALERTS_MAX};

/// Time between two evaluations, on the console's clock.
const EVERY_NS: u64 = 60 * NS_PER_SECOND;
/// After so long without an evaluation everything else stood still too.
const AWAY_NS: u64 = 2 * EVERY_NS;
/// How often the clock is asked whether it is time.
const LOOK: Duration = Duration::from_secs(1);
/// A clock that is set back by less is an ordinary correction.
const CLOCK_BACK_NS: u64 = 10 * NS_PER_SECOND;
/// Alerts that are over are kept for so long.
const KEPT_NS: u64 = 400 * NS_PER_DAY;
/// Messages that arrived or were given up are kept for so long.
const MESSAGES_KEPT_NS: u64 = 30 * NS_PER_DAY;
/// How often old ones are looked for.
const TIDY_EVERY_NS: u64 = 3600 * NS_PER_SECOND;

/// Evaluates until the console stops. The first time is a minute after the start, when clusters were looked at.
pub(crate) async fn run(inner: Arc<Inner>) {
    let mut watch = Watch {
        tried: inner.now(),
        tidied: Scn::ZERO,
        ledger: Ledger::default(),
    };
    while !inner.is_stopping() {
        let now = inner.now();
        if is_due(now, watch.tried, EVERY_NS) {
            let was_away = now.since_ns(watch.tried) > AWAY_NS;
            watch.tried = now;
            // Whoever slept with its machine, or was set forward, looks at its clusters before it judges them.
            if was_away {
                continue;
            }
            if let Err(error) = watch.evaluate(&inner, now).await {
                // What was learned may be half of it.
                watch.ledger = Ledger::default();
                tracing::error!("alerts could not be evaluated: {}", chain(&error));
            }
        }
        inner.pause(LOOK).await;
    }
}

/// Whether so much time has passed; also when the clock was set back since.
fn is_due(now: Scn, last: Scn, every_ns: u64) -> bool {
    now < last || now.since_ns(last) >= every_ns
}

struct Watch {
    /// When it was tried last.
    tried: Scn,
    /// When old rows were looked for last.
    tidied: Scn,
    ledger: Ledger,
}

impl Watch {
    async fn evaluate(&mut self, inner: &Inner, now: Scn) -> Result<(), Error> {
        let evaluated = inner.store.alerts_evaluated().await?;
        let back_ns = evaluated.map_or(0, |before| before.since_ns(now));
        let back_ns = if back_ns < CLOCK_BACK_NS { 0 } else { back_ns };
        let console = ConsoleFacts {
            evaluated,
            started_just_now: inner.evaluated.load(Ordering::Relaxed) == 0,
            channels: alert_facts::channels(inner).await?,
        };
        let state = alert_facts::state(inner, &mut self.ledger, console, (now, back_ns)).await?;
        let findings = alert::evaluate(RULES, &state, now);
        let tidy = is_due(now, self.tidied, TIDY_EVERY_NS);
        let sent = inner
            .store
            .change(async |change| {
                let told = write(change, &findings, now).await?;
                let sent = outbox::put(change, &told, now).await?;
                change.alerts_evaluated(now).await?;
                if tidy {
                    change.remove_old_alerts(now.minus_ns(KEPT_NS)).await?;
                    let before = now.minus_ns(MESSAGES_KEPT_NS);
                    change.remove_old_deliveries(before).await?;
                }
                Ok::<_, Error>(sent)
            })
            .await?;
        if tidy {
            self.tidied = now;
        }
        inner.evaluated.store(now.0, Ordering::Relaxed);
        if sent {
            inner.outbox.notify_one();
        }
        Ok(())
    }
}

/// Writes what changed; gives what people have to be told.
async fn write(change: &Change, findings: &[Finding], now: Scn) -> Result<Vec<News>, Error> {
    let known = change.open_alerts(now).await?;
    let changes = alert::fold(&known, findings, now);
    let open: HashMap<AlertId, &Open> = known.iter().map(|alert| (alert.id, alert)).collect();
    let mut room = OPEN_ALERTS_MAX.saturating_sub(known.len() as u64);
    let mut told = Vec::new();
    for step in &changes {
        if matches!(step, AlertChange::Raise { .. }) {
            if room == 0 {
                tracing::error!(
                    "{OPEN_ALERTS_MAX} alerts are open, and no more are raised until some are over"
                );
                continue;
            }
            room -= 1;
        }
        let id = change.alert_change(step, now).await?;
        if let Some(why) = why(step, &open, now)
            && let Some(stored) = change.alert(id).await?
        {
            told.push(News { why, alert: stored });
        }
    }
    Ok(told)
}

/// Why somebody is told about a change, if anybody is. Nobody is told about what is masked.
fn why(step: &AlertChange, open: &HashMap<AlertId, &Open>, now: Scn) -> Option<Why> {
    let masked = |id: &AlertId| {
        let until = open.get(id).and_then(|alert| alert.masked_until);
        until.is_some_and(|until| until > now)
    };
    match step {
        AlertChange::Raise { masked_until, .. } => masked_until.is_none().then_some(Why::Raised),
        AlertChange::Again { id, worsened, .. } => {
            (*worsened && !masked(id)).then_some(Why::Worsened)
        }
        AlertChange::Recover { id, told, .. } => (*told && !masked(id)).then_some(Why::Recovered),
        AlertChange::MaskEnded { .. } => Some(Why::MaskEnded),
        AlertChange::Clearing { .. } => None,
    }
}
