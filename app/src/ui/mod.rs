//! Parts of the design system: how things look and behave, never what they mean.
//!
//! They know no server function, no route and no domain type but the instant, `Scn`.

pub mod badge;
pub mod button;
pub mod dialog;
pub mod empty;
pub mod error_notice;
pub mod facts;
pub mod field;
pub mod filter;
pub mod follow;
pub mod icon;
pub mod notice;
pub mod pager;
pub mod progress;
pub mod segmented;
pub mod skeleton;
pub mod stamp;
pub mod table;
pub mod tabs;
pub mod title;
pub mod toast;

pub use badge::{Badge, Tone};
pub use button::{Button, IconButton, LinkButton};
pub use dialog::{Dialog, Drawer};
pub use empty::Empty;
pub use error_notice::ErrorNotice;
pub use facts::{Fact, Facts};
pub use field::Field;
pub use filter::{Filter, FilterBar, FilterOption};
pub use follow::{Any, Entry, follow, follow_list, waiting};
pub use icon::Icon;
pub use notice::Notice;
pub use pager::Pager;
pub use progress::Progress;
pub use segmented::Segmented;
pub use skeleton::Skeleton;
pub use stamp::{Precision, Stamp};
pub use table::{Cell, Column, NoValue, Table};
pub use tabs::{Tab, Tabs};
pub use title::title;
pub use toast::{Toaster, Toasts};
