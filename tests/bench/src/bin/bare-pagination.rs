//! Reads this account's snapshots in the Regions named, or those that another shares in `region=account`, page after page,
//! Regions at the same time, and keeps nothing: the least that a sweep can cost with this SDK.

use std::time::Instant;

use aws_sdk_ec2::config::Builder;
use futures_util::future::try_join_all;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let began = Instant::now();
    let config = snapferry_aws::clients::lambda_config(&snapferry_aws::settings::home_region()?)?;
    let reads = std::env::args().skip(1).map(async |region| {
        let (region, owner) = region.split_once('=').unwrap_or((&region, "self"));
        let region = aws_config::Region::new(region.to_owned());
        let client = aws_sdk_ec2::Client::from_conf(Builder::from(&config).region(region).build());
        let mut pages = client.describe_snapshots().owner_ids(owner).max_results(1000).into_paginator().send();
        let mut count = 0;
        while let Some(page) = pages.try_next().await? {
            count += page.snapshots().len();
        }
        anyhow::Ok(count)
    });
    let snapshots: usize = try_join_all(reads).await?.into_iter().sum();
    println!("{}", serde_json::json!({"snapshots": snapshots, "seconds": began.elapsed().as_secs_f64()}));
    Ok(())
}
