//! Waiting until a task can begin and for its end, with its progress on standard error.

use super::{Client, FAILED};
use crate::http::shape::{NOT_YET, Problem, Task};
use domain::size;
use std::{
    io::{IsTerminal, Write},
    thread::sleep,
    time::Duration,
};

/// How often the server is asked.
const ASK_EVERY: Duration = Duration::from_millis(250);
/// Without a terminal, every how many answers progress is printed even when the phase is the same.
const LINE_EVERY: u32 = 20;

/// How often an order that is not possible yet is given again: for a minute.
const TRIES_MAX: u32 = 240;

/// Gives an order again for as long as what stands against it passes by itself.
pub(super) fn until_possible<T>(order: impl Fn() -> Result<T, Problem>) -> Result<T, Problem> {
    given_again(order, || sleep(ASK_EVERY))
}

fn given_again<T>(order: impl Fn() -> Result<T, Problem>, pause: impl Fn()) -> Result<T, Problem> {
    let is_not_yet =
        |given: &Result<T, Problem>| given.as_ref().is_err_and(|problem| problem.kind == NOT_YET);
    let mut given = order();
    for _ in 1..TRIES_MAX {
        if !is_not_yet(&given) {
            return given;
        }
        pause();
        given = order();
    }
    given.map_err(|mut problem| {
        if problem.kind == NOT_YET {
            let waited = (ASK_EVERY * TRIES_MAX).as_secs();
            problem.message = format!("waited {waited} s in vain: {}", problem.message);
        }
        problem
    })
}

/// Asks until nothing can happen to the task any more.
pub(super) fn until_final(client: &Client, kind: &str, mut task: Task) -> Result<Task, Problem> {
    let mut display = Display::new();
    while !task.is_final() {
        display.show(&task);
        sleep(ASK_EVERY);
        task = client.get(&[kind, &task.id.to_string()])?;
    }
    display.end();
    Ok(task)
}

/// Why a task that has ended did not do what was asked.
pub(super) fn problem(task: &Task) -> Problem {
    let why = task.failure.as_deref().unwrap_or("it was canceled");
    Problem::new(
        FAILED,
        format!("task {} ended {}: {why}", task.id, task.state),
    )
}

struct Display {
    terminal: bool,
    last_phase: String,
    answers: u32,
    width: usize,
}

impl Display {
    fn new() -> Self {
        let terminal = std::io::stderr().is_terminal();
        Display {
            terminal,
            last_phase: String::new(),
            answers: 0,
            width: 0,
        }
    }

    fn show(&mut self, task: &Task) {
        let line = progress(task);
        let mut stderr = std::io::stderr().lock();
        if self.terminal {
            let _ = write!(stderr, "\r{line:<width$}", width = self.width);
            self.width = line.chars().count();
        } else if task.progress.phase != self.last_phase || self.answers.is_multiple_of(LINE_EVERY)
        {
            let _ = writeln!(stderr, "{line}");
        }
        let _ = stderr.flush();
        self.answers += 1;
        self.last_phase.clone_from(&task.progress.phase);
    }

    fn end(&self) {
        if self.terminal && self.width > 0 {
            let _ = write!(std::io::stderr(), "\r{:width$}\r", "", width = self.width);
        }
    }
}

/// `Copying pages, 42 %, 118 MB/s, 3 s left`.
fn progress(task: &Task) -> String {
    let progress = &task.progress;
    let mut parts = vec![if progress.phase.is_empty() {
        task.state.clone()
    } else {
        progress.phase.clone()
    }];
    if let Some(percent) = progress.percent() {
        parts.push(format!("{percent} %"));
    }
    if progress.rate_bytes_per_s > 0 {
        parts.push(format!("{}/s", size::bytes(progress.rate_bytes_per_s)));
    }
    if let Some(left) = progress.eta_ms {
        parts.push(format!("{} left", size::duration_ms(left)));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_given_again_while_it_is_not_possible_yet_and_no_longer_than_the_limit() {
        let tries = std::cell::Cell::new(0);
        let pauses = std::cell::Cell::new(0);
        let pause = || pauses.set(pauses.get() + 1);
        let refused_for = |times: u32, kind: &'static str| {
            tries.set(0);
            pauses.set(0);
            given_again(
                || {
                    tries.set(tries.get() + 1);
                    match tries.get() <= times {
                        true => Err(Problem::new(kind, "it is Starting")),
                        false => Ok(tries.get()),
                    }
                },
                pause,
            )
        };
        assert_eq!(refused_for(3, NOT_YET), Ok(4));
        assert_eq!(pauses.get(), 3);
        assert_eq!(refused_for(TRIES_MAX - 1, NOT_YET), Ok(TRIES_MAX));

        let late = refused_for(u32::MAX, NOT_YET).unwrap_err();
        assert_eq!((tries.get(), pauses.get()), (TRIES_MAX, TRIES_MAX - 1));
        assert_eq!(late.message, "waited 60 s in vain: it is Starting");
        let other = refused_for(u32::MAX, "conflict").unwrap_err();
        assert_eq!((tries.get(), other.message.as_str()), (1, "it is Starting"));
    }

    #[test]
    fn progress_tells_what_is_known_and_nothing_else() {
        let mut task: Task = serde_json::from_value(serde_json::json!({
            "id": 1, "kind": "data_backup", "state": "queued", "tenant": "orders", "created": "",
            "started": null, "ended": null, "failure": null, "backup": null, "recovery": null,
            "progress": { "phase": "", "done_bytes": 0, "total_bytes": 0, "rate_bytes_per_s": 0, "eta_ms": null },
        }))
        .unwrap();
        assert_eq!(progress(&task), "queued");
        task.progress.phase = "Copying pages".to_owned();
        task.progress.done_bytes = 1;
        task.progress.total_bytes = 4;
        task.progress.eta_ms = Some(3000);
        let line = progress(&task);
        assert!(
            line.starts_with("Copying pages, 25 %, ") && line.ends_with(" left"),
            "{line}"
        );
    }
}
