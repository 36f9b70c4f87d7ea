//! The accounts of an organization, from AWS Organizations.

use aws_sdk_organizations::types;
use serde_json::Value;
use snapferry_aws::errors::call_error;

use super::accounts::{Account, Page};
use crate::account::connection::{Connection, words};

/// Reads the whole list.
///
/// # Errors
/// When a page cannot be read, or comes again.
pub(super) async fn pages(connection: &Connection) -> anyhow::Result<Vec<Page>> {
    let config = connection.settings().await?;
    let organizations = aws_sdk_organizations::Client::new(&config);
    let (mut pages, mut token) = (Vec::new(), None::<String>);
    loop {
        let answer = organizations.list_accounts().set_next_token(token.clone()).send().await;
        let answer = answer.map_err(|error| {
            anyhow::anyhow!(
                "the organization's accounts cannot be listed: {}\n        Use credentials of the management account or of a \
                 delegated administrator that may organizations:ListAccounts, or give what `aws organizations list-accounts` \
                 answers there.",
                words(&call_error(&error))
            )
        })?;
        let next = answer.next_token.filter(|next| !next.is_empty());
        anyhow::ensure!(next.is_none() || next != token, "Organizations gave the same page token twice");
        let accounts = answer.accounts.unwrap_or_default().into_iter().map(account).collect();
        pages.push(Page { accounts, next_token: next.clone() });
        if next.is_none() {
            return Ok(pages);
        }
        token = next;
    }
}

fn account(account: types::Account) -> Account {
    Account {
        id: account.id.map_or(Value::Null, Value::String),
        arn: account.arn,
        name: account.name,
        status: account.status.map(|status| status.as_str().to_owned()),
        state: account.state.map(|state| state.as_str().to_owned()),
        paths: account.paths,
    }
}
