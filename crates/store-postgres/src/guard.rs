use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use regrant_protocol::{Clock, EpochNumber};
use regrant_store::{HighWater, Mark, Place, Reached, RolledBack, StoreError};

use crate::connection::STATEMENT_MILLISECONDS_MAX;
use crate::journal::JournalDatabase;
use crate::migration::Schema;
use crate::node_journal::NodeJournal;
use crate::rows::high_water::FoundPlace;

/// How long what a node writes may be ahead of the counter that tells of it: a second. A copy that lacks less is not noticed by it.
const RAISED_EVERY: Duration = Duration::from_secs(1);

/// How long after a step has read something nobody relies on that any more: as long as one statement may take.
const READ_BEFORE: Duration = Duration::from_millis(STATEMENT_MILLISECONDS_MAX);

/// How far the store has come, as far as this node knows, and whether it decides anything: what tells a database that was put back to
/// an earlier day, or a standby that took over without having everything.
pub(crate) struct Guard {
    clock: Arc<dyn Clock>,
    epoch: EpochNumber,
    mark: Mutex<Option<Box<dyn Mark>>>,
    journal: Option<NodeJournal>,
    known: Mutex<Known>,
}

struct Known {
    /// The schema at the server that was seen last, where this version does not work on it.
    newer_schema: Option<Schema>,
    halt: Halt,
    /// How often something was found out that changes it.
    halts: u64,
    /// Which server was seen last, and since when, where there was another before.
    server: (u64, Option<Instant>),
    counter: u64,
    /// When this node has raised it last; `None` when it is to do so with the next chance.
    raised_at: Option<Instant>,
}

/// Whether the store decides anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Halt {
    /// It does.
    None,
    /// It does not: it was found out here that this server was put back, and the note that tells every node is not written yet.
    Owed { server: u64 },
    /// It does not, as the note says that is in the database.
    Noted,
}

/// What is known when a database is asked: what it says then is no older.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    place: Place,
    halts: u64,
}

/// Whether a commit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Raise {
    /// It does not.
    No,
    /// It does, unless somebody else counts at this moment.
    IfFree,
    /// It does, as something has ended.
    Surely,
}

/// Why a connection is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strange {
    /// It leads to an earlier day.
    Behind {
        /// How far the store had come.
        known: Place,
        /// How far it has come there.
        found: Place,
    },
    /// The store was restored since this node opened it.
    Restored,
    /// This version does not work on it any more, since a newer one has been there.
    NewerSchema(Schema),
}

