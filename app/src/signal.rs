//! Signals and memos whose values lie behind one type.
//!
//! The framework's own are compiled once for every type of value, which would be a seventh of what the
//! browser downloads. These take their place, with the same words.

use leptos::prelude::{Get, GetUntracked, Set, Signal, Track};
use std::{any::Any, marker::PhantomData, ops::Deref, sync::Arc};

/// A value derived from signals: computed again when they change, and told only when it differs.
pub struct Memo<T> {
    inner: leptos::prelude::Memo<Value>,
    of: PhantomData<fn() -> T>,
}

/// A value that is being looked at.
pub struct Read<T>(Arc<T>);

impl<T> Deref for Read<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Clone for Memo<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Memo<T> {}

/// The value, and how it is compared with the one before it.
#[derive(Clone)]
pub(crate) struct Value {
    value: Arc<dyn Any + Send + Sync>,
    same: fn(&dyn Any, &dyn Any) -> bool,
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        (self.same)(&*self.value, &*other.value)
    }
}

impl Value {
    /// A value that is compared.
    pub(crate) fn compared<T: PartialEq + Send + Sync + 'static>(value: T) -> Value {
        Value {
            value: Arc::new(value),
            same: same::<T>,
        }
    }

    /// The value, if it is of this type.
    pub(crate) fn get<T: Clone + 'static>(&self) -> Option<T> {
        self.value.downcast_ref::<T>().cloned()
    }

    /// A value that always counts as changed.
    fn of<T: Send + Sync + 'static>(value: T) -> Value {
        Value {
            value: Arc::new(value),
            same: |_, _| false,
        }
    }
}

fn same<T: PartialEq + 'static>(one: &dyn Any, other: &dyn Any) -> bool {
    one.downcast_ref::<T>() == other.downcast_ref::<T>()
}

type Compute = Box<dyn Fn(Option<&Value>) -> Value + Send + Sync>;

fn memo(compute: Compute) -> leptos::prelude::Memo<Value> {
    leptos::prelude::Memo::new(compute)
}

impl<T: PartialEq + Send + Sync + 'static> Memo<T> {
    /// A memo of what `compute` gives; it is handed the value before, if there was one.
    pub fn new(compute: impl Fn(Option<&T>) -> T + Send + Sync + 'static) -> Memo<T> {
        let inner = memo(Box::new(move |before| {
            Value::compared(compute(before.and_then(|value| value.value.downcast_ref())))
        }));
        Memo {
            inner,
            of: PhantomData,
        }
    }

    /// The value. Tracked.
    pub fn read(&self) -> Read<T> {
        typed(self.inner.get())
    }

    /// The value, without being told of changes.
    pub fn read_untracked(&self) -> Read<T> {
        typed(self.inner.get_untracked())
    }

    /// What `look` makes of the value. Tracked.
    pub fn with<U>(&self, look: impl FnOnce(&T) -> U) -> U {
        look(&self.read())
    }

    /// What `look` makes of the value, without being told of changes.
    pub fn with_untracked<U>(&self, look: impl FnOnce(&T) -> U) -> U {
        look(&self.read_untracked())
    }

    /// Asks to be told of changes.
    pub fn track(&self) {
        self.inner.track();
    }
}

impl<T: Clone + PartialEq + Send + Sync + 'static> Memo<T> {
    /// A copy of the value. Tracked.
    pub fn get(&self) -> T {
        (*self.read()).clone()
    }

    /// The same as `get_untracked`, or nothing when the part of the page it belonged to is gone.
    pub fn try_get_untracked(&self) -> Option<T> {
        Some((*typed::<T>(self.inner.try_get_untracked()?)).clone())
    }

    /// A copy of the value, without being told of changes.
    pub fn get_untracked(&self) -> T {
        (*self.read_untracked()).clone()
    }
}

fn typed<T: Send + Sync + 'static>(value: Value) -> Read<T> {
    let value = value.value.downcast();
    Read(value.expect("invariant: a memo holds what its function gave"))
}

impl<T: Clone + PartialEq + Send + Sync + 'static> From<Memo<T>> for Signal<T> {
    fn from(memo: Memo<T>) -> Signal<T> {
        Signal::derive(move || memo.get())
    }
}

/// A value that can be read and set, and tells when it is.
pub struct RwSignal<T> {
    inner: leptos::prelude::RwSignal<Value>,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for RwSignal<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for RwSignal<T> {}

impl<T: Send + Sync + 'static> RwSignal<T> {
    /// A signal that holds `value`.
    pub fn new(value: T) -> Self {
        RwSignal {
            inner: leptos::prelude::RwSignal::new(Value::of(value)),
            of: PhantomData,
        }
    }

    /// The value. Tracked.
    pub fn read(&self) -> Read<T> {
        typed(self.inner.get())
    }

