use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::locked_file::{LockedFile, blocking};
use crate::{Credential, Storage, StorageError, StorageLock, Swap, Version};
use async_trait::async_trait;

/// A credential in a file that only its owner can read (0600, in a directory of 0700), shared by any number of processes.
///
/// A write goes to a temporary file in the same directory, which is synced and renamed over the old one, and the directory is
/// synced: whatever crashes, there is the old credential or the new one. Beside it lie `<file>.lock` for exchanges and
/// `<file>.write.lock` for writes, which are only ever locked, never written and never removed. What is there and is no
/// credential of this user alone (damaged, of a newer version, a link, somebody else's) is told, and never overwritten.
///
/// The lock does not reach across machines: a home directory on a network file system needs a server that honours `flock`.
///
/// ```
/// use regrant_client::{FileStorage, Storage};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let directory = tempfile::tempdir().unwrap();
/// let storage = FileStorage::new(directory.path().join("tokens/id.example.json"));
/// assert!(storage.load().await.unwrap().is_none());
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct FileStorage {
    file: LockedFile,
}

impl FileStorage {
    /// The credential in the file at `path`. Nothing is created before the first lock or write.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { file: LockedFile::new(path.into()) }
    }

    /// Where the credential is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }
}

#[async_trait]
impl Storage for FileStorage {
    async fn lock(&self, wait: Duration) -> Result<StorageLock, StorageError> {
        self.file.lock(wait).await
    }

    async fn load(&self) -> Result<Option<Credential>, StorageError> {
        let file = self.file.clone();
        blocking(move || read(&file)).await
    }

    async fn compare_and_swap(&self, seen: Option<Version>, new: Option<&Credential>) -> Result<Swap, StorageError> {
        let (file, new) = (self.file.clone(), new.map(|new| self.file.json(new)).transpose()?);
        let turn = file.lock_writes().await?;
        blocking(move || {
            if read(&file)?.as_ref().map(Credential::version) != seen {
                return Ok(Swap::Changed);
            }
            file.replace(&turn, new.as_ref().map(|new| new.as_slice())).map(|()| Swap::Done)
        })
        .await
    }
}

fn read(file: &LockedFile) -> Result<Option<Credential>, StorageError> {
    let Some(bytes) = file.read(Credential::BYTES_MAX)? else { return Ok(None) };
    let unreadable = |cause| StorageError::Unreadable { path: file.path().to_path_buf(), cause };
    Credential::from_json(&bytes).map(Some).map_err(unreadable)
}

#[cfg(test)]
#[cfg(unix)]
pub(crate) mod tests {
    use super::*;
    use crate::credential_file::CredentialError;
    use crate::private_file;
    use crate::{IssuerIdentifier, LineageId};
    use regrant_crypto::SeededEntropy;
    use regrant_protocol::{ClientId, Resources, Scope};
    use std::fs;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
    use std::os::unix::net::UnixListener;
    use tempfile::TempDir;

    fn storage() -> (TempDir, FileStorage) {
        let directory = tempfile::tempdir().unwrap();
        let storage = FileStorage::new(directory.path().join("regrant/token.json"));
        (directory, storage)
    }

    /// A credential that differs from every other by `failures`.
    pub(crate) fn credential(failures: u32) -> Credential {
        Credential {
            issuer: IssuerIdentifier::parse("https://id.example").unwrap(),
            client_id: ClientId::parse("TestApp").unwrap(),
            lineage: LineageId::generate(&SeededEntropy::new(1)),
            scope: Scope::empty(),
            resources: Resources::none(),
            access: None,
            narrowed: Vec::new(),
            dpop_key: None,
            refresh_token: None,
            clock_offset_milliseconds: 0,
            pending: None,
            not_before: None,
            failures,
            refused: None,
        }
    }

    fn directory(storage: &FileStorage) -> &Path {
        storage.path().parent().unwrap()
    }

