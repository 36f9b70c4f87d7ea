//! What a recovery account needs: leave to make volumes of the copies, and to use their keys. The account that keeps the copies is not
//! the one to restore in.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::facts::{KeyFact, KeyProblem};
use crate::ids::{AccountId, Region, SnapshotId};
use crate::kind::SourceType;
use crate::recovery::facts::{Content, Facts};
use crate::recovery::point::Point;

/// What is to be shared with an account.
#[derive(Debug)]
pub struct Share<'f> {
    /// The recovery account.
    pub with: &'f AccountId,
    /// The copies that can be shared.
    pub snapshots: Vec<(&'f Region, &'f SnapshotId)>,
    /// Those of clusters among all.
    clusters: BTreeSet<&'f SnapshotId>,
    /// The keys that the recovery account has to use, by Region, with the number of their copies.
    pub keys: BTreeMap<(&'f Region, &'f str), usize>,
    /// Copies under a key that AWS manages, which EC2 shares with nobody.
    pub not_shareable: Vec<(&'f Region, &'f SnapshotId)>,
}

impl<'f> Share<'f> {
    /// Of all points.
    #[must_use]
    pub fn of(with: &'f AccountId, facts: &Facts, points: &[Point<'f>]) -> Self {
        let mut share = Self {
            with,
            snapshots: Vec::new(),
            clusters: BTreeSet::new(),
            keys: BTreeMap::new(),
            not_shareable: Vec::new(),
        };
        for point in points {
            let (place, key) = ((point.region, &point.copy.id), point.copy.origin.key.as_deref());
            let fact = facts.regions.get(point.region).zip(key).and_then(|(vault, key)| vault.copies.keys.get(key));
            if let Content::Cluster { .. } = point.detail.content {
                share.clusters.insert(&point.copy.id);
            }
            if fact == Some(&KeyFact::Unusable(KeyProblem::AwsManaged)) {
                share.not_shareable.push(place);
                continue;
            }
            share.snapshots.push(place);
            if let Some(key) = key {
                *share.keys.entry((point.region, key)).or_default() += 1;
            }
        }
        share
    }

    /// Of what a copy is.
    #[must_use]
    pub fn kind(&self, snapshot: &SnapshotId) -> SourceType {
        match snapshot.is_of_database() {
            false => SourceType::EbsSnapshot,
            true if self.clusters.contains(snapshot) => SourceType::DbClusterSnapshot,
            true => SourceType::DbSnapshot,
        }
    }

    /// The call of the AWS CLI that shares one copy.
    #[must_use]
    pub fn command(&self, (region, snapshot): (&Region, &SnapshotId)) -> String {
        let with = self.with;
        let what = match self.kind(snapshot) {
            SourceType::EbsSnapshot => {
                return format!(
                    "aws ec2 modify-snapshot-attribute --region {region} --snapshot-id {snapshot} --attribute \
                     createVolumePermission --operation-type add --user-ids {with}"
                );
            }
            SourceType::DbSnapshot => "db-snapshot",
            SourceType::DbClusterSnapshot => "db-cluster-snapshot",
        };
        format!(
            "aws rds modify-{what}-attribute --region {region} --{what}-identifier {snapshot} --attribute-name restore \
             --values-to-add {with}"
        )
    }

    /// Whether databases are among them. A shared encrypted snapshot of one can be copied and not restored.
    #[must_use]
    pub fn has_databases(&self) -> bool {
        self.snapshots.iter().any(|(_, snapshot)| snapshot.is_of_database())
    }

    /// The statements that each of the keys' policies needs (EBS User Guide, "Share the KMS key used to encrypt a shared Amazon EBS
    /// snapshot"); who in the recovery account may use the key is that account's own policies to say.
    #[must_use]
    pub fn statements(&self) -> Option<Value> {
        let ((region, _), _) = self.keys.first_key_value()?;
        // RDS asks for one more than EBS.
        let encrypts = self.has_databases().then_some("kms:Encrypt");
        let actions =
            ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*", "kms:ReEncrypt*"].into_iter().chain(encrypts);
        let actions: Vec<&str> = actions.collect();
        let principal = json!({"AWS": format!("arn:{}:iam::{}:root", region.partition(), self.with)});
        Some(json!([
            {
                "Sid": "RestoreUsesTheKey",
                "Effect": "Allow",
                "Principal": principal,
                "Action": actions,
                "Resource": "*",
            },
            {
                "Sid": "RestoreGrantsTheKeyToEbs",
                "Effect": "Allow",
                "Principal": principal,
                "Action": "kms:CreateGrant",
                "Resource": "*",
                "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
            },
        ]))
    }
}
