//! Snapshots of RDS: the copies' names, who holds one, why RDS takes no more, and what a copy has to be.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic is how a test fails, in its helpers too"
)]

mod held;
mod names;
mod quotas;
mod verdicts;

use snapferry_core::ids::KeyArn;

const SOURCE: &str = "arn:aws:rds:eu-west-1:111122223333:snapshot:nightly";

type Change<T> = fn(&mut T);

fn key(id: u8) -> KeyArn {
    KeyArn::parse(&format!("arn:aws:kms:eu-central-1:444455556666:key/00000000-0000-0000-0000-0000000000{id:02}"))
        .unwrap()
}
