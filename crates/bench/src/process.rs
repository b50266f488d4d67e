use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

/// The processes of a server: those that were named, and their descendants.
#[derive(Clone, Debug)]
pub struct Processes {
    roots: Vec<u32>,
}

/// What a process keeps in memory, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Now.
    pub resident: u64,
    /// The most so far.
    pub resident_max: u64,
}

/// There is no process of this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no process {0}, or it is not to be looked at")]
pub struct NoSuchProcess(pub u32);

impl Processes {
    /// These processes, which have to be there.
    ///
    /// # Errors
    /// [`NoSuchProcess`].
    pub fn new(roots: &[u32]) -> Result<Self, NoSuchProcess> {
        for &root in roots {
            stat(root).ok_or(NoSuchProcess(root))?;
        }
        Ok(Self { roots: roots.to_owned() })
    }

    /// The processor time that all of them have used, theirs and the kernel's for them. What one used that has ended since is not in it.
    #[must_use]
    pub fn cpu_time(&self) -> Duration {
        self.all().into_iter().filter_map(stat).map(|stat| stat.cpu_time).sum()
    }

    /// What all of them have in memory.
    #[must_use]
    pub fn memory(&self) -> Memory {
        let all =
            self.all().into_iter().filter_map(|process| fs::read_to_string(format!("/proc/{process}/status")).ok());
        all.map(|status| memory_in(&status)).fold(Memory::default(), |sum, one| Memory {
            resident: sum.resident + one.resident,
            resident_max: sum.resident_max + one.resident_max,
        })
    }

    fn all(&self) -> BTreeSet<u32> {
        let mut found: BTreeSet<u32> = self.roots.iter().copied().collect();
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let mut others: Vec<(u32, u32)> = numbers.filter_map(|number| Some((number, stat(number)?.parent))).collect();
        loop {
            let before = found.len();
            others.retain(|(number, parent)| {
                let is_ours = found.contains(parent);
                if is_ours {
                    found.insert(*number);
                }
                !is_ours
            });
            if found.len() == before {
                return found;
            }
        }
    }
}

/// The processor time that this process has used.
#[must_use]
pub fn cpu_time() -> Duration {
    stat(std::process::id()).map(|stat| stat.cpu_time).unwrap_or_default()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    cpu_time: Duration,
}

fn stat(process: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    parse_stat(&text, rustix::param::clock_ticks_per_second())
}

/// The line of `/proc/PID/stat` (proc_pid_stat(5)).
fn parse_stat(text: &str, ticks_per_second: u64) -> Option<Stat> {
    // The name of the program may have spaces and brackets in it.
    let (_, behind_name) = text.rsplit_once(')')?;
    let fields: Vec<&str> = behind_name.split_whitespace().collect();
    let number = |place: usize| fields.get(place)?.parse::<u64>().ok();
    // Fields 4, 14 and 15 of the line; the first behind the name is field 3.
    let (parent, user, system) = (number(1)?, number(11)?, number(12)?);
    let cpu_time = Duration::from_secs_f64((user + system) as f64 / ticks_per_second as f64);
    Some(Stat { parent: u32::try_from(parent).ok()?, cpu_time })
}

fn memory_in(status: &str) -> Memory {
    let bytes = |name: &str| {
        let value = status.lines().find_map(|line| line.strip_prefix(name)?.strip_suffix("kB"));
        value.and_then(|kilobytes| kilobytes.trim().parse::<u64>().ok()).unwrap_or(0) * 1024
    };
    Memory { resident: bytes("VmRSS:"), resident_max: bytes("VmHWM:") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_stat_is_read_behind_the_name() {
        let line = "7 (a) (b c) S 3 7 7 0 -1 4194560 1 0 0 0 250 150 9 9 20 0 1 0 5 1 1";
        assert_eq!(parse_stat(line, 100), Some(Stat { parent: 3, cpu_time: Duration::from_secs(4) }));
        assert_eq!(parse_stat("7 (a) S 3", 100), None);
        assert_eq!(parse_stat("", 100), None);
    }

    #[test]
    fn memory_is_read_in_bytes() {
        let status = "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n";
        assert_eq!(memory_in(status), Memory { resident: 1 << 20, resident_max: 2 << 20 });
        assert_eq!(memory_in("Name:\tkernel\n"), Memory::default());
    }

    #[test]
    fn this_process_uses_memory_and_another_number_is_nobody() {
        let own = Processes::new(&[std::process::id()]).unwrap();
        assert!(own.memory().resident > 0);
        assert_eq!(Processes::new(&[u32::MAX]).unwrap_err(), NoSuchProcess(u32::MAX));
    }
}
