//! The volumes that an earlier run made, held against what is asked for now.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{Filter, VolumeType};
use snapferry_aws::clients::Clients;
use snapferry_aws::errors::call_error;
use snapferry_core::ids::{Region, VolumeId};
use snapferry_core::recovery::made::{How, Volume};
use snapferry_core::recovery::restore::{RESTORE, Restore};

use crate::account::connection::words;

/// What EC2 says of a volume and core's `Volume` does not have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Make {
    volume_type: String,
    /// The ARN; nothing where it is not encrypted.
    key: Option<String>,
}

/// What is known of the volumes that are there, and of the key that is asked for.
#[derive(Debug, Default)]
pub(super) struct Existing {
    makes: BTreeMap<VolumeId, Make>,
    /// The key of `--key`, an ARN or an ID.
    key: Option<String>,
}

impl Existing {
    /// Reads it; nothing where nothing is there.
    ///
    /// # Errors
    /// When EC2 does not describe a volume, or KMS does not say which key an alias means.
    pub(super) async fn read(clients: &Clients, region: &Region, how: &How, found: &[Volume]) -> anyhow::Result<Self> {
        let mut makes = BTreeMap::new();
        if found.is_empty() {
            return Ok(Self::default());
        }
        // By name and not by ID: a volume that somebody deletes meanwhile is no error.
        let of_name = Filter::builder().name(format!("tag:{RESTORE}")).values(how.name.as_str()).build();
        let mut read = clients.ec2(region).describe_volumes().filters(of_name).into_paginator().items().send();
        while let Some(volume) = read.next().await {
            let volume = volume.map_err(|error| {
                anyhow::anyhow!("EC2 does not say how the volumes were made: {}", words(&call_error(&error)))
            })?;
            let Ok(id) = VolumeId::parse(volume.volume_id().unwrap_or_default()) else { continue };
            let volume_type = volume.volume_type().map(VolumeType::as_str).unwrap_or_default().to_owned();
            makes.insert(id, Make { volume_type, key: volume.kms_key_id().map(str::to_owned) });
        }
        let key = match how.key.clone() {
            Some(key) if is_alias(&key) => Some(meant(clients, region, &key).await?),
            key => key,
        };
        Ok(Self { makes, key })
    }

    /// The volume that this restore has made of the point in the zone already, and in what it is not as is asked for now. `own` is the
    /// copy's own key, which EC2 takes where none is named.
    pub(super) fn of<'v>(
        &self,
        how: &How,
        restore: &Restore<'_>,
        own: Option<&str>,
        found: &'v [Volume],
    ) -> Option<(&'v Volume, Vec<String>)> {
        let is_made = |volume: &&Volume| how.made(restore, std::slice::from_ref(*volume)).is_some();
        let made = found.iter().filter(is_made);
        made.map(|volume| (volume, self.differences(how, own, volume))).min_by_key(|(_, differences)| differences.len())
    }

    fn differences(&self, how: &How, own: Option<&str>, volume: &Volume) -> Vec<String> {
        let mut differences = Vec::new();
        // EC2 showed it a moment ago: who deleted it since is told when it is waited for.
        let Some(make) = self.makes.get(&volume.id) else { return differences };
        if make.volume_type != how.volume_type {
            differences.push(format!("is of the type {}, not {}", make.volume_type, how.volume_type));
        }
        let found = make.key.as_deref();
        // Of an unencrypted copy EC2 makes what the account's settings say.
        if let Some(asked) = self.key.as_deref().or(own)
            && !found.is_some_and(|found| is_key(asked, found))
        {
            differences.push(match found {
                Some(found) => format!("is under the key {found}, not {asked}"),
                None => format!("is not encrypted, and not under the key {asked}"),
            });
        }
        differences
    }
}

/// What there is to do about a volume that was made otherwise.
pub(super) fn told(volume: &VolumeId, differences: &[String]) -> String {
    format!(
        "{volume} of an earlier run {}: ask for what it is, take it back with --remove, or take another --name",
        differences.join(", ")
    )
}

/// Whether what somebody calls a key is this one.
fn is_key(asked: &str, arn: &str) -> bool {
    asked == arn || arn.rsplit_once(":key/").is_some_and(|(_, id)| id == asked)
}

fn is_alias(key: &str) -> bool {
    key.starts_with("alias/") || key.contains(":alias/")
}

async fn meant(clients: &Clients, region: &Region, alias: &str) -> anyhow::Result<String> {
    let read = clients.kms(region).describe_key().key_id(alias).send().await;
    let read = read.map_err(|error| {
        let why = words(&call_error(&error));
        anyhow::anyhow!("KMS does not say which key {alias} is, to hold the volumes that are there against it: {why}")
    })?;
    let arn = read.key_metadata().and_then(|key| key.arn()).map(str::to_owned);
    arn.ok_or_else(|| anyhow::anyhow!("KMS does not say which key {alias} is"))
}
