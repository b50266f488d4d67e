//! A disk of which the power is cut: what was synced is there, what was not may be.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use regrant_crypto::{SeededEntropy, random};

use crate::strace::Event;

/// What a disk writes whole or not at all.
const SECTOR_BYTES: u64 = 512;

/// What becomes of writes that were not synced when the power went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// All are lost.
    All,
    /// None is lost, as when only the process dies.
    Nothing,
    /// Each by itself is lost or not, so that a later one may be there without an earlier.
    SomeWrites,
    /// Each sector of each is lost or not.
    SomeSectors,
    /// The later ones are there, the earlier are not.
    Earlier,
}

impl Loss {
    /// Every kind.
    pub(crate) const ALL: [Self; 5] = [Self::All, Self::Nothing, Self::SomeWrites, Self::SomeSectors, Self::Earlier];
}

/// A directory of files at a moment, with what of it is durable. Files and names are synced apart, as POSIX has it.
#[derive(Clone, Default)]
pub(crate) struct Disk {
    files: Vec<File>,
    names: Names,
    durable_names: Names,
    changes_of_names: Vec<ChangeOfName>,
}

type Names = BTreeMap<PathBuf, usize>;

#[derive(Clone, Default)]
struct File {
    durable: Vec<u8>,
    unsynced: Vec<Change>,
}

#[derive(Clone)]
enum Change {
    Write { offset: u64, bytes: Vec<u8> },
    Truncate(u64),
}

#[derive(Clone)]
enum ChangeOfName {
    Add(PathBuf, usize),
    Remove(PathBuf),
    Rename { from: PathBuf, to: PathBuf },
}

impl Disk {
    /// A disk on which `root` holds `files`, all of it durable.
    pub(crate) fn holding(root: &Path, files: &BTreeMap<PathBuf, Vec<u8>>) -> Self {
        let mut disk = Self::default();
        disk.files.push(File::default());
        disk.names.insert(root.to_owned(), 0);
        for (path, bytes) in files {
            disk.names.insert(path.clone(), disk.files.len());
            disk.files.push(File { durable: bytes.clone(), unsynced: Vec::new() });
        }
        disk.durable_names = disk.names.clone();
        disk
    }

    /// Does what the program did.
    pub(crate) fn apply(&mut self, event: &Event) {
        match event {
            Event::MakeDirectory(path) | Event::Create(path) => {
                if !self.names.contains_key(path) {
                    self.files.push(File::default());
                    self.change_name(ChangeOfName::Add(path.clone(), self.files.len() - 1));
                }
            }
            Event::Write { path, offset, bytes } => {
                self.change(path, Change::Write { offset: *offset, bytes: bytes.clone() });
            }
            Event::Truncate { path, length } => self.change(path, Change::Truncate(*length)),
            Event::Rename { from, to } => {
                self.change_name(ChangeOfName::Rename { from: from.clone(), to: to.clone() });
            }
            Event::Remove(path) => self.change_name(ChangeOfName::Remove(path.clone())),
            Event::Sync(path) => {
                self.sync_bytes(path);
                self.sync_names(path);
            }
            Event::SyncBytes(path) => self.sync_bytes(path),
            // The kernel has given up on these writes, and says nothing about them when it is asked again. Names are another matter: a
            // file system that cannot write its own blocks goes read-only, and what is asked for later fails too.
            Event::FailedSync(path) => {
                if let Some(&file) = self.names.get(path) {
                    self.files[file].unsynced.clear();
                }
            }
            Event::Say(_) => {}
        }
    }

    /// Whether anything would be lost if the power went now.
    pub(crate) fn is_in_doubt(&self) -> bool {
        let is_log_index = |path: &Path| path.to_string_lossy().ends_with("-shm");
        let mut files = self.names.iter().filter(|(path, _)| !is_log_index(path));
        !self.changes_of_names.is_empty() || files.any(|(_, &file)| !self.files[file].unsynced.is_empty())
    }

