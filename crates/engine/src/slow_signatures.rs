use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::available_parallelism;

use regrant_crypto::{Algorithm, SigningKey, TokenTooLong, Typ};
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

/// Signs with RSA beside the threads that answer: a signature takes twenty times as long as one with ES256, and the many of
/// one commit would keep everybody else waiting. As many at once as there are processors, the others in turn; no more wait
/// than there are calls ([`crate::CALLS_MAX`]).
pub(crate) struct SlowSignatures(Arc<Mutex<Waiting>>);

/// What is to be signed, oldest first, and how many threads are at it. A thread goes on until nothing waits, so that nothing has
/// to be woken between two signatures.
struct Waiting {
    signatures: VecDeque<Box<dyn FnOnce() + Send>>,
    threads: usize,
    threads_max: usize,
}

impl SlowSignatures {
    pub(crate) fn new() -> Self {
        let threads_max = available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Mutex::new(Waiting { signatures: VecDeque::new(), threads: 0, threads_max })))
    }

    /// The JWS of `claims` (RFC 7515 §3.1).
    ///
    /// # Errors
    /// When it would be too large.
    pub(crate) async fn sign(&self, key: Arc<SigningKey>, typ: Typ, claims: Vec<u8>) -> Result<String, TokenTooLong> {
        match key.algorithm() {
            Algorithm::Es256 | Algorithm::EdDsa => key.sign(typ, &claims),
            Algorithm::Rs256 => {
                let (tell, told) = oneshot::channel();
                self.queue(Box::new(move || {
                    // Who asked may be gone, and the place of the call with them.
                    if !tell.is_closed() {
                        let _ = tell.send(key.sign(typ, &claims));
                    }
                }));
                told.await.expect("whatever is queued is signed")
            }
        }
    }

    fn queue(&self, signature: Box<dyn FnOnce() + Send>) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.signatures.push_back(signature);
        if waiting.threads < waiting.threads_max {
            waiting.threads += 1;
            let queue = Arc::clone(&self.0);
            spawn_blocking(move || while next(&queue).map(|sign| sign()).is_some() {});
        }
    }
}

/// The next that is to be signed; without any, one thread is at it less.
fn next(queue: &Mutex<Waiting>) -> Option<Box<dyn FnOnce() + Send>> {
    let mut waiting = queue.lock().unwrap_or_else(PoisonError::into_inner);
    let next = waiting.signatures.pop_front();
    waiting.threads -= usize::from(next.is_none());
    next
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn what_waits_is_done_in_turn_by_no_more_threads_than_there_are_processors() {
        let slow = SlowSignatures::new();
        let (begin, begun) = (mpsc::channel::<()>(), Arc::new(Mutex::new(0)));
        let (gate, done) = (Arc::new(Mutex::new(begin.1)), mpsc::channel());
        for number in 0..100 {
            let (gate, begun, done) = (Arc::clone(&gate), Arc::clone(&begun), done.0.clone());
            slow.queue(Box::new(move || {
                *begun.lock().unwrap() += 1;
                gate.lock().unwrap().recv().ok();
                done.send(number).unwrap();
            }));
        }
        let (threads, threads_max) = {
            let waiting = slow.0.lock().unwrap();
            (waiting.threads, waiting.threads_max)
        };
        assert_eq!(threads, threads_max);
        assert!(*begun.lock().unwrap() <= threads_max);
        drop(begin.0);
        let mut finished: Vec<u32> =
            tokio::task::spawn_blocking(move || (0..100).map(|_| done.1.recv().unwrap()).collect()).await.unwrap();
        finished.sort_unstable();
        assert_eq!(finished, (0..100).collect::<Vec<_>>());
    }
}
