//! What all connections share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use crate::snapshots::Made;
use crate::table::Table;
use crate::world::World;

/// The most unexpected requests that are remembered.
const MOST: usize = 20;

/// The world, what became of it, and what was asked for.
#[derive(Default)]
pub(crate) struct Shared {
    world: RwLock<Arc<World>>,
    /// The copies that were asked for, by Region and number of the source.
    pub(crate) made: RwLock<BTreeMap<String, BTreeMap<u64, Made>>>,
    table: Mutex<Table>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
pub(crate) struct Seen {
    /// How often each operation was asked for, by service, operation and Region.
    pub(crate) calls: BTreeMap<(&'static str, String, String), usize>,
    pub(crate) unexpected: Vec<String>,
}

impl Shared {
    /// The world as it is now.
    pub(crate) fn world(&self) -> Arc<World> {
        Arc::clone(&self.world.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Another world takes its place.
    pub(crate) fn set_world(&self, world: World) {
        *self.world.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(world);
    }

    /// Forgets the copies that were asked for.
    pub(crate) fn forget_copies(&self) {
        self.made.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The ledger's table.
    pub(crate) fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was asked for.
    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts requests.
    pub(crate) fn count(&self, service: &'static str, operation: &str, region: &str, times: usize) {
        *self.seen().calls.entry((service, operation.to_owned(), region.to_owned())).or_default() += times;
    }

    /// Remembers a request that no test expects.
    pub(crate) fn unexpected(&self, what: String) {
        let mut seen = self.seen();
        if seen.unexpected.len() < MOST {
            seen.unexpected.push(what.chars().take(400).collect());
        }
    }
}
