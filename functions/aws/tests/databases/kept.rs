//! Copies as RDS keeps them, and what it says of them.

use std::sync::OnceLock;

use aws_sdk_rds::operation::describe_db_snapshots::DescribeDbSnapshotsOutput;
use aws_sdk_rds::types::{DbSnapshot, Tag};
use aws_smithy_mocks::{MockResponse, Rule, mock};
use jiff::{SignedDuration, Timestamp};
use snapferry_core::rds::{ReadTags, Shared, SnapshotArn, copy_name};

use crate::common::KEY;
use crate::common::rds::{ARN, policy, rds_error, shared};
use crate::{moment, request};

/// When the tests began, the same for all of them.
fn now() -> Timestamp {
    static NOW: OnceLock<Timestamp> = OnceLock::new();
    *NOW.get_or_init(|| Timestamp::from_second(Timestamp::now().as_second()).unwrap())
}

fn ago(days: i64) -> Timestamp {
    now() - SignedDuration::from_hours(24 * days)
}

/// What another account has shared since so many days.
pub(crate) fn source(days: i64) -> Shared {
    let mut source = shared(&format!("{ARN}-{days}"));
    source.source.created = ago(days);
    source
}

/// The copy of what was shared so many days ago: whole, with a verdict or none, due after a month.
pub(crate) fn copy(days: i64, verdict: &str) -> DbSnapshot {
    let (policy, source) = (policy("eu-west-1"), source(days));
    let request = request(&policy, &source);
    let name = request.name().to_string();
    let mut tags = request.tags(ago(days));
    tags.iter_mut().filter(|(key, _)| key == "snapferry:status").for_each(|tag| tag.1 = verdict.to_owned());
    if verdict != "copying" {
        let settled = [("snapferry:settled-at", ago(days).to_string()), ("snapferry:copy", name.clone())];
        tags.extend(settled.map(|(key, value)| (key.to_owned(), value)));
    }
    let tag = |(key, value): (String, String)| Tag::builder().key(key).value(value).build();
    DbSnapshot::builder()
        .db_snapshot_identifier(&name)
        .db_snapshot_arn(format!("arn:aws:rds:eu-west-1:222222222222:snapshot:{name}"))
        .snapshot_create_time(moment(&ago(days).to_string()))
        .status("available")
        .encrypted(true)
        .kms_key_id(KEY)
        .engine(source.engine)
        .allocated_storage(source.allocated_storage)
        .dbi_resource_id(source.source.resource_id)
        .source_db_snapshot_identifier(source.source.arn.to_string())
        .set_tag_list(Some(tags.into_iter().map(tag).collect()))
        .build()
}

/// The name of that copy.
pub(crate) fn name(days: i64) -> String {
    copy(days, "copying").db_snapshot_identifier.unwrap()
}

/// The same with a tag of another value, or without it.
pub(crate) fn tagged(mut copy: DbSnapshot, key: &str, value: Option<&str>) -> DbSnapshot {
    let tags = copy.tag_list.as_mut().unwrap();
    tags.retain(|tag| tag.key() != Some(key));
    tags.extend(value.map(|value| Tag::builder().key(key).value(value).build()));
    copy
}

/// The same under the name that its tags make: only so they are its own.
pub(crate) fn renamed(mut copy: DbSnapshot) -> DbSnapshot {
    let arn = SnapshotArn::parse(copy.db_snapshot_arn().unwrap()).unwrap();
    let tags = copy.tag_list().iter().map(|tag| (tag.key().unwrap(), tag.value().unwrap()));
    let read = ReadTags::read(&arn.name, tags);
    let (policy, source) = (read.policy.as_ref().unwrap(), read.source(&arn).unwrap());
    let name = copy_name(policy, &source, &arn.region, read.kms_key.as_ref(), read.attempt.unwrap()).to_string();
    copy.db_snapshot_arn = Some(arn.of(arn.region.clone(), arn.account.clone(), name.clone()).to_string());
    copy.db_snapshot_identifier = Some(name.clone());
    let is_bound = copy.tag_list().iter().any(|tag| tag.key() == Some("snapferry:copy"));
    if is_bound { tagged(copy, "snapferry:copy", Some(&name)) } else { copy }
}

/// The same copied from a home of another stack.
pub(crate) fn of_another_home(mut copy: DbSnapshot) -> DbSnapshot {
    let source = copy.source_db_snapshot_identifier.take();
    copy.source_db_snapshot_identifier = source.map(|arn| arn.replace("us-east-1", "sa-east-1"));
    renamed(tagged(copy, "snapferry:source-region", Some("sa-east-1")))
}

/// All that this account keeps, on two pages, of which the second begins with the last of the first.
pub(crate) fn all(copies: Vec<DbSnapshot>) -> [Rule; 2] {
    let page = |copies: Vec<DbSnapshot>, next: Option<&'static str>| {
        move || {
            let page = DescribeDbSnapshotsOutput::builder().set_db_snapshots(Some(copies.clone()));
            page.set_marker(next.map(str::to_owned)).build()
        }
    };
    let first = copies.iter().take(1).cloned().collect();
    [
        mock!(aws_sdk_rds::Client::describe_db_snapshots)
            .match_requests(|read| read.snapshot_type() == Some("manual") && read.marker().is_none())
            .then_output(page(first, Some("m 2"))),
        mock!(aws_sdk_rds::Client::describe_db_snapshots)
            .match_requests(|read| read.snapshot_type() == Some("manual") && read.marker() == Some("m 2"))
            .then_output(page(copies, None)),
    ]
}

/// Looks at single snapshots by their names, which find these.
pub(crate) fn looks(copies: Vec<DbSnapshot>) -> Rule {
    mock!(aws_sdk_rds::Client::describe_db_snapshots)
        .match_requests(|read| read.db_snapshot_identifier().is_some() && read.snapshot_type().is_none())
        .then_compute_response(move |read| {
            let found = copies.iter().find(|copy| copy.db_snapshot_identifier() == read.db_snapshot_identifier());
            match found.cloned() {
                Some(copy) => MockResponse::Output(DescribeDbSnapshotsOutput::builder().db_snapshots(copy).build()),
                None => MockResponse::Http(rds_error(404, "DBSnapshotNotFound", "not found")),
            }
        })
}
