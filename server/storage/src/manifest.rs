//! Manifests: JSON objects that carry the sum of themselves.

use crate::{Dest, StorageError, checksum::blake3_hex, file::Existing};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// Field with the sum of the manifest without this field.
const SELF_SUM: &str = "self_blake3";

impl Dest {
    /// Writes `content` under a new key, with its own sum in field `self_blake3`.
    /// Fractions are refused, since they do not survive every reader; write them as text.
    pub fn put_manifest<T: Serialize>(&self, key: &str, content: &T) -> Result<(), StorageError> {
        self.write_whole(key, &self.encode(key, content)?, Existing::Keep)
    }

    /// [`Dest::put_manifest`] that takes the place of an earlier one.
    pub fn replace_manifest<T: Serialize>(
        &self,
        key: &str,
        content: &T,
    ) -> Result<(), StorageError> {
        self.write_whole(key, &self.encode(key, content)?, Existing::Replace)
    }

    /// Reads a manifest and checks its sum.
    pub fn get_manifest<T: DeserializeOwned>(&self, key: &str) -> Result<T, StorageError> {
        let bytes = self.get(key)?;
        decode(&bytes).map_err(|reason| StorageError::Corrupt {
            operation: "read manifest",
            what: self.name_of(key),
            reason,
        })
    }

    fn encode<T: Serialize>(&self, key: &str, content: &T) -> Result<Vec<u8>, StorageError> {
        encode(content).map_err(|reason| StorageError::Invalid {
            operation: "write manifest",
            what: self.name_of(key),
            reason,
        })
    }
}

fn encode<T: Serialize>(content: &T) -> Result<Vec<u8>, String> {
    let value = serde_json::to_value(content).map_err(|error| error.to_string())?;
    let Value::Object(mut fields) = value else {
        return Err("a manifest has named fields".to_owned());
    };
    let sum = blake3_hex(canonical(&fields)?.as_bytes());
    if fields
        .insert(SELF_SUM.to_owned(), Value::String(sum))
        .is_some()
    {
        return Err(format!("field {SELF_SUM} is written by itself"));
    }
    let mut text = serde_json::to_vec_pretty(&fields).map_err(|error| error.to_string())?;
    text.push(b'\n');
    Ok(text)
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let mut fields: Map<String, Value> =
        serde_json::from_slice(bytes).map_err(|error| format!("not a manifest: {error}"))?;
    let Some(Value::String(sum)) = fields.remove(SELF_SUM) else {
        return Err(format!("field {SELF_SUM} is missing"));
    };
    if blake3_hex(canonical(&fields)?.as_bytes()) != sum {
        return Err(format!("field {SELF_SUM} does not match the content"));
    }
    serde_json::from_value(Value::Object(fields)).map_err(|error| error.to_string())
}

/// Compact JSON with sorted names, whatever order the map keeps.
fn canonical(fields: &Map<String, Value>) -> Result<String, String> {
    let mut names: Vec<&String> = fields.keys().collect();
    names.sort_unstable();
    let parts = names.into_iter().map(|name| {
        Ok(format!(
            "{}:{}",
            Value::String(name.clone()),
            canonical_value(&fields[name])?
        ))
    });
    Ok(format!(
        "{{{}}}",
        parts.collect::<Result<Vec<_>, String>>()?.join(",")
    ))
}

fn canonical_value(value: &Value) -> Result<String, String> {
    match value {
        Value::Object(fields) => canonical(fields),
        Value::Array(items) => {
            let items = items
                .iter()
                .map(canonical_value)
                .collect::<Result<Vec<_>, _>>()?;
            Ok(format!("[{}]", items.join(",")))
        }
        Value::Number(number) if number.is_f64() => Err(format!(
            "the fraction {number} has no exact form in a manifest"
        )),
        plain => Ok(plain.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Sample {
        name: String,
        scn: u64,
        note: Option<String>,
        files: Vec<(String, i64)>,
    }

    fn sample() -> Sample {
        Sample {
            name: "a \"quoted\" näme".to_owned(),
            scn: u64::MAX,
            note: None,
            files: vec![("x".to_owned(), -1), ("y".to_owned(), 2)],
        }
    }

    #[test]
    fn any_changed_byte_of_a_manifest_is_noticed() {
        let dest = Dest::memory();
        dest.put_manifest("set.json", &sample()).unwrap();
        assert_eq!(dest.get_manifest::<Sample>("set.json").unwrap(), sample());

        let bytes = dest.get("set.json").unwrap();
        let spared: Vec<usize> = (0..bytes.len())
            .filter(|at| {
                let mut damaged = bytes.clone();
                damaged[*at] ^= 1;
                dest.replace("set.json", &damaged).unwrap();
                match dest.get_manifest::<Sample>("set.json") {
                    // Only white space may change without harm.
                    Ok(read) => {
                        assert_eq!(read, sample());
                        true
                    }
                    Err(error) => {
                        assert!(matches!(error, StorageError::Corrupt { .. }), "{error}");
                        assert!(error.to_string().contains("set.json"), "{error}");
                        false
                    }
                }
            })
            .collect();
        assert!(
            spared.iter().all(|at| bytes[*at].is_ascii_whitespace()),
            "{spared:?}"
        );
    }

    #[test]
    fn order_and_layout_do_not_matter_to_the_sum() {
        let dest = Dest::memory();
        dest.put_manifest("a.json", &sample()).unwrap();
        let value: Value = serde_json::from_slice(&dest.get("a.json").unwrap()).unwrap();
        let fields = value.as_object().unwrap();
        let reversed: Vec<String> = fields
            .iter()
            .rev()
            .map(|(name, value)| format!("{name:?} : {value}"))
            .collect();
        dest.put("b.json", format!("{{{}}}", reversed.join(",\n")).as_bytes())
            .unwrap();
        assert_eq!(dest.get_manifest::<Sample>("b.json").unwrap(), sample());
    }

    #[test]
    fn what_has_no_exact_form_is_refused() {
        let dest = Dest::memory();
        for content in [
            serde_json::json!({"rate": 0.1}),
            serde_json::json!([1]),
            serde_json::json!({"self_blake3": "x"}),
        ] {
            let error = dest.put_manifest("m.json", &content).unwrap_err();
            assert!(matches!(error, StorageError::Invalid { .. }), "{error}");
        }
        assert!(dest.get("m.json").unwrap_err().is_not_found());
    }
}