    /// The value, without being told of changes.
    pub fn read_untracked(&self) -> Read<T> {
        typed(self.inner.get_untracked())
    }

    /// What `look` makes of the value. Tracked.
    pub fn with<U>(&self, look: impl FnOnce(&T) -> U) -> U {
        look(&self.read())
    }

    /// What `look` makes of the value, without being told of changes.
    pub fn with_untracked<U>(&self, look: impl FnOnce(&T) -> U) -> U {
        look(&self.read_untracked())
    }

    /// Sets the value and tells everybody who reads it.
    pub fn set(&self, value: T) {
        self.inner.set(Value::of(value));
    }

    /// The same; whether the part of the page it belongs to is still there.
    pub fn try_set(&self, value: T) -> bool {
        self.inner.try_set(Value::of(value)).is_none()
    }

    /// Asks to be told of changes.
    pub fn track(&self) {
        self.inner.track();
    }
}

impl<T: Clone + Send + Sync + 'static> RwSignal<T> {
    /// A copy of the value. Tracked.
    pub fn get(&self) -> T {
        (*self.read()).clone()
    }

    /// A copy of the value, without being told of changes.
    pub fn get_untracked(&self) -> T {
        (*self.read_untracked()).clone()
    }

    /// The same as `get_untracked`, or nothing when the part of the page it belonged to is gone.
    pub fn try_get_untracked(&self) -> Option<T> {
        Some((*typed::<T>(self.inner.try_get_untracked()?)).clone())
    }

    /// Changes the value and tells everybody who reads it; nothing when it is gone.
    pub fn update(&self, change: impl FnOnce(&mut T)) {
        if let Some(mut value) = self.try_get_untracked() {
            change(&mut value);
            self.try_set(value);
        }
    }
}

impl<T: Clone + Send + Sync + 'static> From<RwSignal<T>> for Signal<T> {
    fn from(signal: RwSignal<T>) -> Signal<T> {
        Signal::derive(move || signal.get())
    }
}

/// A signal that lives as long as somebody holds it.
pub struct ArcRwSignal<T> {
    inner: leptos::prelude::ArcRwSignal<Value>,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for ArcRwSignal<T> {
    fn clone(&self) -> Self {
        ArcRwSignal {
            inner: self.inner.clone(),
            of: PhantomData,
        }
    }
}

impl<T: Send + Sync + 'static> ArcRwSignal<T> {
    /// A signal that holds `value`.
    pub fn new(value: T) -> Self {
        ArcRwSignal {
            inner: leptos::prelude::ArcRwSignal::new(Value::of(value)),
            of: PhantomData,
        }
    }

    /// The value. Tracked.
    pub fn read(&self) -> Read<T> {
        typed(self.inner.get())
    }

    /// What `look` makes of the value, without being told of changes.
    pub fn with_untracked<U>(&self, look: impl FnOnce(&T) -> U) -> U {
        look(&typed(self.inner.get_untracked()))
    }

    /// Sets the value and tells everybody who reads it.
    pub fn set(&self, value: T) {
        self.inner.set(Value::of(value));
    }
}

impl<T: Clone + Send + Sync + 'static> ArcRwSignal<T> {
    /// A copy of the value. Tracked.
    pub fn get(&self) -> T {
        (*self.read()).clone()
    }

    /// A copy of the value, without being told of changes.
    pub fn get_untracked(&self) -> T {
        self.with_untracked(T::clone)
    }
}

impl<T> From<ArcRwSignal<T>> for RwSignal<T> {
    fn from(signal: ArcRwSignal<T>) -> Self {
        RwSignal {
            inner: signal.inner.into(),
            of: PhantomData,
        }
    }
}

impl<T> From<RwSignal<T>> for ArcRwSignal<T> {
    fn from(signal: RwSignal<T>) -> Self {
        ArcRwSignal {
            inner: signal.inner.into(),
            of: PhantomData,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use leptos::prelude::Owner;

    #[test]
    fn a_memo_follows_its_signals_and_knows_its_value_before() {
        Owner::new().with(|| {
            let number = RwSignal::new(3);
            let most = Memo::new(move |before: Option<&i32>| {
                number.get().max(before.copied().unwrap_or(0))
            });
            assert_eq!((most.get(), *most.read()), (3, 3));
            number.set(7);
            assert_eq!(most.with(|most| most * 2), 14);
            number.set(1);
            assert_eq!(most.get_untracked(), 7);
        });
    }

    #[test]
    fn a_row_is_one_signal_however_it_is_held() {
        Owner::new().with(|| {
            let held = ArcRwSignal::new(vec![1]);
            let row = RwSignal::from(held.clone());
            row.update(|list| list.push(2));
            assert_eq!(held.get_untracked(), [1, 2]);
            ArcRwSignal::from(row).set(vec![]);
            assert!(row.read_untracked().is_empty());
        });
    }
}
