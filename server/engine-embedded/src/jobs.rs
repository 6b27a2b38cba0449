//! The register of jobs: by number, and by the console's mark.

use crate::job::Job;
use domain::clock::Clock;
use engine::{EngineError, EngineErrorKind, EngineJobId, EngineJobState, JobReport};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Ended jobs remembered; the console has long taken over the result of older ones.
const ENDED_MAX: usize = 1000;

/// All jobs of a cluster since it was opened.
pub(crate) struct Jobs {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    by_token: HashMap<String, Arc<Job>>,
    order: VecDeque<String>,
}

impl Jobs {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Jobs {
            clock,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a job for `token`; gives the one there is already, with `false`, when the order is repeated.
    pub(crate) fn begin(&self, token: &str) -> (Arc<Job>, bool) {
        let mut state = self.state();
        if let Some(job) = state.by_token.get(token) {
            return (Arc::clone(job), false);
        }
        let job = Job::new(Arc::clone(&self.clock));
        state.by_token.insert(token.to_owned(), Arc::clone(&job));
        state.order.push_back(token.to_owned());
        if state.order.len() > ENDED_MAX {
            let ended = |token: &String| {
                !matches!(
                    state.by_token[token].report().state,
                    EngineJobState::Running | EngineJobState::Canceling
                )
            };
            if let Some(oldest) = state.order.iter().position(ended)
                && let Some(token) = state.order.remove(oldest)
            {
                state.by_token.remove(&token);
            }
        }
        (job, true)
    }

    /// The number of a job; the mark itself, since an engine never runs two jobs for one.
    pub(crate) fn id(token: &str) -> EngineJobId {
        EngineJobId(token.to_owned())
    }

    pub(crate) fn find(&self, token: &str) -> Option<EngineJobId> {
        self.state()
            .by_token
            .contains_key(token)
            .then(|| Jobs::id(token))
    }

    fn job(&self, id: &EngineJobId) -> Result<Arc<Job>, EngineError> {
        self.state().by_token.get(&id.0).cloned().ok_or_else(|| {
            let message = "the engine does not know it; it was restarted since";
            EngineError::new(
                EngineErrorKind::NotFound,
                "looking up",
                format!("job {}", id.0),
                message,
            )
        })
    }

    pub(crate) fn report(&self, id: &EngineJobId) -> Result<JobReport, EngineError> {
        Ok(self.job(id)?.report())
    }

    pub(crate) fn cancel(&self, id: &EngineJobId) -> Result<(), EngineError> {
        self.job(id)?.cancel();
        Ok(())
    }

    /// Asks every job to stop at its next chunk.
    pub(crate) fn cancel_all(&self) {
        for job in self.state().by_token.values() {
            job.cancel();
        }
    }
}
