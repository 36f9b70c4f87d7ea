//! The options of what `recover` changes: volumes made, and taken back.

use anyhow::Context as _;
use snapferry_core::ids::Region;
use snapferry_core::recovery::made::{How, Name};
use snapferry_core::recovery::{Facts, Recovery, Wanted};

use super::{emit, made, volumes};
use crate::account::connection::Account;
use crate::terminal::exit::{self, Exit};

#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Restore", group = clap::ArgGroup::new("change").args(["execute", "remove"]))]
pub(super) struct Restoring {
    /// Make a volume of each point, and wait until they are available. Run again, it makes none twice
    #[arg(long, requires_all = ["zone", "name"], conflicts_with_all = ["emit", "share", "csv"])]
    execute: bool,
    /// Delete the volumes that --execute made under --name and that are attached to nothing
    #[arg(long, requires = "name", conflicts_with_all = ["execute", "emit", "share", "csv", "zone", "volume", "account", "before", "inventory"])]
    remove: bool,
    /// The Availability Zone of the volumes
    #[arg(long, value_name = "ZONE", requires = "execute")]
    zone: Option<String>,
    /// What this restore is called: by that its volumes are found again (1 to 64 letters, digits, - _ .)
    #[arg(long, value_name = "NAME", value_parser = name, requires = "change")]
    name: Option<Name>,
    /// The type of the volumes
    #[arg(long = "type", value_name = "TYPE", default_value = "gp3", requires = "execute")]
    volume_type: String,
    /// The key that encrypts the volumes [default: EC2 chooses, the copy's own key]
    #[arg(long, value_name = "KEY", requires = "execute")]
    key: Option<String>,
}

fn name(text: &str) -> Result<Name, String> {
    Name::parse(text).ok_or_else(|| "expected 1 to 64 letters, digits, '-', '_' and '.'".to_owned())
}

impl Restoring {
    /// The option that changes something, if one is given, and what it does.
    pub(super) fn option(&self) -> Option<&'static str> {
        match (self.execute, self.remove) {
            (true, _) => Some("--execute makes volumes"),
            (_, true) => Some("--remove deletes volumes"),
            _ => None,
        }
    }

    /// The name of the restore whose volumes are to be deleted.
    pub(super) fn removes(&self) -> Option<&Name> {
        self.name.as_ref().filter(|_| self.remove)
    }

    /// How volumes are made in `region`, if they are.
    ///
    /// # Errors
    /// When the zone is another Region's.
    pub(super) fn how(&self, region: &Region) -> anyhow::Result<How> {
        let (zone, name) = self.zone.clone().zip(self.name.clone()).context("--execute needs --zone and --name")?;
        let is_of_region = zone.strip_prefix(region.as_str()).is_some_and(|rest| !rest.is_empty() && rest.len() < 32);
        anyhow::ensure!(is_of_region, "{zone} is no Availability Zone of {region}, where the copies are");
        Ok(How { name, zone, volume_type: self.volume_type.clone(), key: self.key.clone() })
    }
}

/// Makes the volumes.
pub(super) async fn execute(
    account: &Account,
    how: &How,
    wanted: &Wanted,
    facts: &Facts,
    recovery: &Recovery<'_>,
    as_json: bool,
) -> anyhow::Result<Exit> {
    let keys = emit::volumes(recovery).map(|point| point.copy.origin.key.as_deref());
    let databases = emit::warn_of_databases(recovery)?;
    let restores: Vec<_> = emit::restores(wanted, recovery).into_iter().zip(keys).collect();
    anyhow::ensure!(databases == 0 || !restores.is_empty(), "no volume is made: all of these points are of databases");
    let region = facts.regions.keys().next().context("no Region")?;
    let clients = account.clients([region.clone()]);
    let lines = volumes::execute(&clients, region, how, &restores).await?;
    let is_fine = databases == 0 && !recovery.has_findings() && lines.iter().all(|line| line.state.is_fine());
    // From here on what cannot be printed undoes nothing.
    let unsaid = made::print(region, &how.name, Some(&how.zone), &lines, as_json).err();
    exit::acted(if is_fine { Exit::Fine } else { Exit::Findings }, unsaid)
}

/// Takes them back.
pub(super) async fn remove(account: &Account, region: &Region, name: &Name, as_json: bool) -> anyhow::Result<Exit> {
    let clients = account.clients([region.clone()]);
    let lines = volumes::remove(&clients, region, name).await?;
    let is_fine = lines.iter().all(|line| line.state.is_fine());
    let unsaid = made::print(region, name, None, &lines, as_json).err();
    exit::acted(if is_fine { Exit::Fine } else { Exit::Findings }, unsaid)
}
