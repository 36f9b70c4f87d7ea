//! Every finding of proving.

use jiff::SignedDuration;
use snapferry_core::audit::Record;
use snapferry_core::facts::CallError;
use snapferry_core::policy::{Extent, ProofRule};
use snapferry_core::proving::{
    Differing, Digest, Finding, Level, Progress, STUCK_AFTER, Seed, record, region_unread, stuck,
};

use crate::verifying::candidate;
use crate::world::*;

pub(crate) fn records() -> Vec<Record> {
    let (copy, region, error) = (candidate(), region(), error());
    let full = CallError { code: "TagLimitExceeded".to_owned(), ..error.clone() };
    let refusals = [None, Some(&error), Some(&full)];
    let findings = findings();
    let told = |finding| refusals.map(|refused| record(&region, &copy, finding, refused, now()));
    let mut records: Vec<Record> = findings.iter().flat_map(told).collect();
    records.push(region_unread(&region, &error, now()));
    records.extend(stuck(&region, &copy, &long_ago(), now()).map(|(record, _)| record));
    records
}

fn progress() -> Progress {
    let rule = ProofRule { extent: Extent::Sample(459), compare: true };
    let mut progress = Progress::new(rule, Seed(0x0123_4567_89ab_cdef), at("2026-11-22T11:30:00Z"));
    (progress.listed, progress.read, progress.compared) = (16_384, 459, 459);
    progress.digest = Digest::default().then(7, &[0xab; 32]);
    progress
}

fn long_ago() -> Progress {
    Progress { began: now() - STUCK_AFTER - SignedDuration::from_secs(1), ..progress() }
}

#[test]
fn a_proof_is_stuck_after_eight_days_and_not_before() {
    let (copy, region) = (candidate(), region());
    assert_eq!(stuck(&region, &copy, &progress(), now()), None);
    assert_eq!(stuck(&region, &copy, &Progress { began: now() - STUCK_AFTER, ..progress() }, now()), None);
    let (record, notice) = stuck(&region, &copy, &long_ago(), now()).unwrap();
    assert_eq!(notice, format!("proof-stuck {region} {}", copy.id));
    let proof = record.proof.unwrap();
    assert_eq!((proof.read, proof.level, proof.block), (459, None, None));
    assert!(record.message.unwrap().contains("459 blocks are read"));
}

fn findings() -> Vec<Finding> {
    let levels = every![Level;
        Level::CopyOnly => Level::CopyOnly,
        Level::StructureDiffers => Level::StructureDiffers,
        Level::Structure => Level::Structure,
        Level::Sampled => Level::Sampled,
        Level::Unchanged => Level::Unchanged,
        Level::Full => Level::Full,
    ];
    let proved = |level| {
        let mut progress = progress();
        if level == Level::CopyOnly {
            progress.leave_source("ResourceNotFoundException: KMS key not found");
        }
        Finding::Proved(level, progress)
    };
    let mut findings = every![Finding;
        Finding::Proved(..) => proved(Level::Sampled),
        Finding::Differs(..) => Finding::Differs(Differing { index: 7 }, progress()),
        Finding::Unread(_) => Finding::Unread(error()),
    ];
    findings.extend(levels.into_iter().map(proved));
    findings
}
