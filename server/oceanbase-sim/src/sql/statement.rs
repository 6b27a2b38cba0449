//! What the grammar gives.

/// Until when a restore goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Until {
    Time(String),
    Scn(u64),
}

/// `ALTER SYSTEM RESTORE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Restore {
    pub(crate) name: String,
    pub(crate) from: Option<String>,
    pub(crate) until: Option<Until>,
    pub(crate) options: String,
    pub(crate) description: String,
    pub(crate) preview: bool,
}

/// `ALTER SYSTEM RECOVER TABLE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecoverTable {
    pub(crate) tables: Vec<(String, String)>,
    pub(crate) target: Option<String>,
    pub(crate) from: String,
    pub(crate) until: Until,
    pub(crate) options: String,
    pub(crate) remap: Vec<(String, String)>,
    pub(crate) description: String,
}

/// What a SHOW asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Show {
    Columns(String),
    Parameters {
        like: Option<String>,
        tenant: Option<String>,
    },
    Variables(Option<String>),
    Databases,
    Tables,
    Grants,
    Warnings,
    RestorePreview,
}

/// One entry of a SET list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Setting {
    /// `NAMES`.
    Names,
    /// A variable and its value.
    Variable(String, SetValue),
}

/// The value of a SET entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SetValue {
    Literal(String),
    /// `(SELECT CONCAT(@@name, 'more'))`.
    Appended(String, String),
    /// Another sub-query.
    SubQuery,
    Default,
}

/// Which tenants a parameter or an archive switch is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    Own,
    Named(Vec<String>),
    All,
    AllUser,
    AllMeta,
}

/// A retention policy as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) name: String,
    pub(crate) window: Option<String>,
    pub(crate) redundancy: Option<u64>,
    pub(crate) tenant: Option<Vec<String>>,
}

type Options = Vec<(String, String)>;

/// A statement the cluster understands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Statement {
    Select,
    Show(Show),
    Use(String),
    Set(Vec<Setting>),
    Nothing,
    SetEncryption(String),
    SetDecryption(Vec<String>),
    Parameters {
        entries: Options,
        scope: Scope,
    },
    ArchiveMode {
        on: bool,
        scope: Scope,
    },
    Backup {
        incremental: bool,
        tenants: Option<Vec<String>>,
        to: bool,
        plus: bool,
        description: String,
    },
    CancelBackup(Option<Vec<String>>),
    AddPolicy(Policy),
    DropPolicy {
        name: String,
        tenant: Option<Vec<String>>,
    },
    DeleteSomething,
    CancelDelete(Option<Vec<String>>),
    Restore(Restore),
    AddSource(String),
    ClearSource,
    Preview {
        from: Option<String>,
        until: Option<Until>,
    },
    CancelRestore(String),
    Activate {
        tenant: Option<String>,
        verify: bool,
    },
    RecoverStandby(Option<String>),
    RecoverTable(Box<RecoverTable>),
    CancelRecoverTable(String),
    Upgrade(Option<String>),
    CreateUnit {
        name: String,
        if_not_exists: bool,
        options: Options,
    },
    AlterUnit {
        name: String,
        options: Options,
    },
    DropUnit {
        name: String,
        if_exists: bool,
    },
    CreatePool {
        name: String,
        if_not_exists: bool,
        options: Options,
        zones: Vec<String>,
    },
    AlterPool {
        name: String,
        options: Options,
    },
    DropPool {
        name: String,
        if_exists: bool,
    },
    DropTenant {
        name: String,
        if_exists: bool,
        force: bool,
    },
    Flashback {
        name: String,
        rename: Option<String>,
    },
    Purge(String),
    Legacy(Legacy),
    Sim(Sim),
}

/// The cluster-level statements of 3.x.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Legacy {
    CancelAllBackup,
    Validate(Option<u64>),
    CancelValidate(u64),
    DeleteSet(u64),
    DeletePiece(u64),
    DeleteRound(u64),
    DeleteObsolete,
    BackupSet {
        id: Option<u64>,
        times: Option<u64>,
        tenant: bool,
        to: Option<String>,
    },
    BackupPiece {
        id: Option<u64>,
        with_active: bool,
        tenant: bool,
        to: Option<String>,
    },
    BackupArchivelog(bool),
    CancelSecond,
    Restore {
        dest: String,
        source: String,
        uri: String,
        until: String,
        options: String,
        preview: bool,
    },
}

/// Statements no OceanBase has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sim {
    /// Seconds.
    Advance(String),
    Fault(String, Vec<String>),
    Clear,
    /// Makes a directory not empty.
    File(String),
}