    fn beside(storage: &FileStorage, ending: &str) -> PathBuf {
        format!("{}{ending}", storage.path().display()).into()
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[tokio::test]
    async fn only_its_owner_can_read_it_and_the_lock_stays_beside_it() {
        let (_directory, storage) = storage();
        drop(storage.lock(Duration::ZERO).await.unwrap());
        assert_eq!(storage.compare_and_swap(None, Some(&credential(1))).await, Ok(Swap::Done));
        assert_eq!(mode(directory(&storage)), 0o700);
        assert_eq!(mode(storage.path()), 0o600);
        assert_eq!(mode(&beside(&storage, ".lock")), 0o600);
        assert!(!beside(&storage, ".tmp").exists());
        fs::set_permissions(storage.path(), fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(storage.load().await, Err(StorageError::Exposed { mode: 0o640, .. })));
    }

    #[tokio::test]
    async fn a_write_needs_what_it_has_seen() {
        let (_directory, storage) = storage();
        let (first, second) = (credential(1), credential(2));
        for (seen, new, expected, kept) in [
            (Some(first.version()), Some(&first), Swap::Changed, None),
            (None, Some(&first), Swap::Done, Some(&first)),
            (None, Some(&second), Swap::Changed, Some(&first)),
            (Some(second.version()), None, Swap::Changed, Some(&first)),
            (Some(first.version()), Some(&second), Swap::Done, Some(&second)),
            (Some(second.version()), None, Swap::Done, None),
            (None, None, Swap::Done, None),
        ] {
            assert_eq!(storage.compare_and_swap(seen, new).await, Ok(expected), "{seen:?}");
            assert_eq!(storage.load().await.unwrap().as_ref(), kept);
        }
    }

    #[tokio::test]
    async fn an_unreadable_file_is_told_and_kept() {
        let (_directory, storage) = storage();
        private_file::create_directory(directory(&storage)).unwrap();
        let newer = r#"{"format":"regrant-credential","version":99}"#;
        for (text, expected) in [
            ("", CredentialError::Damaged { line: 1, column: 0 }),
            ("{\"format\":", CredentialError::Damaged { line: 1, column: 10 }),
            ("{}", CredentialError::Foreign),
            (newer, CredentialError::Newer(99)),
        ] {
            fs::write(storage.path(), text).unwrap();
            fs::set_permissions(storage.path(), fs::Permissions::from_mode(0o600)).unwrap();
            let unreadable = StorageError::Unreadable { path: storage.path().to_owned(), cause: expected };
            assert_eq!(storage.load().await, Err(unreadable.clone()), "{text:?}");
            assert_eq!(storage.compare_and_swap(None, Some(&credential(1))).await, Err(unreadable), "{text:?}");
            assert_eq!(fs::read_to_string(storage.path()).unwrap(), text);
        }
    }

    /// A credential whose JSON is longer than is read, and how long it is.
    pub(crate) fn too_long() -> (Credential, usize) {
        let refused = Some("x".repeat(Credential::BYTES_MAX));
        let credential = Credential { refused, ..credential(2) };
        let bytes = credential.to_json().len();
        (credential, bytes)
    }

    #[tokio::test]
    async fn what_would_not_be_read_again_is_not_written() {
        let (_directory, storage) = storage();
        assert_eq!(storage.compare_and_swap(None, Some(&credential(1))).await, Ok(Swap::Done));
        let (long, bytes) = too_long();
        let error = StorageError::TooLong { path: storage.path().to_owned(), bytes };
        let seen = Some(credential(1).version());
        assert_eq!(storage.compare_and_swap(seen, Some(&long)).await, Err(error));
        assert_eq!(storage.load().await.unwrap(), Some(credential(1)));
    }

    #[tokio::test]
    async fn what_is_no_file_of_its_own_is_told_and_kept() {
        type Arrange = fn(&Path);
        let cases: [(&str, Arrange, &str); 7] = [
            (
                "a link",
                |path| symlink("elsewhere.json", path).unwrap(),
                "is a symbolic link; nothing was read: give the path",
            ),
            ("a directory", |path| fs::create_dir(path).unwrap(), "is no regular file; nothing was read"),
            ("a socket", |path| drop(UnixListener::bind(path).unwrap()), "is no regular file; nothing was read"),
            (
                "another name",
                |path| fs::hard_link(path.with_file_name("elsewhere.json"), path).unwrap(),
                "has 2 names (hard links)",
            ),
            (
                "for all",
                |path| put(path, 0o644),
                "may be read or written by others (mode 644); nothing was read: run chmod 600",
            ),
            ("for the group", |path| put(path, 0o620), "may be read or written by others (mode 620); nothing was read"),
            (
                "too long",
                |path| fs::write(path, vec![b' '; Credential::BYTES_MAX + 1]).unwrap(),
                "longer than 262144 bytes",
            ),
        ];
        for (why, arrange, expected) in cases {
            let (_directory, storage) = storage();
            private_file::create_directory(directory(&storage)).unwrap();
            let elsewhere = storage.path().with_file_name("elsewhere.json");
            put(&elsewhere, 0o600);
            arrange(storage.path());
            if why == "too long" {
                fs::set_permissions(storage.path(), fs::Permissions::from_mode(0o600)).unwrap();
            }
            let before = fs::symlink_metadata(storage.path()).unwrap();

            let error = storage.load().await.unwrap_err();
            assert!(error.to_string().contains(expected), "{why}: {error}");
            assert!(error.to_string().contains("regrant/token.json"), "{why}: {error}");
            assert!(!error.is_temporary(), "{why}");
            assert_eq!(storage.compare_and_swap(None, Some(&credential(1))).await, Err(error.clone()), "{why}");
            assert_eq!(storage.compare_and_swap(None, None).await, Err(error), "{why}");
            let after = fs::symlink_metadata(storage.path()).unwrap();
            assert_eq!((before.ino(), before.mtime_nsec()), (after.ino(), after.mtime_nsec()), "{why}");
            assert_eq!(fs::read(&elsewhere).unwrap(), credential(7).to_json(), "{why}");
        }
    }

    #[tokio::test]
    async fn a_file_of_another_user_is_told_and_stays_theirs() {
        if rustix::process::geteuid().as_raw() != 0 {
            println!("only root can give a file away: not tried");
            return;
        }
        let (_directory, storage) = storage();
        private_file::create_directory(directory(&storage)).unwrap();
        put(storage.path(), 0o600);
        chown(storage.path(), Some(12_345), None).unwrap();
        let other = StorageError::OtherOwner { path: storage.path().to_owned(), owner: 12_345, user: 0 };
        assert_eq!(storage.load().await, Err(other.clone()));
        let seen = Some(credential(7).version());
        assert_eq!(storage.compare_and_swap(seen, Some(&credential(8))).await, Err(other));
        assert_eq!(fs::metadata(storage.path()).unwrap().uid(), 12_345);
        assert_eq!(fs::read(storage.path()).unwrap(), credential(7).to_json());
    }

    /// A good credential.
    fn put(path: &Path, mode: u32) {
        fs::write(path, credential(7).to_json()).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[tokio::test]
    async fn the_lock_is_the_systems_and_ends_with_its_guard() {
        let (_directory, storage) = storage();
        // A file that is there means nothing.
        private_file::create_directory(directory(&storage)).unwrap();
        fs::write(beside(&storage, ".lock"), "1234").unwrap();
        let held = storage.lock(Duration::ZERO).await.unwrap();
        let other = FileStorage::new(storage.path());
        let busy = StorageError::Busy(storage.path().to_owned());
        assert_eq!(other.lock(Duration::ZERO).await.map(drop), Err(busy));
        assert_eq!(
            storage.compare_and_swap(None, Some(&credential(1))).await,
            Ok(Swap::Done),
            "readers are not locked out"
        );
        drop(held);
        other.lock(Duration::ZERO).await.unwrap();
    }

    #[tokio::test]
    async fn what_a_crash_left_half_written_is_neither_read_nor_in_the_way() {
        let (_directory, storage) = storage();
        assert_eq!(storage.compare_and_swap(None, Some(&credential(1))).await, Ok(Swap::Done));
        fs::write(beside(&storage, ".tmp"), "{\"format\":\"regr").unwrap();
        assert_eq!(storage.load().await.unwrap(), Some(credential(1)));
        let seen = Some(credential(1).version());
        assert_eq!(storage.compare_and_swap(seen, Some(&credential(2))).await, Ok(Swap::Done));
        assert_eq!(storage.load().await.unwrap(), Some(credential(2)));
    }

    #[tokio::test]
    async fn a_directory_that_cannot_be_made_is_named() {
        let directory = tempfile::tempdir().unwrap();
        symlink("/dev/null", directory.path().join("home")).unwrap();
        let storage = FileStorage::new(directory.path().join("home/token.json"));
        let error = storage.compare_and_swap(None, Some(&credential(1))).await.unwrap_err();
        assert!(error.to_string().contains("home/token.json"), "{error}");
    }
}
