//! Looks at the ledger's table.

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{GlobalSecondaryIndexDescription, KeySchemaElement, TableDescription};
use snapferry_aws::errors::call_error;
use snapferry_core::facts::CallError;

use crate::commands::doctor::facts::{Keys, Table};

/// How the table is kept. Of its items nothing is read.
pub(super) async fn look(config: &SdkConfig, name: &str) -> Result<Table, CallError> {
    let tables = Client::new(config);
    let answer = tables.describe_table().table_name(name).send().await.map_err(|error| call_error(&error))?;
    let recovery = recovery(&tables, name).await;
    Ok(table(name, &answer.table.unwrap_or_else(|| TableDescription::builder().build()), recovery))
}

async fn recovery(tables: &Client, name: &str) -> Result<String, CallError> {
    let answer = tables.describe_continuous_backups().table_name(name).send().await;
    let answer = answer.map_err(|error| call_error(&error))?;
    let backups = answer.continuous_backups_description;
    let recovery = backups.as_ref().and_then(|backups| backups.point_in_time_recovery_description());
    let status = recovery.and_then(|recovery| recovery.point_in_time_recovery_status());
    Ok(status.map(|status| status.as_str().to_owned()).unwrap_or_default())
}

fn table(name: &str, found: &TableDescription, recovery: Result<String, CallError>) -> Table {
    let encryption = found.sse_description().and_then(|encryption| encryption.status());
    Table {
        name: name.to_owned(),
        status: found.table_status().map(|status| status.as_str().to_owned()).unwrap_or_default(),
        keys: keys(found.key_schema()),
        indexes: found.global_secondary_indexes().iter().filter_map(index).collect(),
        is_deletion_protected: found.deletion_protection_enabled().unwrap_or_default(),
        encryption: encryption.map(|status| status.as_str().to_owned()),
        recovery,
    }
}

fn index(found: &GlobalSecondaryIndexDescription) -> Option<(String, (Keys, String, String))> {
    let status = found.index_status().map(|status| status.as_str().to_owned()).unwrap_or_default();
    let projection = found.projection().and_then(|projection| projection.projection_type());
    let projection = projection.map(|kind| kind.as_str().to_owned()).unwrap_or_default();
    Some((found.index_name()?.to_owned(), (keys(found.key_schema()), status, projection)))
}

fn keys(schema: &[KeySchemaElement]) -> Keys {
    schema.iter().map(|key| (key.attribute_name().to_owned(), key.key_type().as_str().to_owned())).collect()
}