    /// The files below `root` as they may be found when the power is back; `None` when `root` itself is not there.
    pub(crate) fn after_power_cut(
        &self,
        root: &Path,
        loss: Loss,
        chance: &SeededEntropy,
    ) -> Option<BTreeMap<PathBuf, Vec<u8>>> {
        let names = self.names_after_power_cut(loss, chance);
        names.contains_key(root).then(|| {
            let files = names.iter().filter(|(path, _)| path.parent() == Some(root));
            files.map(|(path, &file)| (path.clone(), self.files[file].after_power_cut(loss, chance))).collect()
        })
    }

    /// Changes of names are kept or lost one by one; those of one name in their order.
    fn names_after_power_cut(&self, loss: Loss, chance: &SeededEntropy) -> Names {
        let mut names = self.durable_names.clone();
        let mut lost: HashSet<&Path> = HashSet::new();
        for change in &self.changes_of_names {
            let is_kept = match loss {
                Loss::All => false,
                Loss::Nothing => true,
                Loss::SomeWrites | Loss::SomeSectors | Loss::Earlier => coin(chance),
            };
            if is_kept && !change.paths().any(|path| lost.contains(path)) {
                change.apply(&mut names);
            } else {
                lost.extend(change.paths());
            }
        }
        names
    }

    fn change(&mut self, path: &Path, change: Change) {
        // A file without a name is gone when the power is.
        if let Some(&file) = self.names.get(path) {
            self.files[file].unsynced.push(change);
        }
    }

    fn change_name(&mut self, change: ChangeOfName) {
        change.apply(&mut self.names);
        self.changes_of_names.push(change);
    }

    fn sync_bytes(&mut self, path: &Path) {
        if let Some(&file) = self.names.get(path) {
            let file = &mut self.files[file];
            let unsynced = std::mem::take(&mut file.unsynced);
            unsynced.iter().for_each(|change| change.apply(&mut file.durable, |_| true));
        }
    }

    fn sync_names(&mut self, path: &Path) {
        let (synced, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.changes_of_names)
            .into_iter()
            .partition(|change| change.paths().all(|name| name.parent() == Some(path)));
        synced.iter().for_each(|change| change.apply(&mut self.durable_names));
        self.changes_of_names = rest;
    }
}

impl File {
    fn after_power_cut(&self, loss: Loss, chance: &SeededEntropy) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        let first_kept = match loss {
            Loss::Earlier => usize::from(random::<1>(chance)[0]) * self.unsynced.len() / 256,
            Loss::All | Loss::Nothing | Loss::SomeWrites | Loss::SomeSectors => 0,
        };
        for (index, change) in self.unsynced.iter().enumerate() {
            match loss {
                Loss::All => {}
                Loss::Nothing => change.apply(&mut bytes, |_| true),
                Loss::SomeWrites if coin(chance) => change.apply(&mut bytes, |_| true),
                Loss::SomeWrites => {}
                Loss::SomeSectors => change.apply(&mut bytes, |_| coin(chance)),
                Loss::Earlier if index >= first_kept => change.apply(&mut bytes, |_| true),
                Loss::Earlier => {}
            }
        }
        bytes
    }
}

impl Change {
    /// Does to `file` what is kept of the change. Between what was there and what is written beyond it, a file has zeros.
    fn apply(&self, file: &mut Vec<u8>, keeps_sector: impl Fn(u64) -> bool) {
        match self {
            Self::Truncate(length) if keeps_sector(0) => file.resize(index(*length), 0),
            Self::Truncate(_) => {}
            Self::Write { offset, bytes } => {
                let end = offset + bytes.len() as u64;
                let mut begin = *offset;
                while begin < end {
                    let sector = begin / SECTOR_BYTES;
                    let next = ((sector + 1) * SECTOR_BYTES).min(end);
                    if keeps_sector(sector) {
                        file.resize(file.len().max(index(next)), 0);
                        let piece = &bytes[index(begin - offset)..index(next - offset)];
                        file[index(begin)..index(next)].copy_from_slice(piece);
                    }
                    begin = next;
                }
            }
        }
    }
}

impl ChangeOfName {
    fn paths(&self) -> impl Iterator<Item = &Path> {
        let (first, second) = match self {
            Self::Add(path, _) | Self::Remove(path) => (path, None),
            Self::Rename { from, to } => (from, Some(to)),
        };
        [Some(first), second].into_iter().flatten().map(PathBuf::as_path)
    }

