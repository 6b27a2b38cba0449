//! Calls that were refused for want of a role. They are recorded too, but nobody can fill the audit with them.

use crate::{
    audit::plain,
    console::Inner,
    error::{Error, chain},
};
use domain::{
    ClusterId, Scn,
    access::{Actor, Role},
    audit::AuditResult,
    scn::NS_PER_SECOND,
};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use store::Audit;
use tokio::sync::Notify;

/// Most refusals that wait to be recorded.
const WAITING_MAX: usize = 200;
/// Most refusals that are recorded within [`WINDOW_NS`]; of the others there is their number.
const RECORDED_MAX: u32 = 100;
/// The time that [`RECORDED_MAX`] is about.
const WINDOW_NS: u64 = 60 * NS_PER_SECOND;
/// Pause between two writes, so that many become one.
const PAUSE: Duration = Duration::from_millis(200);
/// Pause after a failure.
const FAILED_PAUSE: Duration = Duration::from_secs(10);
/// What the audit calls one.
pub(crate) const REFUSED_CALL: &str = "refused call";

/// Refusals on their way into the audit.
#[derive(Default)]
pub(crate) struct Refusals {
    waiting: Mutex<Waiting>,
    come: Notify,
}

#[derive(Default)]
struct Waiting {
    refusals: VecDeque<Refusal>,
    /// Those that found no room.
    left_out: u64,
}

#[derive(Clone)]
struct Refusal {
    actor: Actor,
    cluster: Option<ClusterId>,
    needed: Role,
}

impl Refusals {
    /// Notes that an actor asked for what takes a higher role.
    pub(crate) fn note(&self, actor: &Actor, cluster: Option<ClusterId>, needed: Role) {
        let mut waiting = self.waiting();
        if waiting.refusals.len() >= WAITING_MAX {
            waiting.left_out += 1;
        } else {
            waiting.refusals.push_back(Refusal {
                actor: actor.clone(),
                cluster,
                needed,
            });
        }
        drop(waiting);
        self.come.notify_one();
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting
            .lock()
            .expect("invariant: nothing panics while it holds the waiting refusals")
    }
}

/// Records refusals until the console stops.
pub(crate) async fn run(inner: Arc<Inner>) {
    let mut window = (Scn(0), 0u32);
    while !inner.is_stopping() {
        tokio::select! {
            () = inner.stopped() => {}
            () = inner.refusals.come.notified() => {}
        }
        if let Err(error) = record(&inner, &mut window).await {
            tracing::error!("refused calls could not be recorded: {}", chain(&error));
            inner.pause(FAILED_PAUSE).await;
        }
        inner.pause(PAUSE).await;
    }
}

async fn record(inner: &Inner, window: &mut (Scn, u32)) -> Result<(), Error> {
    let now = inner.now();
    if now.0.saturating_sub(window.0.0) >= WINDOW_NS || now < window.0 {
        *window = (now, 0);
    }
    let mut taken = std::mem::take(&mut *inner.refusals.waiting());
    let room = usize::try_from(RECORDED_MAX.saturating_sub(window.1)).unwrap_or(usize::MAX);
    let more = taken.refusals.len().saturating_sub(room);
    taken.refusals.truncate(room);
    let mut entries: Vec<Audit> = taken.refusals.iter().map(|one| entry(inner, one)).collect();
    let left_out = taken.left_out + u64::try_from(more).unwrap_or(u64::MAX);
    if left_out > 0 && room > 0 {
        let console = Actor::new("console", Role::Viewer);
        let text = format!("{left_out} more calls were refused within a minute");
        entries.push(Audit {
            result: AuditResult::Refused,
            ..plain(inner, &console, REFUSED_CALL, "many", &text)
        });
    }
    if left_out > 0 && room == 0 {
        // Told with the first that are recorded again.
        inner.refusals.waiting().left_out += left_out;
    }
    if entries.is_empty() {
        return Ok(());
    }
    window.1 += u32::try_from(entries.len()).unwrap_or(u32::MAX);
    inner
        .store
        .change(async |change| {
            for entry in &entries {
                change.audit(entry).await?;
            }
            Ok::<_, Error>(())
        })
        .await
}

fn entry(inner: &Inner, refusal: &Refusal) -> Audit {
    let actor = &refusal.actor;
    let request = actor.origin.request.as_deref().unwrap_or("a call");
    let role = refusal.needed.label().to_lowercase();
    let place = match refusal.cluster {
        Some(_) => "in this cluster",
        None => "in all clusters or in one",
    };
    Audit {
        cluster: refusal.cluster,
        result: AuditResult::Refused,
        cause: Some(format!("takes the role {role} {place}")),
        ..plain(inner, actor, REFUSED_CALL, request, "")
    }
}
