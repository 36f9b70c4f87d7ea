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
# A name of its own for each copy: run again, it makes no database twice, and names those that are there as failed. What has to be
# copied first is begun for all and then waited for, which takes hours; run again, it goes on where it was.
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

stands() { # REGION NAME KIND: how the copy that is restored from stands, if it is there
    local list=DBSnapshots found
    if [ "$3" = db-cluster-snapshot ]; then list=DBClusterSnapshots; fi
    found=$(aws rds "describe-$3s" --region "$1" "--$3-identifier" "$2-source" --query "$list[0].Status" --output text 2> /dev/null) || found=
    if [ "$found" != None ]; then echo "$found"; fi
}

begin() { # REGION COPY NAME KIND
    if [ -n "$(stands "$1" "$3" "$4")" ]; then return; fi
    aws rds "copy-$4" --region "$1" "--source-$4-identifier" "$(reference "$1" "$2" "${4#db-}")" \
        "--target-$4-identifier" "$3-source" --kms-key-id "$KMS_KEY" --output text > /dev/null
}

# RDS restores an instance under its snapshot's key only. One that cannot be begun yet, because others are under way, is later.
ahead() { # instance|cluster REGION COPY NAME
    case "$1" in
        instance) if [ -n "$KMS_KEY" ]; then begin "$2" "$3" "$4" db-snapshot 2> /dev/null || true; fi ;;
        cluster) if [ -n "$FROM" ]; then begin "$2" "$3" "$4" db-cluster-snapshot 2> /dev/null || true; fi ;;
    esac
}

copied() { # REGION COPY NAME KIND
    local found unseen=0
    begin "$@" || return 1
    while found=$(stands "$1" "$3" "$4"); [ "$found" != available ]; do
        case "$found" in
            copying | creating | pending) unseen=0 ;;
            # One answer may be lost, or throttled.
            "") unseen=$((unseen + 1)); if [ "$unseen" -ge 10 ]; then echo "$3-source is not to be seen: run this again" >&2; return 1; fi ;;
            *) echo "$3-source is $found: where it failed, delete it, and run this again" >&2; return 1 ;;
        esac
        sleep "${PAUSE:-60}"
    done
}

instance() { # REGION COPY NAME
    local snapshot="$2"
    if [ -n "$KMS_KEY" ]; then
        snapshot="$3-source"
        copied "$1" "$2" "$3" db-snapshot || return 1
    fi
    aws rds restore-db-instance-from-db-snapshot --region "$1" --db-snapshot-identifier "$snapshot" --db-instance-identifier "$3" \
        --db-subnet-group-name "$SUBNET_GROUP" --no-publicly-accessible --query DBInstance.DBInstanceIdentifier --output text
}

cluster() { # REGION COPY NAME ENGINE VERSION
    : "${CLASS:?names the class of the instances, such as db.r6g.large}"
    local snapshot="$2" key=() class=() version=()
    if [ -n "$FROM" ]; then
        snapshot="$3-source"
        copied "$1" "$2" "$3" db-cluster-snapshot || return 1
    elif [ -n "$KMS_KEY" ]; then
        key=(--kms-key-id "$KMS_KEY")
    fi
    # Without it RDS restores to its default version, another than the snapshot's.
    if [ -n "${5:-}" ]; then version=(--engine-version "$5"); fi
    # A Multi-AZ cluster makes its instances itself, Aurora's has none.
    case "$4" in aurora*) ;; *) class=(--db-cluster-instance-class "$CLASS") ;; esac
    aws rds restore-db-cluster-from-snapshot --region "$1" --snapshot-identifier "$snapshot" --db-cluster-identifier "$3" --engine "$4" \
        --db-subnet-group-name "$SUBNET_GROUP" ${key[@]+"${key[@]}"} ${class[@]+"${class[@]}"} \
        ${version[@]+"${version[@]}"} \
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
    let (mut ahead, mut script) = (HEAD.to_owned(), String::new());
    for point in points {
        let (region, copy) = (point.region, &point.copy.id);
        let digits: String = copy.as_str().chars().skip("snapferry-".len()).take(DIGITS).collect();
        // Writing to a String cannot fail.
        let _ = match &point.detail.content {
            Content::Volume => continue,
            Content::Instance => {
                let _ = writeln!(ahead, "ahead instance {region} {copy} restored-{digits}");
                writeln!(script, "instance {region} {copy} restored-{digits}")
            }
            Content::Cluster { engine, version } => {
                let _ = writeln!(ahead, "ahead cluster {region} {copy} restored-{digits}");
                let (engine, version) = (quoted(engine), quoted(version));
                writeln!(script, "cluster {region} {copy} restored-{digits} {engine} {version}")
            }
        };
    }
    (!script.is_empty()).then(|| ahead + "\n" + &script)
}