    fn apply(&self, names: &mut Names) {
        match self {
            Self::Add(path, file) => {
                names.insert(path.clone(), *file);
            }
            Self::Remove(path) => {
                names.remove(path);
            }
            Self::Rename { from, to } => {
                if let Some(file) = names.remove(from) {
                    names.insert(to.clone(), file);
                }
            }
        }
    }
}

fn coin(chance: &SeededEntropy) -> bool {
    random::<1>(chance)[0] & 1 == 1
}

fn index(offset: u64) -> usize {
    usize::try_from(offset).expect("a file of a test fits into memory")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(events: &[Event]) -> Disk {
        let mut disk = Disk::default();
        events.iter().for_each(|event| disk.apply(event));
        disk
    }

    fn path(text: &str) -> PathBuf {
        text.into()
    }

    fn write(path: &str, offset: u64, bytes: &[u8]) -> Event {
        Event::Write { path: path.into(), offset, bytes: bytes.to_vec() }
    }

    fn after(events: &[Event], loss: Loss, seed: u64) -> Option<BTreeMap<PathBuf, Vec<u8>>> {
        disk(events).after_power_cut(Path::new("/d"), loss, &SeededEntropy::new(seed))
    }

    /// `/d/a` is durable with `old`, then `new` was written over it.
    fn overwritten() -> Vec<Event> {
        let (d, a) = (path("/d"), path("/d/a"));
        vec![
            Event::MakeDirectory(d.clone()),
            Event::Create(a.clone()),
            write("/d/a", 0, &[b'o'; 1536]),
            Event::Sync(a),
            Event::Sync(d),
            Event::Sync(path("/")),
            write("/d/a", 0, &[b'n'; 1536]),
        ]
    }

    #[test]
    fn what_is_synced_survives_and_what_is_not_may_be_lost() {
        let content = |loss| after(&overwritten(), loss, 1).unwrap()[Path::new("/d/a")].clone();
        assert_eq!(content(Loss::All), [b'o'; 1536]);
        assert_eq!(content(Loss::Nothing), [b'n'; 1536]);
    }

    #[test]
    fn a_torn_write_keeps_whole_sectors() {
        let mut seen = HashSet::new();
        for seed in 0..64 {
            let content = after(&overwritten(), Loss::SomeSectors, seed).unwrap()[Path::new("/d/a")].clone();
            let sectors: Vec<u8> = content.chunks(512).map(|sector| sector[0]).collect();
            assert!(content.chunks(512).all(|sector| sector.iter().all(|byte| *byte == sector[0])));
            seen.insert(sectors);
        }
        assert_eq!(seen.len(), 8, "every combination of three sectors");
    }

    #[test]
    fn a_name_is_durable_once_its_directory_is_synced() {
        let mut events = vec![Event::MakeDirectory(path("/d")), Event::Create(path("/d/a")), Event::Sync(path("/d/a"))];
        assert_eq!(after(&events, Loss::All, 1), None, "the directory itself is not synced");
        events.push(Event::Sync(path("/")));
        assert_eq!(after(&events, Loss::All, 1).unwrap().len(), 0);
        events.push(Event::SyncBytes(path("/d")));
        assert_eq!(after(&events, Loss::All, 1).unwrap().len(), 0, "that promises nothing of the names in it");
        events.push(Event::Sync(path("/d")));
        assert_eq!(after(&events, Loss::All, 1).unwrap().len(), 1);
        events.push(Event::Rename { from: path("/d/a"), to: path("/d/b") });
        assert!(after(&events, Loss::All, 1).unwrap().contains_key(Path::new("/d/a")));
        assert!(after(&events, Loss::Nothing, 1).unwrap().contains_key(Path::new("/d/b")));
    }

    #[test]
    fn a_sync_after_a_failed_one_brings_nothing_back() {
        let mut events = overwritten();
        events.extend([Event::FailedSync(path("/d/a")), Event::Sync(path("/d/a"))]);
        let content = after(&events, Loss::Nothing, 1).unwrap()[Path::new("/d/a")].clone();
        assert_eq!(content, [b'o'; 1536]);
    }
}
