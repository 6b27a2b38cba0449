//! What the machine says about accounts and mounts, so that a refusal can name the way forward.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Longest system table that is read.
const TABLE_BYTES_MAX: usize = 1 << 20;

/// The mount point at or above `path` that the machine is told to mount and that is not mounted.
pub(crate) fn missing_mount(path: &Path) -> Option<PathBuf> {
    let wanted = read("/etc/fstab")?;
    let mounted = read("/proc/self/mounts")?;
    unmounted(path, &wanted, &mounted)
}

fn read(table: &str) -> Option<String> {
    let text = fs::read_to_string(table).ok()?;
    (text.len() <= TABLE_BYTES_MAX).then_some(text)
}

fn unmounted(path: &Path, wanted: &str, mounted: &str) -> Option<PathBuf> {
    // Something mounted farther down is where the files go, whatever is above it.
    let is_mounted =
        |point: &Path| points(mounted).any(|it| it.starts_with(point) && path.starts_with(it));
    points(wanted)
        .filter(|point| point.is_absolute() && path.starts_with(point) && !is_mounted(point))
        .max_by_key(|point| point.components().count())
}

/// Second column of a table of mounts; spaces in it are written as `\040`.
fn points(table: &str) -> impl Iterator<Item = PathBuf> + '_ {
    table
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .filter_map(|line| line.split_whitespace().nth(1))
        .map(|point| PathBuf::from(point.replace("\\040", " ").replace("\\011", "\t")))
}

/// `backup (1000)`, or the number alone where the account has no name.
pub(crate) fn account(uid: u32) -> String {
    named(uid, &read("/etc/passwd").unwrap_or_default())
}

fn named(uid: u32, accounts: &str) -> String {
    let name = accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then_some(name)
    });
    match name {
        Some(name) => format!("{name} ({uid})"),
        None => uid.to_string(),
    }
}

/// The account this process acts as.
pub(crate) fn own_account() -> String {
    account(rustix::process::geteuid().as_raw())
}

/// `mode 0755, owned by root (0)`, where that can be seen.
pub(crate) fn rights(path: &Path) -> Option<String> {
    let found = fs::metadata(path).ok()?;
    Some(format!(
        "mode {:04o}, owned by {}",
        found.mode() & 0o7777,
        account(found.uid())
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_that_should_be_there_and_is_not_is_named() {
        let wanted = "# devices\n/dev/sdb1 /mnt/backup ext4 defaults 0 2\n\
                      server:/x /mnt/two\\040words nfs defaults 0 0\nUUID=1 / ext4 defaults 0 1\n\
                      /dev/sdc none swap sw 0 0\n";
        let mounted = "/dev/sda1 / ext4 rw 0 0\n";
        let missing = |path: &str| unmounted(Path::new(path), wanted, mounted);
        assert_eq!(missing("/mnt/backup/a/b"), Some("/mnt/backup".into()));
        assert_eq!(missing("/mnt/backup"), Some("/mnt/backup".into()));
        assert_eq!(missing("/mnt/two words/a"), Some("/mnt/two words".into()));
        assert_eq!(missing("/mnt/backups"), None);
        assert_eq!(missing("/srv"), None);
        let below = format!("{mounted}/dev/sdc1 /mnt/backup/a ext4 rw 0 0\n");
        let missing = |path: &str| unmounted(Path::new(path), wanted, &below);
        assert_eq!(missing("/mnt/backup/a/b"), None);
        assert_eq!(missing("/mnt/backup/c"), Some("/mnt/backup".into()));
        let all = format!("{mounted}/dev/sdb1 /mnt/backup ext4 rw 0 0\n");
        assert_eq!(unmounted(Path::new("/mnt/backup/a"), wanted, &all), None);
    }

    #[test]
    fn accounts_are_named_where_they_have_a_name() {
        let accounts = "root:x:0:0:root:/root:/bin/sh\nbackup:x:34:34:backup:/var:/bin/sh\n";
        assert_eq!(named(34, accounts), "backup (34)");
        assert_eq!(named(35, accounts), "35");
        let temp = tempfile::tempdir().unwrap();
        let mode = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o2750);
        fs::set_permissions(temp.path(), mode).unwrap();
        let told = rights(temp.path()).unwrap();
        assert!(told.starts_with("mode 2750, owned by "), "{told}");
    }
}
