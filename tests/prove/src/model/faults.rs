//! Faults planted around the rule: each must be caught in some configuration.

use std::sync::Arc;

use regrant_grant::model::{Fault, Rule, explore};

use super::configuration::{self, Configuration, Expected};
use super::{KIND, describe};
use crate::report::{Entry, Report};
use crate::scale::Scale;

/// Plants every fault whose name contains `only` in the simple configurations of the smallest scale, until one catches it.
pub(super) fn run(only: &str, report: &mut Report) {
    let configurations = configurations_that_hold();
    for fault in Fault::ALL.iter().filter(|fault| fault.name.contains(only)) {
        let mut entry = Entry::begin(KIND, &format!("fault/{}", fault.name));
        let rule: Arc<dyn Rule> = Arc::new(*fault);
        let mut tried = 0;
        let caught = configurations.iter().find_map(|configuration| {
            let exploration = explore(&configuration.settings, &rule);
            tried += exploration.unique_states;
            exploration.breach.is_some().then_some((configuration, exploration))
        });
        if let Some((configuration, exploration)) = &caught {
            entry.add("caught_by", configuration.name.clone());
            describe(&mut entry, exploration);
        }
        report.close(entry, tried, usize::from(caught.is_none()));
    }
}

/// Where the real rule breaks a promise, a fault would be caught for nothing.
fn configurations_that_hold() -> Vec<Configuration> {
    let mut configurations = configuration::simple(Scale::Ci);
    configurations.retain(|found| {
        matches!(found.expected, Expected::Holds) && explore(&found.settings, &found.rule()).breach.is_none()
    });
    configurations
}
