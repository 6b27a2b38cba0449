//! Wakes archivers when a write-ahead log grows, so that they need not look all the time.
//!
//! Only a hint: a change that it misses is found by the archiver's own pause.

use crate::tenant::Tenant;
use rustix::{
    fs::inotify::{self, CreateFlags, WatchFlags},
    io::Errno,
};
use std::{
    collections::HashMap,
    mem::MaybeUninit,
    os::fd::OwnedFd,
    sync::{Arc, Mutex, PoisonError, Weak},
};
use tokio::io::unix::AsyncFd;

const BUFFER_BYTES: usize = 4096;

/// Watches the directories of tenants.
pub(crate) struct Watcher {
    fd: Option<Arc<AsyncFd<OwnedFd>>>,
    tenants: Arc<Mutex<HashMap<i32, Weak<Tenant>>>>,
}

impl Watcher {
    /// Starts; where the system has no notification left to give, archivers find changes by themselves.
    pub(crate) fn start() -> Self {
        let tenants: Arc<Mutex<HashMap<i32, Weak<Tenant>>>> = Arc::default();
        let fd = match notifications() {
            Ok(fd) => Arc::new(fd),
            Err(error) => {
                tracing::warn!(%error, "no file notification; commits are found a little later");
                return Watcher { fd: None, tenants };
            }
        };
        tokio::spawn(listen(Arc::clone(&fd), Arc::clone(&tenants)));
        Watcher {
            fd: Some(fd),
            tenants,
        }
    }

    pub(crate) fn watch(&self, tenant: &Arc<Tenant>) {
        let Some(fd) = &self.fd else { return };
        match inotify::add_watch(fd.get_ref(), &tenant.dir, WatchFlags::MODIFY) {
            Ok(watch) => {
                let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
                tenants.insert(watch, Arc::downgrade(tenant));
            }
            Err(error) => {
                tracing::warn!(tenant = %tenant.name(), %error, "no file notification for this tenant");
            }
        }
    }
}

#[expect(
    deprecated,
    reason = "an OwnedFd owns its descriptor, which is all that the unsafe successor asks for"
)]
fn notifications() -> std::io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::new(inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?)
}

async fn listen(fd: Arc<AsyncFd<OwnedFd>>, tenants: Arc<Mutex<HashMap<i32, Weak<Tenant>>>>) {
    let mut buffer = [const { MaybeUninit::uninit() }; BUFFER_BYTES];
    loop {
        let Ok(mut ready) = fd.readable().await else {
            return;
        };
        let mut reader = inotify::Reader::new(fd.get_ref(), &mut buffer);
        loop {
            match reader.next() {
                Ok(event) => {
                    let is_log = event
                        .file_name()
                        .is_some_and(|name| name.to_bytes().ends_with(b"-wal"));
                    if is_log {
                        wake(&tenants, event.wd());
                    }
                }
                Err(Errno::AGAIN) => {
                    ready.clear_ready();
                    break;
                }
                Err(Errno::INTR) => {}
                Err(error) => {
                    tracing::warn!(%error, "file notification ended; commits are found a little later");
                    return;
                }
            }
        }
    }
}

fn wake(tenants: &Mutex<HashMap<i32, Weak<Tenant>>>, watch: i32) {
    let tenants = tenants.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(tenant) = tenants.get(&watch).and_then(Weak::upgrade) {
        tenant.wake.notify_one();
    }
}
