//! What a path lies on: whether a sync means something there, and how much room there is.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// What a file or a directory lies on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Filesystem {
    /// The name of its type, such as `ext4`, where the system tells it.
    pub name: Option<String>,
    /// What that means for what is synced.
    pub kind: FilesystemKind,
    /// Where it is mounted.
    pub mount: Option<PathBuf>,
    /// The options that it is mounted with.
    pub options: Vec<String>,
    /// How many bytes an unprivileged process may still write.
    pub free_bytes: u64,
    /// How many files may still be made; `None` where it has no such bound.
    pub free_files: Option<u64>,
}

/// What a file system means for what is synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FilesystemKind {
    /// One on a disk of this machine, or what this machine takes for one.
    Disk,
    /// One in memory: a sync returns, and everything is lost with the machine.
    Memory,
    /// Layers, as of a container: what is written may go with it.
    Layers,
    /// One on another machine: what a sync means is that machine's affair, and locks may not hold.
    Network,
    /// One that is not known here.
    Unknown,
}

impl FilesystemKind {
    fn of(name: &str) -> Self {
        match name {
            "ext2" | "ext3" | "ext4" | "xfs" | "btrfs" | "zfs" | "f2fs" | "jfs" | "bcachefs" | "nilfs2"
            | "reiserfs" => Self::Disk,
            "tmpfs" | "ramfs" | "hugetlbfs" => Self::Memory,
            "overlay" | "aufs" | "unionfs" => Self::Layers,
            "nfs" | "nfs4" | "cifs" | "smb3" | "smbfs" | "ceph" | "glusterfs" | "lustre" | "afs" | "9p"
            | "virtiofs" | "gpfs" | "ocfs2" | "gfs2" => Self::Network,
            name if name.starts_with("fuse") => Self::Network,
            _ => Self::Unknown,
        }
    }
}

impl Filesystem {
    /// Asks the system about a path that exists.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let path = path.canonicalize()?;
        let room = rustix::fs::statvfs(&path)?;
        // It is not there on every system; the type is not known then.
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let mount = mounts.lines().filter_map(Mount::read).rfind(|mount| path.starts_with(&mount.at));
        let (name, mount, options) = match mount {
            Some(Mount { at, name, options }) => (Some(name), Some(at), options),
            None => (None, None, Vec::new()),
        };
        Ok(Self {
            kind: name.as_deref().map_or(FilesystemKind::Unknown, FilesystemKind::of),
            name,
            mount,
            options,
            free_bytes: room.f_bavail.saturating_mul(room.f_frsize),
            free_files: (room.f_files > 0).then_some(room.f_favail),
        })
    }
}

/// Whether what is open lies in memory, as the system says of it itself.
#[cfg(target_os = "linux")]
pub(crate) fn is_memory(open: &File) -> io::Result<bool> {
    // From `linux/magic.h`.
    const TMPFS: u32 = 0x0102_1994;
    let found = rustix::fs::fstatfs(open)?.f_type;
    Ok(u32::try_from(found).is_ok_and(|found| found == TMPFS))
}

/// Elsewhere none is known that does.
#[cfg(not(target_os = "linux"))]
pub(crate) fn is_memory(_: &File) -> io::Result<bool> {
    Ok(false)
}

/// A line of `mountinfo`. Of several that lie over each other, the last is what is seen; a deeper one comes later.
struct Mount {
    at: PathBuf,
    name: String,
    options: Vec<String>,
}

impl Mount {
    fn read(line: &str) -> Option<Self> {
        let (mount, device) = line.split_once(" - ")?;
        let mut mount = mount.split(' ').skip(4);
        let at = PathBuf::from(plain(mount.next()?));
        let own = mount.next()?;
        let mut device = device.split(' ');
        let name = device.next()?.to_owned();
        let all = own.split(',').chain(device.nth(1).unwrap_or_default().split(','));
        let options = all.filter(|option| !option.is_empty()).map(str::to_owned).collect();
        Some(Self { at, name, options })
    }
}

/// A path in `mountinfo` has its blanks in octal.
fn plain(escaped: &str) -> String {
    let mut path = escaped.to_owned();
    for (octal, char) in [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")] {
        path = path.replace(octal, char);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_mountinfo_is_read() {
        let line = "36 35 98:0 /mnt1 /mnt\\040two rw,noatime master:1 - ext3 /dev/root rw,errors=continue";
        let mount = Mount::read(line).unwrap();
        assert_eq!((mount.at.to_str(), mount.name.as_str()), (Some("/mnt two"), "ext3"));
        assert_eq!(mount.options, ["rw", "noatime", "rw", "errors=continue"]);
        assert!(Mount::read("").is_none());
    }

    #[test]
    fn what_is_there_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let found = Filesystem::of(directory.path()).unwrap();
        assert!(found.free_bytes > 0, "{found:?}");
        assert!(Filesystem::of(&directory.path().join("none")).is_err());
    }
}
