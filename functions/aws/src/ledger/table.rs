//! Requests to the table. Each write replaces one whole item, on the condition that it is still the one that was read.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use jiff::Timestamp;
use snapferry_core::facts::CallError;
use snapferry_flow::Written;

use super::attributes::{Attributes, Key, n, names, revision, s, text};
use super::obligations::{ENDED, EVENT, WITHDRAWN};
use crate::errors::call_error;

/// One attempt of a request. DynamoDB answers within milliseconds.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(1);
/// A request with its retries.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a request is made.
const ATTEMPTS: u32 = 3;
/// How long is waited before the first retry, at most.
const BACKOFF: Duration = Duration::from_millis(100);

/// How many items are looked at for a page.
const PAGE: i32 = 1000;

/// What [`Filter::Open`] lets through.
const OPEN: &str = "attribute_exists(#lpk) OR attribute_not_exists(#state) OR #state <> :ended \
                    OR (#why = :withdrawn AND #by = :event)";

/// The index of those who wait.
const LINE: &str = "line";

/// The table.
#[derive(Debug)]
pub struct Table {
    name: String,
    config: SdkConfig,
    client: OnceLock<Client>,
}

/// An item to write.
pub(super) struct Write {
    /// Its revision: what it replaces is of the one before.
    pub(super) revision: u64,
    /// All its attributes but the token.
    pub(super) item: Attributes,
}

/// What of a partition is read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Filter {
    /// What is not over, may return, or stands in a line: an edited one.
    Open,
}

/// Why an item was not written.
pub(super) enum Lost {
    /// Somebody else wrote it: what stands there, if anything does.
    Stale(Option<Attributes>),
    /// What stands there cannot be read.
    Unreadable(Attributes),
}

impl Table {
    /// The table of a name, in the home Region that `config` is of. Its client is made with the first request.
    #[must_use]
    pub fn new(config: &SdkConfig, name: String) -> Self {
        Self { name, config: config.clone(), client: OnceLock::new() }
    }

    /// With the given client instead of a made one, whose patience is a function's: for the operator's command, and for tests with
    /// mocked answers.
    #[must_use]
    pub fn with(client: Client, name: &str) -> Self {
        let config = SdkConfig::builder().build();
        Self { name: name.to_owned(), config, client: OnceLock::from(client) }
    }

    pub(super) async fn get(&self, key: Key) -> Result<Option<Attributes>, CallError> {
        let get = self.client().get_item().table_name(&self.name).set_key(Some(key.attributes())).consistent_read(true);
        Ok(get.send().await.map_err(|error| call_error(&error))?.item)
    }

    /// Hands over pages of the items of a partition whose sort keys begin with `begins` and that pass the filter, until `take` has
    /// enough.
    pub(super) async fn query(
        &self,
        pk: &str,
        begins: &str,
        only: Option<Filter>,
        take: impl FnMut(Vec<Attributes>) -> bool,
    ) -> Result<(), CallError> {
        let query = self.client().query().table_name(&self.name).consistent_read(true);
        let query = query.expression_attribute_names("#pk", names::PK).expression_attribute_values(":pk", s(pk));
        let query = if begins.is_empty() {
            query.key_condition_expression("#pk = :pk")
        } else {
            query
                .key_condition_expression("#pk = :pk AND begins_with(#sk, :begins)")
                .expression_attribute_names("#sk", names::SK)
                .expression_attribute_values(":begins", s(begins))
        };
        let query = match only {
            None => query,
            Some(Filter::Open) => query
                .filter_expression(OPEN)
                .expression_attribute_names("#lpk", names::LPK)
                .expression_attribute_names("#state", names::STATE)
                .expression_attribute_names("#why", names::WHY)
                .expression_attribute_names("#by", names::BY)
                .expression_attribute_values(":ended", s(ENDED))
                .expression_attribute_values(":withdrawn", s(WITHDRAWN))
                .expression_attribute_values(":event", s(EVENT)),
        };
        // A page of 1 MB would be many times that once it is read.
        pages(query.limit(PAGE), take).await
    }

    /// Up to `most` of what `read` makes of the items of one line of the index.
    pub(super) async fn query_line<T>(
        &self,
        line: &str,
        after: Option<&str>,
        before: Option<&str>,
        most: usize,
        read: impl Fn(&Attributes) -> Option<T>,
    ) -> Result<Vec<T>, CallError> {
        // A key condition names the sort key once, and BETWEEN takes in both ends.
        let condition = match (after, before) {
            (None, None) => "#lpk = :lpk",
            (Some(_), None) => "#lpk = :lpk AND #lsk > :after",
            (None, Some(_)) => "#lpk = :lpk AND #lsk < :before",
            (Some(_), Some(_)) => "#lpk = :lpk AND #lsk BETWEEN :after AND :before",
        };
        let is_within = |item: &Attributes| {
            let order = text(item, names::LSK).unwrap_or_default();
            after.is_none_or(|after| order > after) && before.is_none_or(|before| order < before)
        };
        if most == 0 || after.zip(before).is_some_and(|(after, before)| after >= before) {
            return Ok(Vec::new());
        }
        let mut query = self.client().query().table_name(&self.name).index_name(LINE);
        query = query.key_condition_expression(condition).limit(i32::try_from(most).unwrap_or(i32::MAX));
        query = query.expression_attribute_names("#lpk", names::LPK).expression_attribute_values(":lpk", s(line));
        if after.is_some() || before.is_some() {
            query = query.expression_attribute_names("#lsk", names::LSK);
        }
        for (name, bound) in [(":after", after), (":before", before)] {
            query = bound.into_iter().fold(query, |query, bound| query.expression_attribute_values(name, s(bound)));
        }
        let mut found = Vec::new();
        pages(query, |items| {
            found.extend(items.iter().filter(|item| is_within(item)).filter_map(&read));
            found.len() < most
        })
        .await?;
        found.truncate(most);
        Ok(found)
    }

