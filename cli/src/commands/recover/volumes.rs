//! `--execute` makes the volumes, `--remove` takes them back.

use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use indicatif::{ProgressBar, ProgressStyle};
use snapferry_aws::clients::Clients;
use snapferry_aws::volumes;
use snapferry_core::ids::{Region, VolumeId};
use snapferry_core::recovery::made::{How, Kept, Name, Volume, VolumeState, may_go};
use snapferry_core::recovery::restore::Restore;

use super::existing::{self, Existing};
use super::made::{Line, State};
use crate::account::connection::words;

/// How many volumes are asked for at the same time: EC2 lets a few be made a second.
const AT_ONCE: usize = 4;
/// How long volumes may take. EC2 makes one of a snapshot within seconds; its blocks come later.
const PATIENCE: Duration = Duration::from_mins(10);
/// How long EC2 may take to show a volume that it named.
const GRACE: Duration = Duration::from_mins(1);
/// Between two looks at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Makes the volumes that are not there yet, and waits until all are available. Each is given with the key of its copy.
///
/// # Errors
/// When EC2 does not say what is there, and how it was made: then nothing was made.
pub(super) async fn execute(
    clients: &Clients,
    region: &Region,
    how: &How,
    restores: &[(Restore<'_>, Option<&str>)],
) -> anyhow::Result<Vec<Line>> {
    let found = named(clients, region, &how.name).await?;
    let existing = Existing::read(clients, region, how, &found).await?;
    let bar = bar(restores.len(), "volumes asked for");
    let ask = async |(restore, key): &(Restore<'_>, Option<&str>)| {
        let line = Line::of(restore);
        let line = match existing.of(how, restore, *key, &found) {
            Some((volume, differences)) if differences.is_empty() => Line { volume: Some(volume.id.clone()), ..line },
            Some((volume, differences)) => Line {
                state: State::Different,
                volume: Some(volume.id.clone()),
                why: Some(existing::told(&volume.id, &differences)),
                ..line
            },
            None => match volumes::create(clients, how, restore).await {
                Ok(id) => Line { volume: Some(id), is_new: true, ..line },
                Err(error) => Line { state: State::Refused, why: Some(words(&error)), ..line },
            },
        };
        bar.inc(1);
        line
    };
    let mut lines: Vec<Line> = stream::iter(restores).map(ask).buffered(AT_ONCE).collect().await;
    bar.finish_and_clear();
    wait(clients, region, &how.name, &mut lines).await;
    Ok(lines)
}

/// Waits until EC2 has made each volume, or given it up. From here on nothing is an error: the volumes are there.
async fn wait(clients: &Clients, region: &Region, name: &Name, lines: &mut [Line]) {
    let bar = bar(lines.len(), "volumes available");
    let mut pause = Duration::from_millis(250);
    let start = tokio::time::Instant::now();
    loop {
        let read = volumes::named(clients, region, name).await;
        let (is_late, is_last) = (start.elapsed() >= GRACE, start.elapsed() >= PATIENCE);
        for line in lines.iter_mut().filter(|line| line.state.is_open()) {
            match &read {
                Ok(found) => {
                    let volume = found.iter().find(|volume| line.volume.as_ref() == Some(&volume.id));
                    line.see(volume, is_late, is_last);
                }
                Err(error) => line.why = Some(words(error)),
            }
        }
        let open = lines.iter().filter(|line| line.state.is_open()).count();
        bar.set_position((lines.len() - open) as u64);
        if open == 0 || is_last {
            break bar.finish_and_clear();
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Deletes what a restore made, and nothing else.
///
/// # Errors
/// When EC2 does not say what is there: then nothing was deleted.
pub(super) async fn remove(clients: &Clients, region: &Region, name: &Name) -> anyhow::Result<Vec<Line>> {
    let found = named(clients, region, name).await?;
    let bar = bar(found.len(), "volumes looked at");
    let go = async |(volume, verdict): (Volume, Result<(), Kept>)| {
        let (state, why) = match verdict {
            Err(kept) => (State::Kept, Some(kept.as_str().to_owned())),
            Ok(()) => match volumes::delete(clients, region, &volume.id).await {
                Ok(()) => (State::Removed, None),
                // Somebody was faster.
                Err(error) if error.code == "InvalidVolume.NotFound" => (State::Removed, None),
                Err(error) => (State::Kept, Some(words(&error))),
            },
        };
        bar.inc(1);
        Line { state, why, ..Line::found(&volume) }
    };
    let judged = found.into_iter().filter_map(|volume| may_go(name, &volume).map(|verdict| (volume, verdict)));
    let lines = stream::iter(judged).map(go).buffered(AT_ONCE).collect().await;
    bar.finish_and_clear();
    Ok(lines)
}

async fn named(clients: &Clients, region: &Region, name: &Name) -> anyhow::Result<Vec<Volume>> {
    let found = volumes::named(clients, region, name).await;
    found.map_err(|error| anyhow::anyhow!("EC2 does not say which volumes are there: {}", words(&error)))
}

fn bar(length: usize, what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(length as u64).with_message(what);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {human_pos} of {human_len} {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

impl Line {
    /// Takes down what EC2 says of the volume; once it is late, what EC2 does not show is gone.
    fn see(&mut self, volume: Option<&Volume>, is_late: bool, is_last: bool) {
        let id = self.volume.as_ref().map(VolumeId::as_str).unwrap_or_default();
        (self.state, self.why) = match volume.map(|volume| volume.state) {
            Some(VolumeState::Available | VolumeState::InUse) => (State::Available, None),
            Some(VolumeState::Error) => {
                let why = "EC2 could not make it: see whether its key can be used, then remove it and try again";
                (State::Failed, Some(why.to_owned()))
            }
            Some(VolumeState::Creating) => {
                let why = "not available yet: run it again to see how it ends";
                (State::Creating, is_last.then(|| why.to_owned()))
            }
            // A new volume may not be shown at once.
            None if !is_late => (State::Creating, None),
            Some(VolumeState::Deleting) | None => {
                let why = format!(
                    "EC2 answered with {id}, which is not there: it could not be made, or was made under this name before and \
                     deleted; see whether its key can be used, or take another --name"
                );
                (State::Gone, Some(why))
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_is_waited_for_until_it_ends() {
        let volume = |state| Volume {
            id: VolumeId::parse("vol-00000001").unwrap(),
            state,
            zone: "eu-west-1a".to_owned(),
            snapshot: None,
            size_gib: 8,
            is_attached: false,
            tags: Vec::new(),
        };
        for (state, is_late, is_last, expected, says_why) in [
            (Some(VolumeState::Available), false, false, State::Available, false),
            (Some(VolumeState::InUse), false, false, State::Available, false),
            (Some(VolumeState::Creating), true, false, State::Creating, false),
            (Some(VolumeState::Creating), true, true, State::Creating, true),
            (Some(VolumeState::Error), false, false, State::Failed, true),
            (Some(VolumeState::Deleting), false, false, State::Gone, true),
            (None, false, false, State::Creating, false),
            (None, true, false, State::Gone, true),
        ] {
            let found = state.map(volume);
            let mut line = Line { state: State::Creating, ..Line::found(&volume(VolumeState::Creating)) };
            line.see(found.as_ref(), is_late, is_last);
            assert_eq!((line.state, line.why.is_some()), (expected, says_why), "{state:?} {is_late} {is_last}");
        }
    }
}
