//! Which Regions there are. New ones open every year, so one that is not listed here is remarkable, not wrong.

use super::suggest;
use crate::ids::Region;

/// The Regions of all partitions (botocore 1.43, partitions.json).
#[rustfmt::skip]
const KNOWN: [&str; 46] = [
    "af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1",
    "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5",
    "ap-southeast-6", "ap-southeast-7", "ca-central-1", "ca-west-1", "cn-north-1", "cn-northwest-1", "eu-central-1",
    "eu-central-2", "eu-isoe-west-1", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2",
    "eu-west-3", "eusc-de-east-1", "il-central-1", "me-central-1", "me-south-1", "mx-central-1", "sa-east-1",
    "us-east-1", "us-east-2", "us-gov-east-1", "us-gov-west-1", "us-iso-east-1", "us-iso-west-1", "us-isob-east-1",
    "us-isob-west-1", "us-isof-east-1", "us-isof-south-1", "us-west-1", "us-west-2",
];

/// The points of the compass that every Region's name ends with, before its number.
const DIRECTIONS: [&str; 9] =
    ["central", "east", "north", "northeast", "northwest", "south", "southeast", "southwest", "west"];

/// How sure it is that a Region exists.
pub(super) enum Doubt {
    /// It is listed.
    None,
    /// It is not listed, and may have opened since. The text says so and names a similar one.
    New(String),
    /// It cannot exist.
    Misspelt(String),
}

/// Whether `region` is a Region of AWS.
pub(super) fn doubt(region: &Region) -> Doubt {
    let name = region.as_str();
    if KNOWN.contains(&name) {
        return Doubt::None;
    }
    let hint = suggest::hint(name, KNOWN);
    let is_possible = name.rsplit('-').nth(1).is_some_and(|direction| DIRECTIONS.contains(&direction));
    if is_possible {
        Doubt::New(format!("{name:?} is no Region known to this version{hint}"))
    } else {
        Doubt::Misspelt(format!("{name:?} is no Region{hint}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_of_regions() {
        for name in KNOWN {
            let region = Region::parse(name).unwrap();
            assert!(DIRECTIONS.contains(&name.rsplit('-').nth(1).unwrap()), "{region}");
        }
        assert!(KNOWN.is_sorted());
    }
}
