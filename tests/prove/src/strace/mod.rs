//! Watching and disturbing what a program does to its files, with `strace`.

mod calls;

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use calls::{Call, Outcome, bytes_in, calls, number, path_in};

/// The longest write that is recorded whole, in bytes: more than SQLite writes at once.
const WRITE_BYTES_MAX: usize = 1 << 20;

/// The calls that change files or make them durable, and those that would if they were used. `mmap` is among them since
/// what is written through memory is not seen.
const CALLS: &str = "open,openat,creat,pwrite64,write,writev,pwritev,pwritev2,ftruncate,truncate,fallocate,lseek,mmap,\
     copy_file_range,sendfile,fsync,fdatasync,sync_file_range,rename,renameat,renameat2,link,linkat,symlink,symlinkat,\
     unlink,unlinkat,mkdir,mkdirat,rmdir";

/// The call that SQLite reads with. It changes nothing, and is watched so that it can be made to fail.
const READING_CALL: &str = "pread64";

/// The files in a data directory.
const FILES: [&str; 11] = [
    "lock",
    "master.key",
    "master.key.new",
    "high-water.mark",
    "high-water.mark.new",
    "journal",
    "journal.new",
    "regrant.db",
    "regrant.db-journal",
    "regrant.db-wal",
    "regrant.db-shm",
];

/// A run of a program on a data directory that is recorded.
pub(crate) struct Recording {
    /// The data directory. Only calls on it, on what is in it, and on the directory above are seen.
    pub(crate) data: PathBuf,
    /// Where standard output goes; every line is a [`Event::Say`].
    pub(crate) said: PathBuf,
    /// Where strace writes.
    pub(crate) trace: PathBuf,
    /// What fails, as `strace -e inject=` wants it.
    pub(crate) injections: Vec<String>,
}

impl Recording {
    /// A recording of `data`, kept in `folder`.
    pub(crate) fn new(data: &Path, folder: &Path) -> Self {
        let (said, trace) = (folder.join("said"), folder.join("trace"));
        Self { data: data.to_owned(), said, trace, injections: Vec::new() }
    }

    /// The command that runs `program` and records it. Arguments, environment and standard input are the caller's.
    pub(crate) fn command(&self, program: &Path) -> Result<Command> {
        let said = File::create(&self.said).with_context(|| format!("cannot make {}", self.said.display()))?;
        let mut command = Command::new("strace");
        command.args(["-f", "--seccomp-bpf", "-qq", "-y", "-xx", "-s", &WRITE_BYTES_MAX.to_string()]);
        command.args(["-e", &format!("trace={CALLS},{READING_CALL}"), "-e", "signal=none"]);
        for injection in &self.injections {
            command.args(["-e", &format!("inject={injection}")]);
        }
        let above = self.data.parent().context("a data directory lies in another")?;
        let files = FILES.iter().map(|file| self.data.join(file));
        for path in files.chain([self.data.clone(), above.to_owned(), self.said.clone()]) {
            command.arg("-P").arg(path);
        }
        command.arg("-o").arg(&self.trace).arg("--").arg(program).stdout(Stdio::from(said));
        Ok(command)
    }

    /// Whether something was made to fail.
    pub(crate) fn has_injected(&self) -> Result<bool> {
        let trace = std::fs::read_to_string(&self.trace).context("strace left no trace")?;
        Ok(trace.contains("(INJECTED)"))
    }

    /// What the program did, in the order in which it took effect at the earliest; a sync at the latest.
    pub(crate) fn events(&self) -> Result<Vec<Event>> {
        let trace = std::fs::read_to_string(&self.trace).context("strace left no trace")?;
        let mut reader = Reader { recording: self, offsets: HashMap::new(), events: Vec::new() };
        for call in calls(&trace)? {
            reader
                .read(&call)
                .with_context(|| format!("in the trace: {}({})", call.name, abridged(&call.arguments)))?;
        }
        reader.events.sort_by_key(|(position, _)| *position);
        Ok(reader.events.into_iter().map(|(_, event)| event).collect())
    }
}

/// Something that a program did, and that succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A directory was made.
    MakeDirectory(PathBuf),
    /// A file was opened, and made if there was none.
    Create(PathBuf),
    /// Bytes were written.
    Write { path: PathBuf, offset: u64, bytes: Vec<u8> },
    /// The length was changed.
    Truncate { path: PathBuf, length: u64 },
    /// A name was given to another file.
    Rename { from: PathBuf, to: PathBuf },
    /// A name was removed.
    Remove(PathBuf),
    /// A file or directory was made durable: bytes, or the names in it.
    Sync(PathBuf),
    /// A file's bytes and length were. For names in a directory nobody promises that.
    SyncBytes(PathBuf),
    /// It was tried and failed.
    FailedSync(PathBuf),
    /// A line was written to standard output.
    Say(String),
}

struct Reader<'a> {
    recording: &'a Recording,
    /// Where the next `write` on a descriptor goes.
    offsets: HashMap<String, u64>,
    events: Vec<(usize, Event)>,
}

