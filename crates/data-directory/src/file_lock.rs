//! The lock of a file, which the kernel ends with the process that has it.

use std::fs::{File, TryLockError};
use std::thread;
use std::time::Duration;

/// How often the lock is tried, and how long after one another.
const LOCK_TRIES: u32 = 20;
const LOCK_TRIED_EVERY: Duration = Duration::from_millis(5);

/// Takes the lock. A program that another thread starts has what we have closed, lock included, until it runs.
///
/// # Errors
/// As [`File::try_lock`], when somebody has it for longer than that takes.
pub(crate) fn take_lock(file: &File) -> Result<(), TryLockError> {
    take_lock_between(file, || thread::sleep(LOCK_TRIED_EVERY))
}

fn take_lock_between(file: &File, mut pause: impl FnMut()) -> Result<(), TryLockError> {
    for _ in 1..LOCK_TRIES {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => pause(),
            done => return done,
        }
    }
    file.try_lock()
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    #[test]
    fn a_lock_that_is_given_up_soon_is_waited_for_and_another_is_not() -> Result<(), Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("lock");
        let [held, wanted] = [File::create(&path)?, File::open(&path)?];
        held.try_lock()?;
        let mut pauses = 0;
        let taken = take_lock_between(&wanted, || pauses += 1);
        assert!(matches!(taken, Err(TryLockError::WouldBlock)));
        assert_eq!(pauses, LOCK_TRIES - 1);

        let mut held = Some(held);
        take_lock_between(&wanted, || drop(held.take()))?;
        Ok(())
    }
}
