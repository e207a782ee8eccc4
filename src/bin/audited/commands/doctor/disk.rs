//! What files lie on.

use audited::{Filesystem, FilesystemKind};

use super::report::Report;

/// How little room is too little.
const LITTLE: u64 = 64 << 20;

/// Whether what is synced stays, and whether there is room for `wanted` bytes more.
pub(super) fn examine(filesystem: &Filesystem, wanted: u64, report: &mut Report) {
    let name = filesystem.name.as_deref().unwrap_or("of an unknown type");
    let mount = filesystem.mount.as_ref().map_or_else(String::new, |mount| format!(" at {}", mount.display()));
    let lies = format!("{name}{mount}");
    match filesystem.kind {
        FilesystemKind::Disk => report.ok("file system", lies),
        FilesystemKind::Memory => report.failure(
            "file system",
            format!("{lies}: it is in memory, and a sync there keeps nothing when the machine stops"),
            "put it on a disk",
        ),
        FilesystemKind::Layers => report.warning(
            "file system",
            format!("{lies}: layers of a container, which are gone with it"),
            "put it on a volume that outlives the container",
        ),
        FilesystemKind::Network => report.warning(
            "file system",
            format!("{lies}: on another machine, which may answer before it syncs, and where locks may not hold"),
            "put it on a disk of this machine, and deliver from there",
        ),
        _ => report.unknown("file system", format!("{lies}: what a sync means there is not known here")),
    }
    let reckless = ["nobarrier", "barrier=0", "fsync_mode=nobarrier", "sync=disabled", "nosync", "volatile"];
    if let Some(option) = filesystem.options.iter().find(|option| reckless.contains(&option.as_str())) {
        report.failure(
            "mount options",
            format!("it is mounted with {option}: a sync returns before the disk has what is synced"),
            format!("mount it without {option}"),
        );
    }
    if filesystem.options.iter().any(|option| option == "ro") {
        report.failure("mount options", "it is mounted read-only", "mount it for writing");
    }
    let free = filesystem.free_bytes;
    if free < wanted.min(LITTLE) {
        report.failure(
            "room",
            format!("{} are free", bytes(free)),
            "make room: records are refused when there is none",
        );
    } else if free < wanted {
        report.warning(
            "room",
            format!("{} are free, and {} may be needed soon", bytes(free), bytes(wanted)),
            "make room, or remove what is old by a retention",
        );
    } else {
        report.ok("room", format!("{} are free", bytes(free)));
    }
    if filesystem.free_files.is_some_and(|files| files < 1_000) {
        report.warning("room", "fewer than 1000 files can be made on it", "make room for files (inodes)");
    }
}

pub(super) fn bytes(bytes: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match UNITS.iter().find(|(size, _)| bytes >= *size) {
        Some((size, unit)) => {
            let tenths = u128::from(bytes) * 10 / u128::from(*size);
            format!("{}.{} {unit}", tenths / 10, tenths % 10)
        }
        None => format!("{bytes} bytes"),
    }
}
