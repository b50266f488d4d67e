use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;

use regrant_crypto::{Algorithm, SigningKey, TokenTooLong, Typ};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::spawn_blocking;

use crate::{CALLS_MAX, Overloaded};

/// The most signatures for each processor that wait when another call is let in, while more are asked for than are made: some 20 ms
/// of work.
pub const SIGNATURES_WAITING_MAX: usize = 64;

/// The most of them on any number of processors: fewer than there are calls, so that others have room.
const SIGNATURES_WAITING_MAX_IN_ALL: usize = CALLS_MAX / 2;

/// Signs with RSA beside the threads that answer: a signature takes twenty times as long as one with ES256, and the many of
/// one commit would keep everybody else waiting. As many at once as there are processors, the others in turn; no more wait
/// than there are calls ([`CALLS_MAX`]).
///
/// A burst waits its turn: it ends. A queue that does not would only make every answer late, so
/// [`SlowSignatures::find_room`] turns calls away then. It counts what waits and not who is still in the store: were they to have
/// places, the queue would run dry while the store takes its time, and that looks like the end of a burst.
pub(crate) struct SlowSignatures {
    waiting: Arc<Mutex<Waiting>>,
    /// One for each who asks, until they are told or gone.
    askers: Semaphore,
}

/// What is to be signed, oldest first, and how many threads are at it. A thread goes on until nothing waits, so that nothing has
/// to be woken between two signatures.
struct Waiting {
    signatures: VecDeque<Signature>,
    /// How many were taken since a thread last found none.
    taken_in_a_row: usize,
    threads: usize,
    threads_max: usize,
}

type Signed = Result<String, TokenTooLong>;

struct Signature {
    make: Box<dyn FnOnce() -> Signed + Send>,
    tell: oneshot::Sender<Signed>,
}

impl SlowSignatures {
    pub(crate) fn new() -> Self {
        let threads_max = available_parallelism().map_or(1, usize::from);
        let waiting = Waiting { signatures: VecDeque::new(), taken_in_a_row: 0, threads: 0, threads_max };
        Self { waiting: Arc::new(Mutex::new(waiting)), askers: Semaphore::new(CALLS_MAX) }
    }

    /// Lets a call in that may need one of these signatures, to be asked before its grant is looked at.
    ///
    /// # Errors
    /// [`Overloaded::Signatures`], when as many as [`CALLS_MAX`] were taken since a thread last found none to be made, and
    /// [`SIGNATURES_WAITING_MAX`] for each processor wait.
    pub(crate) fn find_room(&self) -> Result<(), Overloaded> {
        if lock(&self.waiting).is_full() { Err(Overloaded::Signatures) } else { Ok(()) }
    }

    /// The JWS of `claims` (RFC 7515 §3.1).
    ///
    /// # Errors
    /// When it would be too large.
    pub(crate) async fn sign(&self, key: Arc<SigningKey>, typ: Typ, claims: Vec<u8>) -> Signed {
        if is_slow(key.algorithm()) {
            self.in_turn(Box::new(move || key.sign(typ, &claims))).await
        } else {
            key.sign(typ, &claims)
        }
    }

    async fn in_turn(&self, make: Box<dyn FnOnce() -> Signed + Send>) -> Signed {
        let _asker = self.askers.acquire().await.expect("nobody closes it");
        let (tell, told) = oneshot::channel();
        self.queue(Signature { make, tell });
        told.await.expect("whatever is queued is signed")
    }

    fn queue(&self, signature: Signature) {
        let mut waiting = lock(&self.waiting);
        if waiting.signatures.len() >= CALLS_MAX {
            // There are no more who ask, so some of them are gone.
            waiting.signatures.retain(|signature| !signature.tell.is_closed());
        }
        waiting.signatures.push_back(signature);
        if waiting.threads < waiting.threads_max {
            waiting.threads += 1;
            let queue = Arc::clone(&self.waiting);
            spawn_blocking(move || while next(&queue).map(Signature::sign).is_some() {});
        }
    }
}

