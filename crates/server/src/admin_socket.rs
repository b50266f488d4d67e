//! The socket in the data directory, by which commands reach the server that runs there.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use regrant_admin::Administration;
use regrant_data_directory::{DataDirectory, DataDirectoryError};
use regrant_engine::Door;
use rustix::process::geteuid;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;

use crate::request_id::name_requests;
use crate::serve::{TransportLimits, serve_all};

/// The name of the socket in the data directory.
pub const ADMIN_SOCKET: &str = "admin.sock";

/// The most commands that are answered at once; others wait.
pub const ADMIN_CONNECTIONS_MAX: u32 = 64;

/// The longest path that every system can bind a socket to.
const SOCKET_PATH_BYTES_MAX: usize = 100;

/// The socket of this process, in a data directory whose lock it holds. The file goes when this is dropped.
#[derive(Debug)]
pub struct AdminSocket {
    path: PathBuf,
}

/// A socket on which commands are answered.
pub(crate) struct ServedSocket {
    serving: JoinHandle<()>,
    _socket: AdminSocket,
}

impl ServedSocket {
    /// Waits until `stop` was ready and all commands that had begun have their answers, or had the time for it; then the file
    /// goes.
    pub(crate) async fn ended(self) {
        // Whatever stopped it: nobody is answered there any more.
        let _ = self.serving.await;
    }
}

impl AdminSocket {
    /// Listens in `directory`, and answers there until `stop` is ready.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn serve(
        directory: &Path,
        administration: Arc<Administration>,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<ServedSocket> {
        let (socket, listener) = Self::listen(directory)?;
        let service = name_requests(regrant_admin::router(administration, Door::Socket), Vec::new());
        let limits = TransportLimits { connections_max: ADMIN_CONNECTIONS_MAX, ..TransportLimits::default() };
        let serving = tokio::spawn(serve_all([listener], None, service, stop, limits));
        Ok(ServedSocket { serving, _socket: socket })
    }

    /// Listens on `admin.sock` in `directory`, for its owner only. One that another process has left there is replaced: as
    /// the caller holds the directory's lock, nobody listens on it.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn listen(directory: &Path) -> io::Result<(Self, UnixListener)> {
        let path = directory.join(ADMIN_SOCKET);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        // The directory lets nobody else in, from before the socket is there.
        let short = ShortPath::of(directory)?;
        let listener = UnixListener::bind(&short.path)?;
        let socket = Self { path };
        fs::set_permissions(&socket.path, Permissions::from_mode(0o600))?;
        Ok((socket, listener))
    }

    /// Connects to the server that listens in `directory`.
    ///
    /// # Errors
    /// When there is no socket, or nobody listens on it; and when directory or listener belong to another user, who would be told
    /// every password.
    pub async fn connect(directory: &Path) -> io::Result<UnixStream> {
        match DataDirectory::check_owner(directory) {
            Err(error @ DataDirectoryError::Owner { .. }) => {
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, error.to_string()));
            }
            Err(DataDirectoryError::Io { error, .. }) => return Err(error),
            Err(_) | Ok(()) => {}
        }
        let stream = UnixStream::connect(&ShortPath::of(directory)?.path).await?;
        let (theirs, ours) = (stream.peer_cred()?.uid(), geteuid().as_raw());
        if theirs == ours {
            return Ok(stream);
        }
        let refusal = format!(
            "user {theirs} answers there, and this is user {ours}; remove the socket, and see who could write to the directory"
        );
        Err(io::Error::new(io::ErrorKind::PermissionDenied, refusal))
    }
}

impl Drop for AdminSocket {
    fn drop(&mut self) {
        // Who finds one that nobody listens on knows what it means.
        let _ = fs::remove_file(&self.path);
    }
}

/// The path of the socket, or another that is short enough and leads to the same place while this lives.
struct ShortPath {
    path: PathBuf,
    _directory: Option<File>,
}

impl ShortPath {
    fn of(directory: &Path) -> io::Result<Self> {
        let path = directory.join(ADMIN_SOCKET);
        if path.as_os_str().len() <= SOCKET_PATH_BYTES_MAX {
            return Ok(Self { path, _directory: None });
        }
        let directory = File::open(directory)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd())).join(ADMIN_SOCKET);
        Ok(Self { path, _directory: Some(directory) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_is_for_its_owner_replaces_a_stale_one_and_goes() {
        let parent = tempfile::tempdir().unwrap();
        for directory in [parent.path().join("data"), parent.path().join("d".repeat(SOCKET_PATH_BYTES_MAX))] {
            fs::create_dir(&directory).unwrap();
            let path = directory.join(ADMIN_SOCKET);
            assert_eq!(AdminSocket::connect(&directory).await.unwrap_err().kind(), io::ErrorKind::NotFound);

            // As kill -9 leaves it.
            drop(std::os::unix::net::UnixListener::bind(&ShortPath::of(&directory).unwrap().path).unwrap());
            assert_eq!(AdminSocket::connect(&directory).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);

            let (socket, listener) = AdminSocket::listen(&directory).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            let (connected, accepted) = tokio::join!(AdminSocket::connect(&directory), listener.accept());
            assert!(connected.is_ok() && accepted.is_ok());
            if rustix::process::geteuid().is_root() {
                std::os::unix::fs::chown(&directory, Some(1000), None).unwrap();
                let refused = AdminSocket::connect(&directory).await.unwrap_err().to_string();
                assert!(refused.contains("sudo -u '#1000'"), "{refused}");
            }
            drop(socket);
            assert!(!path.exists());
        }
    }
}
