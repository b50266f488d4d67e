use std::fs;

use crate::Postgres;
use crate::postgres::{as_postgres, data, folder_for_server, folder_of_postgres};
use crate::server::run;

/// Where the archived log is in the folder of a server.
const ARCHIVE: &str = "archive";

/// Where the copy of the server is.
const BASE: &str = "base";

/// A server as of any moment: a copy of it, and the log that it has archived since.
impl Postgres {
    /// Starts one that archives its log.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start_archiving() -> Self {
        let folder = folder_of_postgres();
        let archive = folder_for_server(folder.path(), ARCHIVE);
        let settings = ["archive_mode=on".to_owned(), format!("archive_command=cp %p {}/%f", archive.display())];
        Self::start_in(folder, |_| settings.to_vec())
    }

    /// Copies the whole server, while it goes on.
    ///
    /// # Panics
    /// When that fails.
    pub fn copy_base(&self) {
        let mut copying = as_postgres("pg_basebackup");
        copying.args(["--wal-method=none", "--no-manifest", "--checkpoint=fast", "--no-sync", "-U", "postgres"]);
        copying.arg("-h").arg(self.socket_folder()).args(["-p", &self.port().to_string()]);
        run(copying.arg("-D").arg(folder_for_server(self.folder(), BASE)));
    }

    /// Gives this moment a name, to which the server can be put back. Returns when the archive goes so far.
    ///
    /// # Panics
    /// When the server does not archive.
    pub fn name_moment(&self, name: &str) {
        self.sql(&format!("SELECT pg_create_restore_point('{name}')"));
        let file = self.sql("SELECT pg_walfile_name(pg_switch_wal())");
        self.wait_until(&format!("SELECT last_archived_wal >= '{}' FROM pg_stat_archiver", file.trim()));
    }

    /// Stops the server, puts the copy in its place, and starts that as of the moment of this name: what was committed later is gone.
    ///
    /// # Panics
    /// When that fails.
    pub fn go_back_to(&mut self, name: &str) {
        self.crash();
        let (data, base) = (data(self.folder()), self.folder().join(BASE));
        fs::remove_dir_all(&data).expect("the folder is ours");
        fs::rename(base, &data).expect("the folder is ours");
        fs::write(data.join("recovery.signal"), "").expect("the folder is ours");
        let archive = self.folder().join(ARCHIVE);
        self.restart_with(&[
            format!("restore_command=cp {}/%f %p", archive.display()),
            format!("recovery_target_name={name}"),
            "recovery_target_action=promote".to_owned(),
            // Or it would say that it listens before it has come there.
            "hot_standby=off".to_owned(),
        ]);
    }
}
