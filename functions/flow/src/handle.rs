//! One invocation of the copier, from the sorted input to what the function answers.

use std::cell::RefCell;
use std::time::Duration;

use snapferry_core::copying::Memory;
use snapferry_core::event::{CopyEvent, ShareEvent};
use snapferry_core::ids::Region;

use crate::events::{self, Named};
use crate::run::{Cause, Causes, Run};
use crate::serve::serve;
use crate::sweep::{self, Sweeper};
use crate::{Handled, Setup, World, follow};

/// By when giving up hints, serving, reading and serving again are to end, in seconds of the invocation: events that come meanwhile wait behind it.
const FOLLOWS_UNTIL: u64 = 10;
const SERVES_UNTIL: u64 = 20;
const READS_UNTIL: u64 = 50;
const ENDS: u64 = 60;

/// What came in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Work {
    /// The share events.
    pub events: Vec<ShareEvent>,
    /// The copies that ended, each of which left its place in its Region to the next.
    pub ended: Vec<CopyEvent>,
    /// The IDs of sweep ticks; several of them are one.
    pub sweeps: Vec<String>,
    /// The IDs of serve ticks; several of them are one.
    pub serves: Vec<String>,
}

/// What a warm environment keeps from one invocation to the next. All of it may be lost at any moment.
#[derive(Debug, Default)]
pub struct Kept {
    /// What is said once a day.
    pub memory: RefCell<Memory>,
    /// What is known of the round under way.
    pub sweeper: RefCell<Sweeper>,
}

/// Handles one input.
pub async fn handle<W: World>(world: &W, setup: &Setup, kept: &Kept, work: &Work) -> Handled {
    let run = Run::new(world, setup, &kept.memory, causes(work));
    let begun = world.left();
    let spent = |seconds| begun.saturating_sub(Duration::from_secs(seconds));
    let has_tick = !work.sweeps.is_empty() || !work.serves.is_empty();
    if !work.events.is_empty() {
        let named = work.events.iter().map(|event| Named { event: event.clone(), hint: None });
        events::discover(&run, named.collect()).await;
    }
    if has_tick {
        follow::follow(&run, spent(FOLLOWS_UNTIL)).await;
        serve(&run, setup.regions().into_iter().cloned().collect(), true, spent(SERVES_UNTIL)).await;
        let has_more = world.left() <= spent(SERVES_UNTIL);
        let tick = work.sweeps.first().map(String::as_str);
        let slice = sweep::slice(&run, &kept.sweeper, tick, spent(READS_UNTIL)).await;
        if let Some(slice) = &slice {
            sweep::close(&run, &kept.sweeper, slice).await;
        }
        if has_more || slice.is_some() {
            // What the round found wanted is served at once, and the round's end is told behind that.
            serve(&run, run.waiting(), false, spent(ENDS)).await;
        }
        if let Some(slice) = slice {
            sweep::finish(&run, slice).await;
        }
    } else {
        // Where nobody waits there is nothing to serve, and an event's answer need not wait for reads that say so. Where a copy
        // ended somebody may: what follows is a tick's work without the sweep's, because such events come in crowds.
        let mut regions = run.waiting();
        regions.extend(freed(setup, work).filter(|region| !run.waiting().contains(region)));
        serve(&run, regions, false, spent(ENDS)).await;
    }
    run.close()
}

/// The target Regions in which a copy ended, each once.
fn freed<'w>(setup: &'w Setup, work: &'w Work) -> impl Iterator<Item = Region> + 'w {
    let ended = |region: &&Region| work.ended.iter().any(|ended| ended.region == **region);
    setup.regions().into_iter().filter(ended).cloned()
}

fn causes(work: &Work) -> Causes {
    let cause = |event: &ShareEvent| {
        let oddities = event.oddities.iter().map(ToString::to_string).collect();
        (event.snapshot.clone(), Cause { id: event.id.clone(), oddities })
    };
    let events = work.events.iter().map(cause).collect();
    let sweep = work.sweeps.first().map(|id| ("sweep", id.clone()));
    let serve = work.serves.first().map(|id| ("serve", id.clone()));
    let freed = work.ended.first().map(|ended| ("serve", ended.id.clone()));
    Causes { events, tick: sweep.or(serve).or(freed) }
}
