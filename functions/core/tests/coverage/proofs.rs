//! Of how many volumes the content was proven.

use snapferry_core::coverage::{Proofs, cover, proofs};
use snapferry_core::facts::Copy;
use snapferry_core::ids::{Region, VolumeId};
use snapferry_core::tags::Proof;

use crate::world::*;

#[test]
fn a_volume_counts_once_with_its_newest_proof_of_content() {
    let of_volume = |mut copy: Copy, volume: u32| {
        copy.lineage = VolumeId::parse(&format!("vol-{volume:08x}")).ok();
        copy
    };
    let copies = vec![
        of_volume(copy(1, 1), 1),
        of_volume(copy(2, 2), 1),
        of_volume(copy(3, 3), 2),
        of_volume(copy(4, 4), 3),
        of_volume(failed(5, 5), 4),
        Copy { lineage: VolumeId::parse("vol-ffffffff").ok(), ..copy(6, 6) },
        of_volume(copy(7, 7), 5),
        Copy { lineage: Some(VolumeId::of_database("db-A")), ..copy(8, 8) },
    ];
    let mut facts = facts(Vec::new(), copies);
    let mut prove = |number: u32, level: &str, days: i64| {
        let proof = Proof { level: level.into(), at: ago(days * DAY) };
        facts.proofs.insert((Region::parse(IRELAND).unwrap(), copy(number, 1).id), proof);
    };
    for (number, level, days) in
        [(1, "sampled", 9), (2, "full", 2), (3, "structure", 1), (4, "unchanged", 5), (5, "full", 30), (6, "full", 40)]
    {
        prove(number, level, days);
    }
    let policies = policies(&[nightly("nightly", &[IRELAND])]);
    let coverage = cover(&policies, &facts);
    assert_eq!(proofs(&coverage.rows), Proofs { lineages: 4, proved: 2, oldest: Some(ago(5 * DAY)) });
    let told = coverage.rows.iter().filter_map(|row| Some((row.copy?.id.to_string(), row.proof?.level.to_string())));
    assert!(told.collect::<Vec<_>>().contains(&("snap-c0000003".to_owned(), "structure".to_owned())));
}
