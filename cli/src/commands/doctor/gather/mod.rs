//! Looks: reads, and requests that are marked DryRun. Nothing is changed, and nothing is judged.

mod around;
mod copies;
mod document;
mod ledger;
mod rds;
mod rules;
mod schedules;
mod source;
mod stack;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_kms::types::{DataKeySpec, KeyManagerType};
use futures_util::future::{join_all, try_join};
use jiff::Timestamp;
use snapferry_aws::clients::Clients;
use snapferry_aws::errors::call_error;
use snapferry_aws::keys::KeyCache;
use snapferry_core::facts::CallError;
use snapferry_core::ids::{KeyArn, Region, SnapshotId};
use snapferry_core::policy::{Encryption, Policy, SourceType};

use super::facts::{Defaults, Facts, TargetKey};
use crate::account::connection::Account;
use crate::account::databases::Databases;

/// Gathers all facts.
pub(crate) async fn gather(
    account: &Account,
    policies: &[Policy],
    snapshot: Option<&SnapshotId>,
    stack: Option<&str>,
) -> Facts {
    let targets = || policies.iter().flat_map(|policy| &policy.targets);
    let mut regions: Vec<Region> = targets().map(|target| target.region.clone()).collect();
    regions.sort();
    regions.dedup();
    let mut keys: Vec<(Region, KeyArn)> = targets()
        .filter_map(|target| match &target.encryption {
            Encryption::Key(key) => Some((target.region.clone(), key.clone())),
            Encryption::AsSource | Encryption::DefaultKey => None,
        })
        .collect();
    keys.sort();
    keys.dedup();
    let clients = &account.clients(regions.iter().cloned());
    let described = KeyCache::default();
    let of_keys = join_all(keys.into_iter().map(|(region, key)| target_key(clients, &described, region, key)));
    // What EBS does by itself matters where volumes' snapshots are copied to.
    let of_volumes = policies.iter().filter(|policy| policy.source_types.contains(&SourceType::EbsSnapshot));
    let of_volumes: BTreeSet<&Region> =
        of_volumes.flat_map(|policy| &policy.targets).map(|target| &target.region).collect();
    let of_regions =
        join_all(of_volumes.into_iter().map(async |region| (region.clone(), defaults(clients, region).await)));
    let mut facts = Facts {
        account: account.id.clone(),
        arn: account.arn.clone(),
        home: account.home.clone(),
        now: Timestamp::now(),
        regions: regions_of(clients).await,
        keys: of_keys.await,
        defaults: of_regions.await.into_iter().collect(),
        copies: BTreeMap::new(),
        rds: rds::look(account, policies, &regions).await,
        source: match snapshot {
            Some(id) => Some(source::look(clients, &described, policies, id).await),
            None => None,
        },
        stack: match stack {
            Some(name) => Some((name.to_owned(), stack::look(&account.config, name).await)),
            None => None,
        },
    };
    let retired = facts.listed("RetiredRegions").into_iter().flatten().filter_map(|name| Region::parse(name).ok());
    let regions = regions.into_iter().chain(retired).collect();
    facts.copies = copies::look(clients, &Databases::besides(account, policies, &[]), &described, regions).await;
    facts
}

async fn regions_of(clients: &Clients) -> Result<BTreeMap<String, String>, CallError> {
    let answer = clients.ec2(&clients.home).describe_regions().all_regions(true).send().await;
    let answer = answer.map_err(|error| call_error(&error))?;
    let status = |region: &aws_sdk_ec2::types::Region| {
        Some((region.region_name()?.to_owned(), region.opt_in_status().unwrap_or_default().to_owned()))
    };
    Ok(answer.regions().iter().filter_map(status).collect())
}

async fn target_key(clients: &Clients, described: &KeyCache, region: Region, key: KeyArn) -> TargetKey {
    let fact = described.look(clients, &region, &key).await;
    let try_use = clients
        .kms(&region)
        .generate_data_key_without_plaintext()
        .key_id(key.as_str())
        .key_spec(DataKeySpec::Aes256)
        .dry_run(true)
        .send()
        .await;
    let try_use = match try_use.map_err(|error| call_error(&error)) {
        // KMS API reference, GenerateDataKeyWithoutPlaintext: the request would have succeeded.
        Err(error) if error.code == "DryRunOperationException" => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Ok(()),
    };
    TargetKey { key, region, fact, try_use }
}

async fn defaults(clients: &Clients, region: &Region) -> Result<Defaults, CallError> {
    let ec2 = clients.ec2(region);
    let by_default = async { ec2.get_ebs_encryption_by_default().send().await.map_err(|error| call_error(&error)) };
    let key = async { ec2.get_ebs_default_kms_key_id().send().await.map_err(|error| call_error(&error)) };
    let (by_default, key) = try_join(by_default, key).await?;
    let key = key.kms_key_id().unwrap_or_default().to_owned();
    let metadata = clients.kms(region).describe_key().key_id(&key).send().await.ok().and_then(|key| key.key_metadata);
    let manager = metadata.as_ref().and_then(|metadata| metadata.key_manager());
    Ok(Defaults {
        by_default: by_default.ebs_encryption_by_default().unwrap_or_default(),
        is_aws_managed: manager.map(|manager| *manager == KeyManagerType::Aws),
        key,
    })
}
