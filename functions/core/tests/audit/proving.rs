//! Every finding of proving.

use snapferry_core::audit::Record;
use snapferry_core::facts::CallError;
use snapferry_core::policy::{Extent, ProofRule};
use snapferry_core::proving::{Differing, Digest, Finding, Level, Progress, Seed, record, region_unread};

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
    records
}

fn progress() -> Progress {
    let rule = ProofRule { extent: Extent::Sample(459), compare: true };
    let mut progress = Progress::new(rule, Seed(0x0123_4567_89ab_cdef), at("2026-11-22T11:30:00Z"));
    (progress.listed, progress.read, progress.compared) = (16_384, 459, 459);
    progress.digest = Digest::default().then(7, &[0xab; 32]);
    progress
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
