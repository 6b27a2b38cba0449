//! Identities, each its own type so that one cannot be passed for another.

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::num::ParseIntError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map($name)
            }
        }
    };
}

id!(
    /// A managed cluster, numbered by the control database.
    ClusterId
);
id!(
    /// A tenant of a managed cluster, numbered by the control database.
    TenantId
);
id!(
    /// A data backup or recovery task, numbered by the control database; the "ID" column of the task tables.
    JobId
);
id!(
    /// A backup set, numbered by the engine within one tenant; the "Backup Set ID" column.
    BackupSetId
);
id!(
    /// A point in the console's own history of changes; grows with every observed or made change.
    Revision
);
id!(
    /// A backup strategy, numbered by the control database.
    StrategyId
);
id!(
    /// A storage configuration, numbered by the control database.
    StorageId
);
id!(
    /// A run of the schedule: one due moment of a strategy, numbered by the control database.
    RunId
);
id!(
    /// An alert: one continuing fault, numbered by the control database.
    AlertId
);
id!(
    /// A notification channel, numbered by the control database.
    ChannelId
);
id!(
    /// A person who may sign in, numbered by the control database.
    UserId
);
