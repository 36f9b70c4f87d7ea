//! Standing in line: an obligation, and the turn of its account, which is written first. A line without a turn would not be
//! served before the next sweep puts the turn back; a turn without a line goes by itself.

use snapferry_core::facts::CallError;
use snapferry_core::ids::{AccountId, Region};
use snapferry_core::ledger::{Obligation, Turn};

use crate::run::Run;
use crate::{World, Written};

/// How often a turn is read again because somebody else wrote it. Whoever did so wrote it for the same line.
const ATTEMPTS: usize = 3;

/// Puts an obligation in line.
///
/// # Errors
/// The ledger's.
pub(crate) async fn stand<W: World>(run: &Run<'_, W>, obligation: &Obligation) -> Result<Written, CallError> {
    keep_turn(run, &obligation.identity.region, &obligation.account).await?;
    let written = run.world.write(obligation).await?;
    if written == Written::Done {
        run.note_owed(obligation.clone());
    }
    Ok(written)
}

/// Sees to it that an account has a turn in a Region, and keeps it for a while.
///
/// # Errors
/// The ledger's.
pub(crate) async fn keep_turn<W: World>(
    run: &Run<'_, W>,
    region: &Region,
    account: &AccountId,
) -> Result<(), CallError> {
    for _ in 0..ATTEMPTS {
        let now = run.world.now();
        let turn = match run.turn(region, account) {
            Some(turn) => match turn.added(now) {
                Some(turn) => turn,
                None => return Ok(()),
            },
            None => Turn::new(account.clone(), now),
        };
        match run.world.write_turn(region, &turn).await? {
            Written::Done => {
                run.note_turn(region, turn);
                return Ok(());
            }
            Written::Stale => run.read_turns(region).await?,
        }
    }
    Ok(())
}

/// Notes that an account had its turn with an obligation. A note that is lost makes no difference but to whose turn is next, so
/// errors are left to the writes around it.
pub(crate) async fn tried<W: World>(run: &Run<'_, W>, obligation: &Obligation) {
    let (region, account) = (&obligation.identity.region, &obligation.account);
    for _ in 0..ATTEMPTS {
        let now = run.world.now();
        let Some(turn) = run.turn(region, account) else { return };
        // What is tried may come back into the line: the turn stays as long as for something new.
        let turn = Turn { added: now, ..turn.tried(Some(obligation), now) };
        match run.world.write_turn(region, &turn).await {
            Ok(Written::Done) => return run.note_turn(region, turn),
            Ok(Written::Stale) => {
                if run.read_turns(region).await.is_err() {
                    return;
                }
            }
            Err(_) => {}
        }
    }
}