impl Guard {
    /// Compares the store, which says `water` of itself, with the mark.
    ///
    /// # Errors
    /// When it was put back to an earlier day.
    pub(crate) fn new(
        epoch: EpochNumber,
        water: &HighWater,
        mark: Option<Box<dyn Mark>>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, RolledBack> {
        RolledBack::check(water, epoch, mark.as_ref().and_then(|mark| mark.seen()), None)?;
        if let Some(mark) = &mark {
            mark.journalled(water.journalled);
        }
        // The first commit says that the store was opened.
        let known = Known {
            newer_schema: None,
            halt: Halt::None,
            halts: 0,
            server: (0, None),
            counter: water.counter,
            raised_at: None,
        };
        Ok(Self { clock, epoch, mark: Mutex::new(mark), journal: None, known: Mutex::new(known) })
    }

    /// The same with a journal that has been brought together with the store.
    pub(crate) fn with_journal(mut self, journal: Option<JournalDatabase>) -> Self {
        self.journal = journal.map(|journal| NodeJournal::new(journal, Arc::clone(&self.clock)));
        self
    }

    /// The journal to which everything is added that ends.
    pub(crate) fn journal(&self) -> Option<&NodeJournal> {
        self.journal.as_ref()
    }

    /// The epoch in which the store was opened.
    pub(crate) fn epoch(&self) -> EpochNumber {
        self.epoch
    }

    /// Fails when the store decides nothing any more.
    pub(crate) fn may_decide(&self) -> Result<(), StoreError> {
        if self.lock().halt == Halt::None { Ok(()) } else { Err(StoreError::RolledBack) }
    }

    /// Fails when this version does not work on the store any more, to read it or to write it.
    pub(crate) fn knows_schema(&self) -> Result<(), StoreError> {
        self.lock().newer_schema.map_or(Ok(()), |schema| Err(schema.error()))
    }

    /// From now on nothing is decided, as this server was put back; and the note is owed that tells every node.
    pub(crate) fn halt(&self, server: u64) {
        let mut known = self.lock();
        if known.halt != Halt::Noted {
            known.halt = Halt::Owed { server };
            known.halts += 1;
        }
    }

    /// What was found out of this server does not count: there is a newer one.
    pub(crate) fn relent(&self, server: u64) {
        let mut known = self.lock();
        if known.halt == (Halt::Owed { server }) {
            known.halt = Halt::None;
        }
    }

    /// Whether the note is to be written at this server.
    pub(crate) fn owes_note(&self, server: u64) -> bool {
        self.lock().halt == Halt::Owed { server }
    }

    /// The note is written.
    pub(crate) fn noted(&self) {
        let mut known = self.lock();
        known.halt = Halt::Noted;
        known.halts += 1;
    }

    /// Whether it is so short ago that this server was met, in place of another one, that a step may have read there and not here.
    pub(crate) fn is_new(&self, server: u64) -> bool {
        let (seen, since) = self.lock().server;
        let is_new = |since| self.clock.monotonic().saturating_duration_since(since) < READ_BEFORE;
        seen != server || since.is_some_and(is_new)
    }

    /// Whether the next commit counts, which has ended something or not. Of commits that are under way together, one does.
    pub(crate) fn raise(&self, has_ended: bool) -> Raise {
        let mut known = self.lock();
        let now = self.clock.monotonic();
        let is_due = known.raised_at.is_none_or(|at| now.saturating_duration_since(at) >= RAISED_EVERY);
        if is_due || has_ended {
            known.raised_at = Some(now);
        }
        match (has_ended, is_due) {
            (true, _) => Raise::Surely,
            (false, true) => Raise::IfFree,
            (false, false) => Raise::No,
        }
    }

    /// A commit that was to count is durable, and brought the store to `counter`; or it failed, or somebody else counted, and the next
    /// one is to.
    pub(crate) fn raised(&self, counter: Option<u64>) {
        match counter {
            Some(counter) => self.reached(counter),
            None => self.lock().raised_at = None,
        }
    }

    /// A commit is durable with which the store has the record of the journal of this number.
    pub(crate) fn journalled(&self, number: u64) {
        if let Some(mark) = &*self.mark.lock().unwrap_or_else(PoisonError::into_inner) {
            mark.journalled(number);
        }
    }

    /// How far the store is known to have come: whoever asks a database from now on is to find it there, or further.
    pub(crate) fn known(&self) -> Place {
        let counter = self.lock().counter;
        Place { epoch: self.epoch, counter }
    }

    /// The same, and what else is known by whoever asks a database now.
    pub(crate) fn ask(&self) -> Asked {
        let known = self.lock();
        Asked { place: Place { epoch: self.epoch, counter: known.counter }, halts: known.halts }
    }

    /// Looks at what the database behind a `server` says of itself, of which was known before what `asked` says. What was counted between is
    /// no reason to call it old. Whether the store decides anything is as it says, but for a note that is owed to it. How far it says that it
    /// has come is only compared: what is not durable yet may be lost, and nothing acknowledged with it.
    ///
    /// # Errors
    /// When it is not the present day of the store that was opened, and when this version does not work on it any more.
    pub(crate) fn look(&self, asked: Asked, found: &FoundPlace, server: u64) -> Result<(), Strange> {
        let (place, schema) = (found.place(), found.schema);
        if place.epoch > self.epoch {
            return Err(Strange::Restored);
        }
        if place < asked.place {
            return Err(Strange::Behind { known: asked.place, found: place });
        }
        let mut known = self.lock();
        if server > known.server.0 {
            known.server = (server, Some(self.clock.monotonic()));
        }
        if server == known.server.0 {
            known.newer_schema = schema.is_too_new().then_some(schema);
        }
        if schema.is_too_new() {
            return Err(Strange::NewerSchema(schema));
        }
        let is_present = server == known.server.0 && asked.halts == known.halts;
        match found.water.halted_at {
            Some(_) if known.halt != Halt::Noted => {
                known.halt = Halt::Noted;
                known.halts += 1;
            }
            Some(_) => {}
            None if is_present && known.halt != (Halt::Owed { server }) => known.halt = Halt::None,
            None => {}
        }
        Ok(())
    }

    /// It is durable that the store has come so far, by this node or another. A mark that follows others too tells what they have lost.
    fn reached(&self, counter: u64) {
        let is_news = {
            let mut known = self.lock();
            let is_news = counter > known.counter;
            known.counter = known.counter.max(counter);
            is_news
        };
        if is_news && let Some(mark) = &*self.mark.lock().unwrap_or_else(PoisonError::into_inner) {
            // Who came later may have been faster.
            let Place { epoch, counter } = self.known();
            mark.raise(Reached { counter, epoch });
        }
    }

    /// The same, and which record of the journal it has: a mark that knows the records of this node alone lets a restore take a journal that
    /// lacks those of the others.
    pub(crate) fn reached_by_any(&self, water: &HighWater) {
        self.journalled(water.journalled);
        self.reached(water.counter);
    }

    /// Nobody asks any more. What is outside is written when this returns.
    pub(crate) fn close(&self) {
        // It ends when what it was told last is written, and nobody is to wait for that here.
        let mark = self.mark.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(mark);
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use regrant_protocol::{ManualClock, Timestamp};

    use super::*;
    use crate::migration::NEWEST_SCHEMA;

    const EPOCH: EpochNumber = EpochNumber(2);

    /// A mark that says what it was raised to.
    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Option<Reached>>>);

    impl Mark for Memory {
        fn seen(&self) -> Option<Reached> {
            *self.0.lock().unwrap()
        }

        fn raise(&self, reached: Reached) {
            *self.0.lock().unwrap() = Some(reached);
        }
    }

    fn guard(counter: u64, mark: &Memory) -> (Result<Guard, RolledBack>, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::new(Timestamp::from_seconds(1)));
        let water = HighWater { counter, ..HighWater::default() };
        (Guard::new(EPOCH, &water, Some(Box::new(mark.clone())), Arc::clone(&clock) as _), clock)
    }

