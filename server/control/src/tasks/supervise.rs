//! Supervision: a duty that stumbles is told and begun again, so that nothing stays silent until a restart.

use super::{
    observe,
    pulse::{self, Pulse},
};
use crate::{console::Inner, error::chain, handle::ClusterHandle};
use std::{any::Any, future::Future, sync::Arc, time::Duration};
use tokio::task::JoinSet;

/// Longest pause before a duty is begun again.
const AGAIN_MAX: Duration = Duration::from_secs(60);

/// What runs until the console stops, and for which cluster, if for one.
pub(crate) struct Duty {
    /// A noun: `observation`.
    pub(crate) name: &'static str,
    /// The cluster whose page is told.
    pub(crate) cluster: Option<Arc<ClusterHandle>>,
}

/// Does a duty until it ends by itself, and begins it again after each panic.
pub(crate) async fn supervise<Work>(
    inner: Arc<Inner>,
    duty: Duty,
    pulse: &Arc<Pulse>,
    begin: impl Fn() -> Work,
) where
    Work: Future<Output = ()> + Send + 'static,
{
    let mut falls = 0;
    while let Some(why) = fall(pulse::with(Arc::clone(pulse), begin())).await {
        falls += 1;
        pulse.fell();
        duty.stumbled(&inner, &why).await;
        inner.pause(doubled(falls).min(AGAIN_MAX)).await;
        if inner.is_stopping() {
            return;
        }
    }
}

/// 1, 2, 4, … seconds.
pub(crate) fn doubled(times: u32) -> Duration {
    Duration::from_secs(1) * 2u32.pow(times.saturating_sub(1).min(6))
}

impl Duty {
    async fn stumbled(&self, inner: &Inner, why: &str) {
        let name = self.name;
        let Some(handle) = &self.cluster else {
            tracing::error!("the {name} stumbled and is begun again; this is a defect: {why}");
            return;
        };
        // Nobody has to wait for a first try that will not come.
        handle.set_tried();
        let fault = format!(
            "the {name} stumbled over a defect of this program and is begun again; report it \
             with the log: {why}"
        );
        if let Err(error) = observe::blind(inner, handle, &fault, &fault).await {
            tracing::error!(
                cluster.name = handle.name,
                "{fault}; it could not be written down: {}",
                chain(&error)
            );
        }
    }
}

/// Runs `work` to its end; what it panicked with, if it did.
async fn fall(work: impl Future<Output = ()> + Send + 'static) -> Option<String> {
    // Ends the work when this future is dropped.
    let mut alone = JoinSet::new();
    alone.spawn(work);
    match alone.join_next().await {
        Some(Err(error)) if error.is_panic() => Some(words(&*error.into_panic())),
        _ => None,
    }
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("no reason was given").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_caught_with_its_words_and_an_end_is_none() {
        assert_eq!(fall(async {}).await, None);
        assert_eq!(fall(async { panic!("plain") }).await.unwrap(), "plain");
        let number = 7;
        assert_eq!(
            fall(async move { panic!("number {number}") })
                .await
                .unwrap(),
            "number 7"
        );
    }

    #[test]
    fn pauses_double_and_stay_bounded() {
        let seconds: Vec<u64> = [1, 2, 3, 40].map(|n| doubled(n).as_secs()).to_vec();
        assert_eq!(seconds, [1, 2, 4, 64]);
    }
}
