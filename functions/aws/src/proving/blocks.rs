//! The blocks of one snapshot through the EBS direct APIs.

use std::time::Duration;

use aws_sdk_ebs::Client;
use aws_smithy_types::base64;
use aws_smithy_types::timeout::TimeoutConfig;
use sha2::{Digest as _, Sha256};
use snapferry_core::facts::CallError;
use snapferry_core::ids::SnapshotId;

use crate::errors::call_error;

/// The fewest blocks that a page may be asked for (EBS direct APIs reference, ListSnapshotBlocks).
pub(super) const FEWEST: i32 = 100;

/// One attempt of a call. A page of ten thousand blocks is about two megabytes.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
/// A call with its retries.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(25);

/// How often a block is read whose bytes are not those that EBS's digest is of.
const READINGS: usize = 3;

/// How many pages without a block are read before a listing counts as one that does not end.
const EMPTY_PAGES: usize = 100;

/// A snapshot's blocks.
#[derive(Debug, Clone)]
pub struct Blocks {
    client: Client,
    snapshot: SnapshotId,
}

/// A page of blocks with the tokens that they are read with.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) blocks: Vec<(u32, String)>,
    /// Where the next page begins.
    pub(super) until: Option<u32>,
}

impl Blocks {
    /// Of a snapshot, read through `client`, which is of its Region.
    #[must_use]
    pub fn new(client: Client, snapshot: SnapshotId) -> Self {
        Self { client, snapshot }
    }

    /// The blocks from an index on, up to `most` of them. Each page is asked for by its first index, because page tokens end.
    pub(super) async fn list(&self, from: u32, most: i32) -> Result<Page, CallError> {
        let mut token: Option<String> = None;
        for _ in 0..EMPTY_PAGES {
            let list = self.client.list_snapshot_blocks().snapshot_id(self.snapshot.as_str()).max_results(most);
            let list = match &token {
                Some(token) => list.next_token(token),
                None => list.starting_block_index(i32::try_from(from).map_err(|_| odd("an index above 2^31"))?),
            };
            let answer = list.customize().config_override(timeouts()).send().await;
            let answer = answer.map_err(|error| call_error(&error))?;
            let read =
                |block: aws_sdk_ebs::types::Block| Some((u32::try_from(block.block_index?).ok()?, block.block_token?));
            let blocks: Option<Vec<_>> = answer.blocks.unwrap_or_default().into_iter().map(read).collect();
            let mut blocks = blocks.ok_or_else(|| odd("a block without index or token"))?;
            blocks.sort_unstable_by_key(|(index, _)| *index);
            if blocks.first().is_some_and(|(index, _)| *index < from) {
                return Err(odd("blocks that lie before the index it was asked for"));
            }
            let next = answer.next_token.filter(|next| !next.is_empty());
            match (blocks.last(), next) {
                (_, None) => return Ok(Page { blocks, until: None }),
                (Some((last, _)), Some(_)) => return Ok(Page { until: last.checked_add(1), blocks }),
                (None, next) => token = next,
            }
        }
        Err(odd("pages without end and without a block"))
    }

    /// The token of a block; nothing where the snapshot does not have the block.
    pub(super) async fn token(&self, index: u32) -> Result<Option<String>, CallError> {
        let page = self.list(index, FEWEST).await?;
        Ok(page.blocks.into_iter().find(|(found, _)| *found == index).map(|(_, token)| token))
    }

    /// The SHA-256 of a block's bytes, which is the one that EBS gives with them.
    pub(super) async fn sha_256(&self, index: u32, token: &str) -> Result<[u8; 32], CallError> {
        let index = i32::try_from(index).map_err(|_| odd("an index above 2^31"))?;
        for _ in 0..READINGS {
            let get = self.client.get_snapshot_block().snapshot_id(self.snapshot.as_str());
            let get = get.block_index(index).block_token(token).customize().config_override(timeouts());
            let answer = get.send().await.map_err(|error| call_error(&error))?;
            let said = answer.checksum.as_deref().and_then(|checksum| base64::decode(checksum).ok());
            let said = said.ok_or_else(|| odd("a block without a digest"))?;
            let data = answer.block_data.collect().await.map_err(|_| odd("a block that broke off"))?.into_bytes();
            let found: [u8; 32] = Sha256::digest(&data).into();
            if said == found {
                return Ok(found);
            }
        }
        let message =
            format!("the bytes of block {index} are not those that EBS gives the digest of, in {READINGS} readings");
        Err(CallError { code: "ChecksumMismatch".to_owned(), message, request_id: None })
    }

    /// Whether EBS says that no block has changed since `first`. A block that it names, or a refusal, says nothing: it may name
    /// blocks whose bytes are equal.
    pub(super) async fn is_unchanged_since(&self, first: &SnapshotId) -> bool {
        let mut token: Option<String> = None;
        for _ in 0..EMPTY_PAGES {
            let list = self.client.list_changed_blocks().second_snapshot_id(self.snapshot.as_str());
            let list = list.first_snapshot_id(first.as_str()).set_next_token(token.take());
            let Ok(answer) = list.customize().config_override(timeouts()).send().await else { return false };
            if answer.changed_blocks.is_none_or(|changed| !changed.is_empty()) {
                return false;
            }
            match answer.next_token.filter(|next| !next.is_empty()) {
                Some(next) => token = Some(next),
                None => return true,
            }
        }
        false
    }
}

fn odd(what: &str) -> CallError {
    let message = format!("EBS answered with {what}");
    CallError { code: "UnreadableAnswer".to_owned(), message, request_id: None }
}

fn timeouts() -> aws_sdk_ebs::config::Builder {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    aws_sdk_ebs::config::Builder::default().timeout_config(timeouts)
}
