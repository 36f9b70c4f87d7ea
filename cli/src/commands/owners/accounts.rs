//! The accounts of an organization, as `aws organizations list-accounts` and boto3 write them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::Value;
use snapferry_core::ids::AccountId;
use snapferry_core::text::printable;

use crate::terminal::input;

/// The longest file that is read: far more than an organization of 10,000 accounts takes.
const MAX_FILE_BYTES: usize = 64 * 1024 * 1024;

/// The states in which an account is not used (Organizations API reference, Account, `State`).
const OUT_OF_USE: [&str; 4] = ["PENDING_ACTIVATION", "SUSPENDED", "PENDING_CLOSURE", "CLOSED"];

/// An account of the organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) id: AccountId,
    /// Its name, made harmless.
    pub(crate) name: String,
    /// Its state; `None` when it is active.
    pub(crate) out_of_use: Option<String>,
    /// Where it is in the organization; `None` when the list does not say.
    pub(crate) paths: Option<Vec<String>>,
    /// The organization's management account, from the account's ARN.
    pub(crate) management: Option<AccountId>,
}

/// A page of the list (Organizations API reference, ListAccounts).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Page {
    pub(crate) accounts: Vec<Account>,
    #[serde(default)]
    pub(crate) next_token: Option<String>,
}

/// An account as it stands there (Organizations API reference, Account). `State` takes the place of `Status`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Account {
    #[serde(default)]
    pub(crate) id: Value,
    pub(crate) arn: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) state: Option<String>,
    pub(crate) paths: Option<Vec<String>>,
}

/// Reads the files, in their order: one list, whole or page after page.
///
/// # Errors
/// When one cannot be read, the list is not whole, or an account in it is in doubt: one that is passed over would be removed.
pub(crate) fn of_files(files: &[PathBuf]) -> anyhow::Result<Vec<Listed>> {
    let mut pages = Vec::new();
    for file in files {
        let text = input::text(file, MAX_FILE_BYTES)?;
        for document in serde_json::Deserializer::from_str(&text).into_iter::<Value>() {
            let document = document.with_context(|| format!("{} is not JSON", input::shown(file)))?;
            pages.extend(pages_of(document).with_context(|| input::shown(file))?);
        }
    }
    of_pages(pages)
}

/// Puts pages together.
///
/// # Errors
/// As [`of_files`].
pub(crate) fn of_pages(pages: Vec<Page>) -> anyhow::Result<Vec<Listed>> {
    let last = pages.len().checked_sub(1).context("there is no list of accounts")?;
    let mut listed: BTreeMap<AccountId, Listed> = BTreeMap::new();
    for (index, page) in pages.into_iter().enumerate() {
        let number = index + 1;
        match page.next_token {
            Some(_) if index == last => anyhow::bail!(
                "the list of accounts is not whole: page {number} has a NextToken, and the next page is not there (list \
                 again without --max-items and --no-paginate, or give the other pages too)"
            ),
            None if index < last => {
                anyhow::bail!("page {number} is the end of a list of accounts, and more follows: give one list")
            }
            _ => {}
        }
        for (place, account) in (1_usize..).zip(page.accounts) {
            let account = read(account).with_context(|| format!("account {place} of page {number}"))?;
            let id = account.id.clone();
            if let Some(other) = listed.insert(id, account.clone()) {
                anyhow::ensure!(other == account, "{} is listed twice, and not the same: list again", account.id);
            }
        }
    }
    anyhow::ensure!(!listed.is_empty(), "no account is listed");
    let mut managements = listed.values().map(|account| &account.management);
    let first = managements.next();
    let is_one = managements.all(|management| Some(management) == first);
    anyhow::ensure!(is_one, "the accounts are of more than one organization, or some have no ARN");
    // The accounts of one organizational unit are listed in the same form, and each that is not among them would be removed.
    if let Some(management) = listed.values().find_map(|account| account.management.as_ref()) {
        anyhow::ensure!(
            listed.contains_key(management),
            "the list of accounts is not whole: the management account {management}, which their ARNs name, is not in it, as in \
             what `aws organizations list-accounts-for-parent` answers. Give what `aws organizations list-accounts` answers, and \
             --ou where one organizational unit is meant"
        );
    }
    Ok(listed.into_values().collect())
}

/// The pages in one JSON document: one, or an array of them.
fn pages_of(document: Value) -> anyhow::Result<Vec<Page>> {
    let pages = match document {
        Value::Array(pages) => pages,
        page => vec![page],
    };
    let is_bare = pages.iter().any(|page| page.get("Accounts").is_none());
    anyhow::ensure!(
        !is_bare,
        "not what `aws organizations list-accounts` answers, an object with Accounts (without --query: accounts alone do \
         not say whether they are all)"
    );
    pages.into_iter().map(|page| serde_json::from_value(page).context("a page cannot be read")).collect()
}

fn read(account: Account) -> anyhow::Result<Listed> {
    let Account { id, arn, name, status, state, paths } = account;
    let name = printable(&name.unwrap_or_default(), 64);
    let text = match &id {
        Value::String(text) => text.clone(),
        Value::Null => anyhow::bail!("{name:?} has no Id"),
        other => other.to_string(),
    };
    let id = input::account(&text).map_err(|error| anyhow::anyhow!("{name:?}: {error}"))?;
    let state = state.or(status).with_context(|| format!("{id} {name:?} has neither a State nor a Status"))?;
    let out_of_use = OUT_OF_USE.contains(&state.as_str()).then(|| state.clone());
    anyhow::ensure!(
        out_of_use.is_some() || state == "ACTIVE",
        "{id} {name:?} is in a state that this version does not know: {}",
        printable(&state, 64)
    );
    let management = arn.as_deref().map(|arn| management(arn, &id)).transpose()?;
    Ok(Listed { id, name, out_of_use, paths, management })
}

/// The management account that an account's ARN names: `arn:aws:organizations::MANAGEMENT:account/o-…/ACCOUNT` (Service
/// Authorization Reference, AWS Organizations).
fn management(arn: &str, id: &AccountId) -> anyhow::Result<AccountId> {
    let found = || {
        let mut parts = arn.split(':').skip(2);
        let (service, _, management, resource) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let is_its = resource.starts_with("account/o-") && resource.ends_with(&format!("/{id}"));
        (service == "organizations" && is_its).then(|| AccountId::parse(management).ok())?
    };
    found().with_context(|| format!("{id}: {} is not its ARN", printable(arn, 160)))
}
