//! Where snapshots are kept.

use crate::ids::Region;

/// Where a snapshot is kept. EC2 copies into other Regions only what is in the standard tier of a Region (EBS User Guide,
/// "Copy an Amazon EBS snapshot", considerations).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Storage {
    /// The standard tier of the Region, also while an archived snapshot is restored for some days.
    Standard,
    /// The archive tier.
    Archive,
    /// An Outpost.
    Outpost,
    /// A Local Zone.
    LocalZone,
}

impl Storage {
    /// As EC2 describes a snapshot of `region`: an Availability Zone's name is the Region's and one letter, a Local Zone's
    /// is longer (EC2 API reference, `Snapshot.AvailabilityZone`).
    #[must_use]
    pub fn read(region: &Region, is_archived: bool, outpost: Option<&str>, zone: Option<&str>) -> Self {
        let is_named = |name: Option<&str>| name.is_some_and(|name| !name.is_empty());
        let letters = |zone: &str| zone.strip_prefix(region.as_str()).map(str::len);
        match () {
            () if is_named(outpost) => Self::Outpost,
            () if is_named(zone) && zone.and_then(letters) != Some(1) => Self::LocalZone,
            () if is_archived => Self::Archive,
            () => Self::Standard,
        }
    }

    /// What is in the way of a copy, and what somebody does about it.
    #[must_use]
    pub fn problem(self) -> &'static str {
        match self {
            Self::Standard => "Nothing is in the way of a copy.",
            Self::Archive => {
                "The snapshot is in the archive tier, from where EC2 copies nothing. In its account: restore it from the \
                 archive (aws ec2 restore-snapshot-tier), for at least as long as the copies take."
            }
            Self::Outpost => {
                "The snapshot is on an Outpost, from where EC2 copies nothing. Make snapshots of the volume in the Region \
                 instead, and share those."
            }
            Self::LocalZone => {
                "The snapshot is in a Local Zone, from where EC2 copies to no other Region. Make snapshots of the volume in \
                 the Region instead, and share those."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_where_ec2_says() {
        let outpost = "arn:aws:ec2:us-west-2:111111111111:outpost/op-0123456789abcdef0";
        for (is_archived, outpost, zone, expected) in [
            (false, None, None, Storage::Standard),
            (false, Some(""), Some(""), Storage::Standard),
            (false, None, Some("us-west-2a"), Storage::Standard),
            (true, None, None, Storage::Archive),
            (true, None, Some("us-west-2b"), Storage::Archive),
            (false, None, Some("us-west-2-lax-1a"), Storage::LocalZone),
            (false, Some(outpost), None, Storage::Outpost),
            (false, Some(outpost), Some("us-west-2a"), Storage::Outpost),
        ] {
            let region = Region::parse("us-west-2").unwrap();
            assert_eq!(Storage::read(&region, is_archived, outpost, zone), expected, "{outpost:?} {zone:?}");
        }
    }
}