impl Waiting {
    fn is_full(&self) -> bool {
        let waiting_max = (SIGNATURES_WAITING_MAX * self.threads_max).min(SIGNATURES_WAITING_MAX_IN_ALL);
        self.taken_in_a_row >= CALLS_MAX && self.signatures.len() >= waiting_max
    }
}

impl Signature {
    fn sign(self) {
        let Self { make, tell } = self;
        // Who asked may be gone, and the place of the call with them.
        if tell.is_closed() {
            return;
        }
        // A panic is theirs who asked for this one, and not of those who wait behind it.
        if let Ok(signed) = catch_unwind(AssertUnwindSafe(make)) {
            let _ = tell.send(signed);
        }
    }
}

/// Whether a signature with it waits its turn.
pub(crate) const fn is_slow(algorithm: Algorithm) -> bool {
    match algorithm {
        Algorithm::Es256 | Algorithm::EdDsa => false,
        Algorithm::Rs256 => true,
    }
}

/// The next that is to be signed; without any, one thread is at it less.
fn next(queue: &Mutex<Waiting>) -> Option<Signature> {
    let mut waiting = lock(queue);
    let next = waiting.signatures.pop_front();
    if next.is_some() {
        waiting.taken_in_a_row = waiting.taken_in_a_row.saturating_add(1);
    } else {
        waiting.taken_in_a_row = 0;
        waiting.threads -= 1;
    }
    next
}

