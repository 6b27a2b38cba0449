//! The column contract: which views a version has, with the names and types of their columns.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use crate::ColumnType;
use crate::version::Version;

#[derive(Deserialize)]
struct Document {
    views: Vec<RawView>,
}

#[derive(Deserialize)]
struct RawView {
    name: String,
    present_in: Vec<String>,
    columns: Vec<RawColumn>,
}

#[derive(Deserialize)]
struct RawColumn {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    nullable: bool,
    nullable_reported: Option<bool>,
    present_in: Option<Vec<String>>,
}

/// A column of a view in one version.
#[derive(Debug, Clone)]
pub(crate) struct ViewColumn {
    pub(crate) name: String,
    pub(crate) type_text: String,
    pub(crate) kind: ColumnType,
    pub(crate) nullable: bool,
    pub(crate) reported_nullable: bool,
}

/// A view in one version.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) name: String,
    pub(crate) columns: Vec<ViewColumn>,
}

/// The views of one version by upper-case name.
#[derive(Debug)]
pub(crate) struct Contract {
    views: BTreeMap<String, View>,
}

impl Contract {
    /// The contract of a version.
    pub(crate) fn of(version: Version) -> Contract {
        // 2.2.77 was never open; its views are taken for those of 3.1.5.
        let here = if version.is_legacy() {
            Version::V3_1_5.text()
        } else {
            version.text()
        };
        // The document knows the shape of SHOW PARAMETERS from 4.0 on; it is older.
        let shape = |view: &str| match view {
            "SHOW PARAMETERS" if version.is_legacy() => Version::V4_0_0.text(),
            _ => here,
        };
        let has = |list: &[String], here: &str| list.iter().any(|v| v == here);
        let views = document()
            .views
            .iter()
            .filter(|v| has(&v.present_in, shape(&v.name)))
            .map(|v| {
                let here = shape(&v.name);
                let columns = v
                    .columns
                    .iter()
                    .filter(|c| c.present_in.as_deref().is_none_or(|list| has(list, here)))
                    .map(|c| ViewColumn {
                        name: c.name.clone(),
                        type_text: c.kind.clone(),
                        kind: column_type(&c.kind),
                        nullable: c.nullable,
                        reported_nullable: c.nullable_reported.unwrap_or(c.nullable),
                    })
                    .collect();
                let name = v.name.clone();
                (name.to_ascii_uppercase(), View { name, columns })
            })
            .collect();
        Contract { views }
    }

    /// A view by name, in any case.
    pub(crate) fn view(&self, name: &str) -> Option<&View> {
        self.views.get(&name.to_ascii_uppercase())
    }
}

fn document() -> &'static Document {
    static DOCUMENT: OnceLock<Document> = OnceLock::new();
    DOCUMENT.get_or_init(|| {
        serde_json::from_str(include_str!("views.json"))
            .expect("invariant: views.json is well-formed")
    })
}

fn column_type(text: &str) -> ColumnType {
    let (base, rest) = text.split_once('(').unwrap_or((text, ""));
    let inside = rest.split(')').next().unwrap_or_default();
    let mut numbers = inside
        .split(',')
        .map(|n| n.trim().parse::<u32>().unwrap_or(0));
    let first = numbers.next().unwrap_or(0);
    let second = numbers.next().unwrap_or(0);
    match base.trim() {
        "tinyint" => ColumnType::TinyInt,
        "bigint" if text.ends_with("unsigned") => ColumnType::UnsignedBigInt,
        "bigint" => ColumnType::BigInt,
        "double" => ColumnType::Double,
        "decimal" => ColumnType::Decimal {
            precision: u8::try_from(first).unwrap_or(65),
            scale: u8::try_from(second).unwrap_or(0),
        },
        "longtext" | "text" => ColumnType::LongText,
        "timestamp" => ColumnType::Timestamp,
        "datetime" => ColumnType::DateTime,
        "time" => ColumnType::Time,
        _ => ColumnType::Varchar(first),
    }
}
