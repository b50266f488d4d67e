use std::io;

use anyhow::{Context, Result, ensure};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// On which processors server and load run.
pub(super) struct Processors {
    /// Those of each; `None` where the kernel puts both wherever it likes, as it would a server and whatever else runs beside it.
    apart: Option<Apart>,
}

/// The load has one for itself, and the server the others.
struct Apart {
    server: CpuSet,
    load: CpuSet,
}

impl Processors {
    /// Shared, or apart where that is asked for.
    ///
    /// # Errors
    /// When there is only one processor to share.
    pub(super) fn choose(apart: bool) -> Result<Self> {
        if !apart {
            return Ok(Self { apart: None });
        }
        let all = sched_getaffinity(None).context("the processors of this process")?;
        let numbers: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|number| all.is_set(*number)).collect();
        ensure!(numbers.len() > 1, "--pin needs two processors, and this process may use one");
        let (mut server, mut load) = (CpuSet::new(), CpuSet::new());
        for number in &numbers[..numbers.len() - 1] {
            server.set(*number);
        }
        load.set(numbers[numbers.len() - 1]);
        let chosen = Self { apart: Some(Apart { server, load }) };
        chosen.take(false)?;
        Ok(chosen)
    }

    /// Starts a server where servers run: a child begins where its parent is.
    pub(super) fn for_server<T>(&self, start: impl FnOnce() -> Result<T>) -> Result<T> {
        self.take(true)?;
        let started = start();
        self.take(false)?;
        started
    }

    /// In words.
    pub(super) fn describe(&self) -> String {
        match &self.apart {
            None => "server and load share all processors".to_owned(),
            Some(Apart { server, load }) => {
                format!("the server has {} of the processors, the load {}", server.count(), load.count())
            }
        }
    }

    fn take(&self, as_server: bool) -> io::Result<()> {
        match &self.apart {
            None => Ok(()),
            Some(Apart { server, load }) => Ok(sched_setaffinity(None, if as_server { server } else { load })?),
        }
    }
}
