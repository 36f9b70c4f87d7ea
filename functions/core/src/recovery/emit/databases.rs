//! A shell script of calls of the AWS CLI that restore databases.

use std::fmt::Write as _;

use super::quoted;
use crate::recovery::facts::Content;
use crate::recovery::point::Point;

const HEAD: &str = r#"#!/usr/bin/env bash
# Restores databases from Snapferry's copies, with the AWS CLI. SUBNET_GROUP is the DB subnet group that they go into; KMS_KEY (the
# copy's own key) may be given, too, and where there are clusters CLASS has to be, the class of their instances:
#     SUBNET_GROUP=restored CLASS=db.r6g.large bash restore-databases.sh
# In another account than that which keeps the copies FROM is the number of that one, and KMS_KEY has to be given: what is shared has to
# be copied before RDS restores it.
# A name of its own for each copy: run again, it makes no database twice, and names those that are there as failed.
# Parameter groups, option groups, security groups and deletion protection are RDS's defaults: change them before you let anybody in.
set -euo pipefail
: "${SUBNET_GROUP:?names the DB subnet group}"
KMS_KEY=${KMS_KEY:-}
FROM=${FROM:-}
if [ -n "$FROM" ]; then : "${KMS_KEY:?names the key of the copies in this account}"; fi

reference() { # REGION COPY TYPE
    local partition=aws
    case "$1" in cn-*) partition=aws-cn ;; us-gov-*) partition=aws-us-gov ;; esac
    if [ -n "$FROM" ]; then echo "arn:$partition:rds:$1:$FROM:$3:$2"; else echo "$2"; fi
}

instance() { # REGION COPY NAME
    local snapshot="$2"
    # RDS restores an instance under its snapshot's key only.
    if [ -n "$KMS_KEY" ]; then
        snapshot="$3-source"
        aws rds copy-db-snapshot --region "$1" --source-db-snapshot-identifier "$(reference "$1" "$2" snapshot)" \
            --target-db-snapshot-identifier "$snapshot" --kms-key-id "$KMS_KEY" --query DBSnapshot.DBSnapshotIdentifier --output text &&
            aws rds wait db-snapshot-available --region "$1" --db-snapshot-identifier "$snapshot" || return 1
    fi
    aws rds restore-db-instance-from-db-snapshot --region "$1" --db-snapshot-identifier "$snapshot" --db-instance-identifier "$3" \
        --db-subnet-group-name "$SUBNET_GROUP" --no-publicly-accessible --query DBInstance.DBInstanceIdentifier --output text
}

cluster() { # REGION COPY NAME ENGINE
    : "${CLASS:?names the class of the instances, such as db.r6g.large}"
    local snapshot="$2" key=() class=()
    if [ -n "$FROM" ]; then
        snapshot="$3-source"
        aws rds copy-db-cluster-snapshot --region "$1" --target-db-cluster-snapshot-identifier "$snapshot" --kms-key-id "$KMS_KEY" \
            --source-db-cluster-snapshot-identifier "$(reference "$1" "$2" cluster-snapshot)" \
            --query DBClusterSnapshot.DBClusterSnapshotIdentifier --output text &&
            aws rds wait db-cluster-snapshot-available --region "$1" --db-cluster-snapshot-identifier "$snapshot" || return 1
    elif [ -n "$KMS_KEY" ]; then
        key=(--kms-key-id "$KMS_KEY")
    fi
    # A Multi-AZ cluster makes its instances itself, Aurora's has none.
    case "$4" in aurora*) ;; *) class=(--db-cluster-instance-class "$CLASS") ;; esac
    aws rds restore-db-cluster-from-snapshot --region "$1" --snapshot-identifier "$snapshot" --db-cluster-identifier "$3" --engine "$4" \
        --db-subnet-group-name "$SUBNET_GROUP" ${key[@]+"${key[@]}"} ${class[@]+"${class[@]}"} \
        --query DBCluster.DBClusterIdentifier --output text || return 1
    case "$4" in aurora*) aws rds create-db-instance --region "$1" --db-instance-identifier "$3-1" --db-cluster-identifier "$3" \
        --engine "$4" --db-instance-class "$CLASS" --no-publicly-accessible --query DBInstance.DBInstanceIdentifier --output text ;; esac
}

"#;

/// How many of the copy's digits are in the name of what is restored from it: RDS allows 63 characters, and one is made for each copy.
const DIGITS: usize = 20;

/// The script that restores the databases among the points, and prints their names; none where there are none.
#[must_use]
pub fn script(points: &[Point<'_>]) -> Option<String> {
    let mut script = HEAD.to_owned();
    for point in points {
        let (region, copy) = (point.region, &point.copy.id);
        let digits: String = copy.as_str().chars().skip("snapferry-".len()).take(DIGITS).collect();
        // Writing to a String cannot fail.
        let _ = match &point.detail.content {
            Content::Volume => continue,
            Content::Instance => writeln!(script, "instance {region} {copy} restored-{digits}"),
            Content::Cluster { engine } => {
                writeln!(script, "cluster {region} {copy} restored-{digits} {}", quoted(engine))
            }
        };
    }
    (script.len() > HEAD.len()).then_some(script)
}
