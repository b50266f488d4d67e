use std::sync::atomic::Ordering;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// One counter for each value of a label, all there from the start.
pub(super) struct Cases<const N: usize>([Counter; N]);

impl<const N: usize> Cases<N> {
    /// The counters of `name`, in the order of `values`.
    pub(super) fn new(
        registry: &mut Registry,
        name: &'static str,
        help: &'static str,
        label: &'static str,
        values: [&'static str; N],
    ) -> Self {
        let family = Family::<[(&'static str, &'static str); 1], Counter>::default();
        registry.register(name, help, family.clone());
        Self(values.map(|value| family.get_or_create(&[(label, value)]).clone()))
    }

    /// Counts one of the value that stands at `place`.
    pub(super) fn count(&self, place: usize) {
        self.add(place, 1);
    }

    /// Counts `number` of the value that stands at `place`.
    pub(super) fn add(&self, place: usize, number: u64) {
        self.0[place].inc_by(number);
    }

    /// Counts whatever `number` is more than before of the value that stands at `place`, for what is counted elsewhere.
    pub(super) fn rise_to(&self, place: usize, number: u64) {
        self.0[place].inner().fetch_max(number, Ordering::Relaxed);
    }
}
