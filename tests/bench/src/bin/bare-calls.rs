//! Makes the calls that one share event for three Regions needs, at the same time where that is possible, and does nothing with
//! the answers: the least that the copier's first invocation can cost with these SDKs.

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_ec2::types::Filter;
use futures_util::future::{try_join_all, try_join4};
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::{Value, json};

const SOURCE: &str = "snap-00000000000000001";
const VOLUME: &str = "vol-00000000000000000";

/// The clients: EC2's and KMS's of each target Region, those of the home Region.
struct Clients {
    home: aws_sdk_ec2::Client,
    table: aws_sdk_dynamodb::Client,
    regions: Vec<(String, aws_sdk_ec2::Client, aws_sdk_kms::Client)>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let config = snapferry_aws::clients::lambda_config(&snapferry_aws::settings::home_region()?)?;
    let regions = std::env::args().skip(1).map(|name| {
        let region = aws_config::Region::new(name.clone());
        let ec2 = aws_sdk_ec2::config::Builder::from(&config).region(region.clone()).build();
        let kms = aws_sdk_kms::config::Builder::from(&config).region(region).build();
        (name, aws_sdk_ec2::Client::from_conf(ec2), aws_sdk_kms::Client::from_conf(kms))
    });
    let clients = Clients {
        home: aws_sdk_ec2::Client::new(&config),
        table: aws_sdk_dynamodb::Client::new(&config),
        regions: regions.collect(),
    };
    let clients = &clients;
    lambda_runtime::run(service_fn(async |_: LambdaEvent<Value>| clients.event().await)).await
}

impl Clients {
    async fn event(&self) -> Result<Value, lambda_runtime::Error> {
        self.look().await?;
        try_join_all(self.regions.iter().map(|(name, ec2, _)| self.copy(name, ec2))).await?;
        Ok(json!({"batchItemFailures": []}))
    }

    async fn look(&self) -> Result<(), lambda_runtime::Error> {
        let copies = |ec2: &aws_sdk_ec2::Client| {
            let of = |name: &str, value: &str| Filter::builder().name(name).values(value).build();
            let filters = [("tag:snapferry:source-snapshot", SOURCE), ("tag:snapferry:source-region", "us-east-1")];
            let filters = filters.map(|(name, value)| of(name, value)).to_vec();
            ec2.describe_snapshots().owner_ids("self").set_filters(Some(filters)).send()
        };
        let turns = |name: &str| {
            let query = self.table.query().table_name("ledger").consistent_read(true);
            let query = query.key_condition_expression("#pk = :pk").expression_attribute_names("#pk", "pk");
            query.expression_attribute_values(":pk", AttributeValue::S(format!("A#{name}"))).send()
        };
        let obligation = |name: &str| {
            let get = self.table.get_item().table_name("ledger").consistent_read(true);
            get.key("pk", text("O#1")).key("sk", text(name)).send()
        };
        let sources = self.home.describe_snapshots().snapshot_ids(SOURCE).send();
        let regions = try_join_all(self.regions.iter().map(async |(name, ec2, kms)| {
            let key = kms.describe_key().key_id("alias/snapferry").send();
            try_join4(
                async { copies(ec2).await.map_err(lambda_runtime::Error::from) },
                async { key.await.map_err(Into::into) },
                async { turns(name).await.map_err(Into::into) },
                async { obligation(name).await.map_err(Into::into) },
            )
            .await
        }));
        let sources = async { sources.await.map_err(lambda_runtime::Error::from) };
        futures_util::future::try_join(sources, regions).await?;
        Ok(())
    }

    async fn copy(&self, name: &str, ec2: &aws_sdk_ec2::Client) -> Result<(), lambda_runtime::Error> {
        self.write(name, 0).await?;
        ec2.copy_snapshot().source_region("us-east-1").source_snapshot_id(SOURCE).encrypted(true).send().await?;
        self.write(name, 1).await
    }

    /// An obligation's item, or one of its size.
    async fn write(&self, name: &str, revision: u64) -> Result<(), lambda_runtime::Error> {
        let put = self.table.put_item().table_name("ledger").item("pk", text("O#1")).item("sk", text(name));
        let put = ["account", "lineage", "start", "by", "wanted", "state", "token"]
            .into_iter()
            .fold(put, |put, attribute| put.item(attribute, text(VOLUME)));
        let put = put.item("revision", AttributeValue::N(revision.to_string()));
        let put = match revision.checked_sub(1) {
            Some(before) => put
                .condition_expression("#revision = :revision")
                .expression_attribute_names("#revision", "revision")
                .expression_attribute_values(":revision", AttributeValue::N(before.to_string())),
            None => put.condition_expression("attribute_not_exists(#pk)").expression_attribute_names("#pk", "pk"),
        };
        put.send().await?;
        Ok(())
    }
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}