impl Reader<'_> {
    fn read(&mut self, call: &Call) -> Result<()> {
        let name = call.name.as_str();
        let path = |index: usize| call.arguments.get(index).context("an argument is missing").and_then(|a| path_in(a));
        if matches!(name, "fsync" | "fdatasync") {
            let path = path(0)?;
            match call.outcome {
                Outcome::Returned(_) if name == "fdatasync" => self.note(call.ended, Event::SyncBytes(path)),
                Outcome::Returned(_) => self.note(call.ended, Event::Sync(path)),
                // What is asked for again is still to be written.
                Outcome::Interrupted => {}
                Outcome::Failed => self.note(call.ended, Event::FailedSync(path)),
            }
            return Ok(());
        }
        let Outcome::Returned(returned) = call.outcome else { return Ok(()) };
        match name {
            "openat" => self.open(call, &path(1)?, returned),
            "mkdir" => self.note(call.began, Event::MakeDirectory(path(0)?)),
            "unlink" => self.note(call.began, Event::Remove(path(0)?)),
            "rename" => self.note(call.began, Event::Rename { from: path(0)?, to: path(1)? }),
            "ftruncate" => {
                let length = number(call.arguments.get(1))?;
                self.note(call.began, Event::Truncate { path: path(0)?, length });
            }
            "pwrite64" => {
                let offset = number(call.arguments.get(3))?;
                let bytes = bytes_in(call.arguments.get(1), returned)?;
                self.note(call.began, Event::Write { path: path(0)?, offset, bytes });
            }
            "write" => self.write(call, path(0)?, returned)?,
            "lseek" => {
                self.offsets.insert(descriptor(call).to_owned(), returned);
            }
            // The index of the write-ahead log is in memory, and made anew after a crash.
            "mmap" if path(4).is_ok_and(|path| !path.to_string_lossy().ends_with("-shm")) => {
                bail!("a file is mapped, and what is written to it would not be seen")
            }
            "mmap" | READING_CALL => {}
            _ => bail!("the model of a disk does not know this call"),
        }
        Ok(())
    }

    fn open(&mut self, call: &Call, path: &Path, descriptor: u64) {
        let flags = call.arguments.get(2).map_or("", String::as_str);
        self.offsets.insert(descriptor.to_string(), 0);
        if flags.contains("O_CREAT") {
            self.note(call.began, Event::Create(path.to_owned()));
        }
        if flags.contains("O_TRUNC") {
            self.note(call.began, Event::Truncate { path: path.to_owned(), length: 0 });
        }
    }

    fn write(&mut self, call: &Call, path: PathBuf, written: u64) -> Result<()> {
        let bytes = bytes_in(call.arguments.get(1), written)?;
        if path == self.recording.said {
            for line in String::from_utf8_lossy(&bytes).lines() {
                self.note(call.began, Event::Say(line.to_owned()));
            }
            return Ok(());
        }
        let position = self.offsets.entry(descriptor(call).to_owned()).or_default();
        let offset = *position;
        *position += written;
        self.note(call.began, Event::Write { path, offset, bytes });
        Ok(())
    }

    fn note(&mut self, position: usize, event: Event) {
        self.events.push((position, event));
    }
}

/// The descriptor of `12<path>`.
fn descriptor(call: &Call) -> &str {
    call.arguments.first().and_then(|argument| argument.split('<').next()).unwrap_or_default()
}

fn abridged(arguments: &[String]) -> String {
    arguments.iter().map(|argument| argument.chars().take(60).collect::<String>()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(trace: &str) -> Result<Vec<Event>> {
        let folder = tempfile::tempdir().unwrap();
        let recording = Recording {
            data: "/d".into(),
            said: "/said".into(),
            trace: folder.path().join("trace"),
            injections: Vec::new(),
        };
        std::fs::write(&recording.trace, trace).unwrap();
        recording.events()
    }

    #[test]
    fn a_write_counts_from_its_beginning_and_a_sync_from_its_end() {
        let trace = "\
7 openat(AT_FDCWD</>, \"\\x2f\\x64\\x2f\\x61\", O_RDWR|O_CREAT|O_CLOEXEC, 0600) = 3<\\x2f\\x64\\x2f\\x61>
8 fsync(3</d/a> <unfinished ...>
7 pwrite64(3</d/a>, \"\\x61\\x62\\x63\", 3, 512 <unfinished ...>
7 <... pwrite64 resumed>)           = 2
8 <... fsync resumed>)              = 0
7 fdatasync(3</d/a>)               = 0
7 write(1</said>, \"\\x6f\\x6b\\x0a\", 3) = 3
7 fsync(3</d/a>) = -1 EIO (Input/output error) (INJECTED)
7 pwrite64(3</d/a>, \"\\x61\", 1, 0) = -1 ENOSPC (No space left on device)
7 +++ exited with 0 +++
";
        let path = PathBuf::from("/d/a");
        let expected = [
            Event::Create(path.clone()),
            Event::Write { path: path.clone(), offset: 512, bytes: b"ab".to_vec() },
            Event::Sync(path.clone()),
            Event::SyncBytes(path.clone()),
            Event::Say("ok".to_owned()),
            Event::FailedSync(path),
        ];
        assert_eq!(events(trace).unwrap(), expected);
    }

    #[test]
    fn what_the_model_of_a_disk_does_not_know_is_an_error_and_not_passed_over() {
        assert!(events("7 pwritev(3</d/a>, [{iov_base=\"\", iov_len=0}], 1, 0) = 1\n").is_err());
        assert!(events("7 mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED, 3</d/a>, 0) = 0x7f00\n").is_err());
        assert!(events("7 mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED, 3</d/a-shm>, 0) = 0x7f00\n").is_ok());
    }
}