    /// Writes an item if the one before it still stands. A first one is written where there is none, or one that is over for so
    /// long that DynamoDB may remove it at any moment.
    pub(super) async fn put(&self, write: Write) -> Result<Result<(), Lost>, CallError> {
        let condition = match write.revision.checked_sub(1) {
            Some(before) => Condition::is_of(before),
            None => Condition {
                expression: "attribute_not_exists(#pk) OR (#state = :ended AND #ttl < :now)",
                names: vec![("#pk", names::PK), ("#state", names::STATE), ("#ttl", names::TTL)],
                values: vec![(":ended", s(ENDED)), (":now", n(Timestamp::now().as_second()))],
            },
        };
        Ok(self.put_if(write.item, condition).await?.map_err(|found| match found {
            Some(found) if revision(&found).is_err() => Lost::Unreadable(found),
            found => Lost::Stale(found),
        }))
    }

    /// Writes an item in place of one whose revision cannot be read, if that still stands there.
    pub(super) async fn replace(&self, found: &Attributes, item: Attributes) -> Result<Written, CallError> {
        let (expression, values) = match found.get(names::REVISION) {
            Some(edited) => ("#revision = :edited", vec![(":edited", edited.clone())]),
            None => ("attribute_not_exists(#revision)", Vec::new()),
        };
        let condition = Condition { expression, names: vec![("#revision", names::REVISION)], values };
        let written = self.put_if(item, condition).await?;
        Ok(written.map_or(Written::Stale, |()| Written::Done))
    }

    /// Writes an item under a condition; gives what stands there when the condition is not met. A write whose answer was lost
    /// is sent again, and then meets itself: its token tells.
    async fn put_if(
        &self,
        mut item: Attributes,
        condition: Condition,
    ) -> Result<Result<(), Option<Attributes>>, CallError> {
        let token = format!("{:032x}", fastrand::u128(..));
        item.insert(names::TOKEN.to_owned(), s(&token));
        let put = self
            .client()
            .put_item()
            .table_name(&self.name)
            .set_item(Some(item))
            .condition_expression(condition.expression)
            .set_expression_attribute_names(condition.names())
            .set_expression_attribute_values(condition.values())
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = put.send().await else { return Ok(Ok(())) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                let is_own = |found: &Attributes| text(found, names::TOKEN) == Some(token.as_str());
                Ok(if failed.item().is_some_and(is_own) { Ok(()) } else { Err(failed.item().cloned()) })
            }
            _ => Err(call_error(&error)),
        }
    }

    /// Removes an item if it is still of this revision. One that is gone is removed.
    pub(super) async fn delete(&self, key: Key, revision: u64) -> Result<Written, CallError> {
        let condition = Condition::is_of(revision);
        let delete = self
            .client()
            .delete_item()
            .table_name(&self.name)
            .set_key(Some(key.attributes()))
            .condition_expression(condition.expression)
            .set_expression_attribute_names(condition.names())
            .set_expression_attribute_values(condition.values())
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = delete.send().await else { return Ok(Written::Done) };
        match error.as_service_error() {
            Some(DeleteItemError::ConditionalCheckFailedException(failed)) => {
                Ok(if failed.item().is_none_or(Attributes::is_empty) { Written::Done } else { Written::Stale })
            }
            _ => Err(call_error(&error)),
        }
    }

    fn client(&self) -> &Client {
        self.client.get_or_init(|| {
            let timeouts = self.config.timeout_config().map_or_else(TimeoutConfig::builder, TimeoutConfig::to_builder);
            let timeouts = timeouts.operation_attempt_timeout(ATTEMPT_TIMEOUT).operation_timeout(OPERATION_TIMEOUT);
            let retries = RetryConfig::standard().with_max_attempts(ATTEMPTS).with_initial_backoff(BACKOFF);
            let config = aws_sdk_dynamodb::config::Builder::from(&self.config);
            Client::from_conf(config.timeout_config(timeouts.build()).retry_config(retries).build())
        })
    }
}

/// On what an item is written or removed.
struct Condition {
    expression: &'static str,
    names: Vec<(&'static str, &'static str)>,
    values: Vec<(&'static str, AttributeValue)>,
}

impl Condition {
    /// That the item is of a revision.
    fn is_of(revision: u64) -> Self {
        Self {
            expression: "#revision = :revision",
            names: vec![("#revision", names::REVISION)],
            values: vec![(":revision", n(revision))],
        }
    }

    fn names(&self) -> Option<HashMap<String, String>> {
        Some(self.names.iter().map(|(name, attribute)| ((*name).to_owned(), (*attribute).to_owned())).collect())
    }

    fn values(&self) -> Option<Attributes> {
        // An empty map is refused.
        let values = self.values.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        (!self.values.is_empty()).then(|| values.collect())
    }
}

/// Reads page after page, until `take` has enough.
async fn pages(query: QueryFluentBuilder, mut take: impl FnMut(Vec<Attributes>) -> bool) -> Result<(), CallError> {
    let mut from = None;
    loop {
        let page =
            query.clone().set_exclusive_start_key(from.clone()).send().await.map_err(|error| call_error(&error))?;
        let next = page.last_evaluated_key.filter(|key| !key.is_empty());
        if !take(page.items.unwrap_or_default()) || next.is_none() {
            return Ok(());
        }
        if next == from {
            let message = "Query gave the same page again".to_owned();
            return Err(CallError { code: "UnreadableAnswer".to_owned(), message, request_id: None });
        }
        from = next;
    }
}