    fn place(epoch: u8, counter: u64) -> Place {
        Place { epoch: EpochNumber(epoch), counter }
    }

    fn says(place: Place, halted_at: Option<Timestamp>) -> FoundPlace {
        let water = HighWater { counter: place.counter, halted_at, ..HighWater::default() };
        let schema = Schema { number: NEWEST_SCHEMA + 1, needed: NEWEST_SCHEMA };
        FoundPlace { water, epoch: place.epoch, schema }
    }

    #[test]
    fn one_commit_in_a_second_counts_and_each_that_ends_something() {
        let (guard, clock) = guard(7, &Memory::default());
        let guard = guard.unwrap();
        assert_eq!([guard.raise(false), guard.raise(false)], [Raise::IfFree, Raise::No]);
        assert_eq!(guard.raise(true), Raise::Surely);
        clock.advance_seconds(1);
        assert_eq!([guard.raise(false), guard.raise(false)], [Raise::IfFree, Raise::No]);
        guard.raised(None);
        assert_eq!(guard.raise(false), Raise::IfFree, "somebody else counted");
    }

    #[test]
    fn the_mark_follows_what_is_durable_and_never_goes_back() {
        let mark = Memory::default();
        let guard = guard(7, &mark).0.unwrap();
        for (counter, marked) in [(9, 9), (8, 9), (10, 10)] {
            guard.raised(Some(counter));
            assert_eq!(mark.seen(), Some(Reached { counter: marked, epoch: EPOCH }));
        }
        guard.look(guard.ask(), &says(place(2, 14), None), 0).unwrap();
        assert_eq!(mark.seen().map(|reached| reached.counter), Some(10), "nobody knows yet whether that is durable");
        guard.reached_by_any(&HighWater { counter: 14, ..HighWater::default() });
        assert_eq!(mark.seen().map(|reached| reached.counter), Some(14), "others have counted");
    }

    #[test]
    fn a_database_that_is_behind_is_told_and_one_that_was_restored_too() {
        let mark = Memory::default();
        mark.raise(Reached { counter: 8, epoch: EPOCH });
        assert!(matches!(guard(7, &mark).0, Err(RolledBack::BehindMark { .. })));
        let guard = guard(8, &mark).0.unwrap();
        for (found, strange) in [
            (place(2, 8), None),
            (place(2, 7), Some(Strange::Behind { known: place(2, 8), found: place(2, 7) })),
            (place(1, 99), Some(Strange::Behind { known: place(2, 8), found: place(1, 99) })),
            (place(3, 1), Some(Strange::Restored)),
        ] {
            assert_eq!(guard.look(guard.ask(), &says(found, None), 0).err(), strange, "{found}");
        }
        assert_eq!(guard.may_decide(), Ok(()));
        guard.look(guard.ask(), &says(place(2, 8), Some(Timestamp::from_seconds(1))), 0).unwrap();
        assert_eq!(guard.may_decide(), Err(StoreError::RolledBack));
    }

