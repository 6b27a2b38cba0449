//! The injected clock: the only way any part of the product learns the time.

use crate::Scn;

/// Gives the current instant. The real one is made once, where the binary is wired together.
pub trait Clock: Send + Sync {
    /// Now, UTC nanoseconds. May repeat and may step back, as wall clocks do.
    fn now(&self) -> Scn;
}

impl<C: Clock + ?Sized> Clock for std::sync::Arc<C> {
    fn now(&self) -> Scn {
        (**self).now()
    }
}
