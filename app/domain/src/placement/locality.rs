//! How a cluster writes replicas and priorities: `FULL{1}@zone1, READONLY{1}@zone2` and `zone1;zone2,zone3`.

use super::ReplicaType;

/// Reads a locality; a zone written in a way that is not known is left out.
pub fn read_locality(text: &str) -> Vec<(String, ReplicaType)> {
    let mut zones = Vec::new();
    for part in text.split(',') {
        let Some((kind, zone)) = part.trim().split_once('@') else {
            continue;
        };
        let kind = kind.split('{').next().unwrap_or_default().trim();
        let replica = match kind.to_ascii_uppercase().as_str() {
            "FULL" | "F" => ReplicaType::Full,
            "READONLY" | "R" => ReplicaType::ReadOnly,
            "LOGONLY" | "L" => ReplicaType::LogOnly,
            _ => continue,
        };
        zones.push((zone.trim().to_owned(), replica));
    }
    zones
}

/// Reads `zone1;zone2,zone3`; `RANDOM` and nothing leave it to the cluster.
pub fn read_priority(text: &str) -> Vec<Vec<String>> {
    if text.trim().eq_ignore_ascii_case("RANDOM") {
        return Vec::new();
    }
    let group = |text: &str| {
        let zones = text.split(',').map(|zone| zone.trim().to_owned());
        zones.filter(|zone| !zone.is_empty()).collect()
    };
    let groups = text.split(';').map(group);
    groups
        .filter(|group: &Vec<String>| !group.is_empty())
        .collect()
}