fn lock(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    // Whatever is done under it leaves nothing half done.
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use regrant_grant::GrantId;
    use regrant_protocol::Scope;
    use regrant_store::{AccessTokenFormat, IdTokenAlgorithm};

    use super::*;
    use crate::TokenError;
    use crate::world::World;

    /// Puts what is to be done in the queue, for somebody who waits for it as long as they keep what is returned.
    fn queue(slow: &SlowSignatures, make: impl FnOnce() + Send + 'static) -> oneshot::Receiver<Signed> {
        let (tell, told) = oneshot::channel();
        let make = Box::new(move || {
            make();
            Ok(String::new())
        });
        slow.queue(Signature { make, tell });
        told
    }

    #[tokio::test]
    async fn what_waits_is_done_in_turn_by_no_more_threads_than_there_are_processors() {
        let slow = SlowSignatures::new();
        let (begin, begun) = (mpsc::channel::<()>(), Arc::new(Mutex::new(0)));
        let (gate, done) = (Arc::new(Mutex::new(begin.1)), mpsc::channel());
        let mut askers = Vec::new();
        for number in 0..100 {
            let (gate, begun, done) = (Arc::clone(&gate), Arc::clone(&begun), done.0.clone());
            askers.push(queue(&slow, move || {
                *begun.lock().unwrap() += 1;
                gate.lock().unwrap().recv().ok();
                done.send(number).unwrap();
            }));
        }
        let (threads, threads_max) = {
            let waiting = slow.waiting.lock().unwrap();
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

    #[tokio::test]
    async fn a_burst_waits_its_turn_and_a_queue_that_does_not_end_is_kept_short() {
        let max = SIGNATURES_WAITING_MAX;
        for (threads, few) in [(1, max), (2, 2 * max), (64, SIGNATURES_WAITING_MAX_IN_ALL)] {
            let slow = SlowSignatures::new();
            {
                // All threads are busy, so that only what is taken here is taken.
                let mut waiting = lock(&slow.waiting);
                (waiting.threads, waiting.threads_max) = (threads, threads);
            }
            let _burst: Vec<_> = (0..CALLS_MAX).map(|_| queue(&slow, || {})).collect();
            for taken in 0..CALLS_MAX {
                assert_eq!(slow.find_room(), Ok(()), "a burst, of which {taken} were taken");
                assert!(next(&slow.waiting).is_some());
                lock(&slow.waiting).signatures.push_back(nobodys());
            }
            while lock(&slow.waiting).signatures.len() >= few {
                assert_eq!(slow.find_room(), Err(Overloaded::Signatures), "{threads} threads");
                assert!(next(&slow.waiting).is_some());
            }
            assert_eq!(slow.find_room(), Ok(()), "{threads} threads, fewer than {few} wait");

            while next(&slow.waiting).is_some() {}
            lock(&slow.waiting).signatures.extend((0..few).map(|_| nobodys()));
            assert_eq!(slow.find_room(), Ok(()), "another burst");
        }
    }

    /// A signature that somebody wanted who has gone.
    fn nobodys() -> Signature {
        Signature { make: Box::new(|| Ok(String::new())), tell: oneshot::channel().0 }
    }

    #[tokio::test]
    async fn while_the_queue_is_too_long_calls_that_may_need_it_hear_so_before_anything_is_done() {
        let mut world = World::new().await;
        world.server.make_rs256_key().await.unwrap();
        let given = world.redeem(&world.code().await, "").await.unwrap();
        let code = world.code_of(|birth| birth.id = GrantId([5; 16])).await;
        let listener = world.listen();
        let slow = &world.server.slow_signatures;
        {
            let mut waiting = lock(&slow.waiting);
            (waiting.threads_max, waiting.taken_in_a_row) = (1, CALLS_MAX);
            waiting.signatures.extend((0..SIGNATURES_WAITING_MAX).map(|_| nobodys()));
        }
        let refused = Err(TokenError::Overloaded(Overloaded::Signatures));

        world.change(|settings| settings.access_token_format = AccessTokenFormat::JwtRs256).await;
        assert_eq!(world.refresh(&given, "").await, refused);
        assert_eq!(world.redeem(&code, "").await, refused);
        world.change(|settings| settings.id_token_algorithm = IdTokenAlgorithm::Rs256).await;
        assert_eq!(world.refresh(&given, "&scope=openid").await, refused);
        assert_eq!(world.redeem(&code, "").await, refused);
        assert_eq!(listener.heard(), [""; 0], "who is turned away is no event");
        assert_eq!(world.server.turned_away(), [0, 0, 4]);

        let next = world.refresh(&given, "").await.unwrap();
        assert!(next.refresh_token.is_some(), "what needs no signature goes on, with the token that was refused");
        let without_openid = Scope::parse("profile read").unwrap();
        world
            .change(|settings| {
                settings.id_token_algorithm = IdTokenAlgorithm::Rs256;
                (settings.scope, settings.default_scope) = (without_openid.clone(), without_openid);
            })
            .await;
        assert!(world.redeem(&code, "").await.is_ok(), "so does a code without openid, which was refused before");
        assert!(super::next(&slow.waiting).is_some());
        world.change(|settings| settings.access_token_format = AccessTokenFormat::JwtRs256).await;
        let last = world.refresh(&next, "").await.unwrap();
        assert!(last.refresh_token.is_some(), "and so do others once there is room");
    }

    #[tokio::test]
    async fn a_panic_is_of_one_signature_alone() {
        let slow = SlowSignatures::new();
        let threads_max = slow.waiting.lock().unwrap().threads_max;
        for _ in 0..=threads_max {
            assert!(queue(&slow, || panic!("as planted")).await.is_err());
        }
        assert!(queue(&slow, || {}).await.is_ok());
    }

    #[tokio::test]
    async fn no_more_wait_than_there_are_calls_when_some_have_gone() {
        let slow = SlowSignatures::new();
        // All threads are busy, so that everything waits.
        {
            let mut waiting = slow.waiting.lock().unwrap();
            waiting.threads = waiting.threads_max;
        }
        for _ in 0..2 * CALLS_MAX {
            drop(queue(&slow, || {}));
        }
        let waiting = slow.waiting.lock().unwrap().signatures.len();
        assert!(waiting <= CALLS_MAX, "{waiting}");
        let mut there: Vec<_> =
            (0..=CALLS_MAX).map(|_| Box::pin(slow.in_turn(Box::new(|| Ok(String::new()))))).collect();
        for asker in &mut there {
            tokio::select! {
                biased;
                _ = asker => panic!("nobody signs"),
                () = std::future::ready(()) => {}
            }
        }
        assert_eq!(slow.waiting.lock().unwrap().signatures.len(), CALLS_MAX, "one waits at the door");
    }
}