    #[test]
    fn a_schema_that_this_version_does_not_know_is_told_for_as_long_as_the_server_has_it() {
        let guard = guard(8, &Memory::default()).0.unwrap();
        let schema = Schema { number: NEWEST_SCHEMA + 2, needed: NEWEST_SCHEMA + 1 };
        let found = FoundPlace { schema, ..says(place(2, 8), None) };
        assert_eq!(guard.look(guard.ask(), &found, 0), Err(Strange::NewerSchema(schema)));
        assert_eq!(guard.knows_schema(), Err(schema.error()));
        guard.look(guard.ask(), &says(place(2, 8), None), 1).unwrap();
        assert_eq!(guard.knows_schema(), Ok(()), "the server that has taken over was never brought so far");
        assert_eq!(guard.look(guard.ask(), &found, 0), Err(Strange::NewerSchema(schema)));
        assert_eq!(guard.knows_schema(), Ok(()), "that is the one from before");
    }

    /// A mark that ends when somebody else has counted once more.
    struct Slow(Box<dyn Fn() + Send>);

    impl Mark for Slow {
        fn seen(&self) -> Option<Reached> {
            None
        }

        fn raise(&self, _: Reached) {
            (self.0)();
        }
    }

    impl Drop for Slow {
        fn drop(&mut self) {
            (self.0)();
        }
    }

    #[test]
    fn while_the_mark_is_written_nobody_waits_who_counts() {
        const PATIENCE: Duration = Duration::from_secs(60);
        let clock = Arc::new(ManualClock::new(Timestamp::from_seconds(1)));
        let (writes, is_written) = mpsc::channel();
        let (go_on, may_go_on) = mpsc::channel();
        let write = move || {
            writes.send(()).unwrap();
            may_go_on.recv_timeout(PATIENCE).unwrap();
        };
        let mark = Box::new(Slow(Box::new(write)));
        let guard = Arc::new(Guard::new(EPOCH, &HighWater::default(), Some(mark), clock).unwrap());
        for close in [false, true] {
            let writing = Arc::clone(&guard);
            let writing = thread::spawn(move || if close { writing.close() } else { writing.raised(Some(1)) });
            is_written.recv_timeout(PATIENCE).unwrap();
            let counting = Arc::clone(&guard);
            let counting =
                thread::spawn(
                    move || if close { counting.raised(Some(2)) } else { assert_eq!(counting.known(), place(2, 1)) },
                );
            counting.join().unwrap();
            go_on.send(()).unwrap();
            writing.join().unwrap();
        }
    }

    #[test]
    fn what_was_counted_while_a_database_was_asked_does_not_make_its_answer_old() {
        let guard = guard(8, &Memory::default()).0.unwrap();
        let asked = guard.ask();
        guard.raised(Some(9));
        assert_eq!(guard.look(asked, &says(place(2, 8), None), 0), Ok(()));
        assert!(guard.look(guard.ask(), &says(place(2, 8), None), 0).is_err());
    }

    #[test]
    fn a_halt_is_owed_until_it_is_noted_and_goes_with_the_server_that_it_is_of() {
        let (guard, clock) = guard(8, &Memory::default());
        let guard = guard.unwrap();
        let looks = |server, note: Option<i64>| {
            guard.look(guard.ask(), &says(place(2, 8), note.map(Timestamp::from_seconds)), server).unwrap();
            (guard.may_decide().is_ok(), guard.owes_note(server))
        };
        guard.halt(0);
        assert_eq!(looks(0, None), (false, true), "it is to be written again");
        let asked = guard.ask();
        guard.noted();
        guard.look(asked, &says(place(2, 8), None), 0).unwrap();
        assert!(guard.may_decide().is_err(), "that was read before it was written");
        assert_eq!(looks(0, Some(1)), (false, false));
        assert_eq!(looks(1, None), (true, false), "another server was promoted, which was never put back");
        assert!(
            guard.is_new(1) && guard.is_new(2),
            "what shows that a server is old may have been read at the one before"
        );
        clock.advance_seconds(5);
        assert!(!guard.is_new(1));
        let asked = guard.ask();
        assert_eq!(looks(1, Some(1)), (false, false));
        guard.look(asked, &says(place(2, 8), None), 1).unwrap();
        assert!(guard.may_decide().is_err(), "that was read before another node has written it");

        let (guard, _) = self::guard(8, &Memory::default());
        let guard = guard.unwrap();
        guard.halt(0);
        guard.look(guard.ask(), &says(place(2, 8), None), 1).unwrap();
        assert!(guard.may_decide().is_ok() && !guard.owes_note(1));
    }
}
