//! A `CrossRegionCopy` entry: where a copy goes, under which key, for how long.

use std::collections::BTreeSet;

use super::accounts;
use super::error::Warnings;
use super::path::{Path, Problem, quoted};
use super::proof::{self, ProofRule};
use super::raw;
use super::regions::{self, Doubt};
use crate::audit::PolicyWarning;
use crate::ids::{KeyArn, Region};
use crate::kind::SourceType;
pub use crate::retention::LockMode;
use crate::retention::{Interval, IntervalUnit, MAX_LOCK_DAYS};
use crate::tags::OWN_TAGS;

/// The most `TagsToAdd` of a target. EC2 allows 50 tags (EC2 User Guide, tag restrictions), Snapferry's own take
/// [`OWN_TAGS`] of them, and the others are left to what tags snapshots besides, such as a tag policy's automation or a
/// backup tool: a copy that they filled could not take its verdict.
pub const MAX_TAGS_TO_ADD: usize = 30;
const _: () = assert!(MAX_TAGS_TO_ADD + OWN_TAGS + 5 <= 50, "others' tags need room, too");

/// The most characters of a tag's key (EC2 API reference, `Tag`: 127, where most services and the EC2 User Guide say 128). EC2
/// refuses longer ones, and keys that begin with `aws:`, in any case, with each copy.
const MAX_TAG_KEY: usize = 127;

/// The most characters of a tag's value (EC2 API reference, `Tag`). EC2 refuses longer ones with each copy.
const MAX_TAG_VALUE: usize = 256;

/// The most days of which `KeepAtLeast` may hold a copy back. DLM's count-based rules end there too.
const MAX_KEEP_AT_LEAST: i64 = 1000;

/// The cool-off period in hours (EC2 API reference, `LockSnapshot`).
const COOL_OFF_HOURS: (i64, i64) = (1, 72);

/// The completion duration in minutes, in steps of 15 (EC2 API reference, `CopySnapshot`).
const COMPLETION_MINUTES: (i64, i64) = (15, 2880);

/// One target of a policy (DLM API reference, `CrossRegionCopyAction`; the additions are Snapferry's).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// `Target`: the Region that copies go to.
    pub region: Region,
    /// `EncryptionConfiguration`: the key of the copies.
    pub encryption: Encryption,
    /// `RetainRule`: when copies expire; never without it.
    pub retain: Option<RetainRule>,
    /// `LockRule`: whether verified copies are locked.
    pub lock: Option<LockRule>,
    /// `ProofRule`: whether verified copies' content is proven.
    pub proof: Option<ProofRule>,
    /// `TagsToAdd`: tags for the copies besides Snapferry's own, at most [`MAX_TAGS_TO_ADD`] with distinct keys.
    pub tags: Vec<Tag>,
    /// `CompletionDurationMinutes`: a time-based copy (EC2 API reference, `CopySnapshot`).
    pub completion_duration_minutes: Option<u32>,
}

/// How copies are encrypted (DLM API reference, `EncryptionConfiguration`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encryption {
    /// `Encrypted: false`. A copy of an encrypted snapshot, or in an account with encryption by default, is encrypted
    /// nevertheless, under the key that EC2 chooses as for [`Self::DefaultKey`].
    AsSource,
    /// `Encrypted: true` without a `CmkArn`: EC2 chooses the key. While encryption by default is off in the target Region, copies
    /// of encrypted snapshots are under the AWS managed key `aws/ebs`, whatever default key the account has chosen; all others
    /// are under the account's default key for EBS (EBS User Guide, "Copy an Amazon EBS snapshot").
    DefaultKey,
    /// `Encrypted: true` under the key `CmkArn`, which is in the target Region.
    Key(KeyArn),
}

/// How long copies are kept (DLM API reference, `CrossRegionCopyRetainRule`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetainRule {
    /// `Interval` and `IntervalUnit`, counted from the request of the copy: at most 100 years.
    pub interval: Interval,
    /// `KeepAtLeast`: of how many of the last days on which a volume has a verified copy the newest one stays, whatever its
    /// expiry; 1 when absent.
    pub keep_at_least: u32,
}

/// How copies are locked (EC2 API reference, `LockSnapshot`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockRule {
    /// `Mode`.
    pub mode: LockMode,
    /// `Interval` and `IntervalUnit`, counted from the lock: at most 36,500 days, and no longer than the retention
    /// unless the rule says `"MayOutliveRetention": true`.
    pub interval: Interval,
    /// `CoolOffPeriod` in hours, in compliance mode only: so long the lock may still be lifted.
    pub cool_off_hours: Option<u32>,
}

/// A tag for the copies (EC2 API reference, `Tag`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// 1 to 127 characters, in neither the `aws:` nor the `snapferry:` namespace.
    pub key: String,
    /// 0 to 256 characters.
    pub value: String,
}

/// Checks the entry at `path` of a policy of `source_types`.
pub(super) fn check(
    copy: raw::CrossRegionCopy,
    source_types: &BTreeSet<SourceType>,
    path: &Path,
    warnings: &mut Warnings<'_>,
) -> Result<Target, Problem> {
    let region = target_region(copy.target, path, warnings)?;
    let encryption = path.required(copy.encryption_configuration, "EncryptionConfiguration", "{\"Encrypted\": …}")?;
    let encryption_path = path.member("EncryptionConfiguration");
    let encryption = self::encryption(encryption, &region, &encryption_path)?;
    if encryption == Encryption::AsSource {
        let message = in_the_clear(source_types, &region);
        warnings.add(&encryption_path.member("Encrypted"), PolicyWarning::TargetUnencrypted, message);
    }
    let retain = copy.retain_rule.map(|rule| retain_rule(&rule, &path.member("RetainRule"))).transpose()?;
    if retain.is_some_and(|retain| retain.keep_at_least == 0) {
        let path = path.member("RetainRule").member("KeepAtLeast");
        warnings.add(&path, PolicyWarning::KeepNone, no_last_copy(source_types));
    }
    let lock = copy.lock_rule.map(|rule| lock_rule(&rule, retain.as_ref(), &path.member("LockRule"))).transpose()?;
    let proof = copy.proof_rule.map(|rule| proof::check(&rule, &path.member("ProofRule"))).transpose()?;
    let tags = tags(copy.tags_to_add.unwrap_or_default(), &path.member("TagsToAdd"))?;
    let completion_duration_minutes = copy
        .completion_duration_minutes
        .map(|minutes| completion_minutes(minutes, &path.member("CompletionDurationMinutes")))
        .transpose()?;
    Ok(Target { region, encryption, retain, lock, proof, tags, completion_duration_minutes })
}

fn target_region(target: Option<String>, copy: &Path, warnings: &mut Warnings<'_>) -> Result<Region, Problem> {
    let allowed = "a Region code such as eu-central-1";
    let target = copy.required(target, "Target", allowed)?;
    let path = copy.member("Target");
    let region = Region::parse(&target).map_err(|error| path.wrong(quoted(&target), error.expected))?;
    match regions::doubt(&region) {
        Doubt::None => {}
        Doubt::New(message) => warnings.add(&path, PolicyWarning::RegionUnknown, message),
        Doubt::Misspelt(message) => return Err(path.wrong(message, allowed)),
    }
    Ok(region)
}

fn encryption(
    configuration: raw::EncryptionConfiguration,
    region: &Region,
    path: &Path,
) -> Result<Encryption, Problem> {
    let encrypted = path.required(configuration.encrypted, "Encrypted", "true or false")?;
    match (encrypted, configuration.cmk_arn) {
        (true, Some(arn)) => key(&arn, region, &path.member("CmkArn")).map(Encryption::Key),
        (true, None) => Ok(Encryption::DefaultKey),
        (false, Some(_)) => {
            let message = "a key, but \"Encrypted\" is false";
            Err(path.member("CmkArn").wrong(message, "CmkArn with \"Encrypted\": true, or no CmkArn"))
        }
        (false, None) => Ok(Encryption::AsSource),
    }
}

/// What comes of `"Encrypted": false`: EC2 and RDS do different things with it.
fn in_the_clear(source_types: &BTreeSet<SourceType>, region: &Region) -> String {
    let volumes = "copies of unencrypted snapshots are not encrypted unless EBS encryption by default is on, and others are \
                   under a key that EC2 chooses";
    let databases = "copies of databases' unencrypted snapshots are not encrypted, and their encrypted snapshots are not copied: \
                     RDS makes such a copy only under a key that the policy names";
    let remedy = format!("set it to true and name a key in {region} in CmkArn");
    match names(source_types) {
        (true, false) => format!("false, so {volumes}"),
        (false, true) => format!("false, so {databases}; {remedy}"),
        _ => format!("false, so of volumes, {volumes}; {databases}; {remedy}"),
    }
}

/// What comes of a `KeepAtLeast` of 0.
fn no_last_copy(source_types: &BTreeSet<SourceType>) -> String {
    let whose = match names(source_types) {
        (true, false) => "a volume",
        (false, true) => "a database",
        _ => "a volume or a database",
    };
    format!("0, so the last verified copy of {whose} is deleted when it expires")
}

/// Whether volumes are among the kinds, and whether databases are.
fn names(source_types: &BTreeSet<SourceType>) -> (bool, bool) {
    let mut kinds = source_types.iter();
    (source_types.contains(&SourceType::EbsSnapshot), kinds.any(|kind| kind.is_of_databases()))
}

/// A key's ARN in the target's partition and Region.
fn key(arn: &str, region: &Region, path: &Path) -> Result<KeyArn, Problem> {
    let partition = region.partition();
    let allowed = format!("the ARN of a key in {region}, such as arn:{partition}:kms:{region}:111122223333:key/ID");
    if arn.contains(":alias/") || arn.starts_with("alias/") {
        let message = format!("{} is an alias, which may point to another key tomorrow", quoted(arn));
        return Err(path.wrong(message, allowed));
    }
    let Ok(key) = KeyArn::parse(arn) else {
        let message = match arn.split(':').nth(4).and_then(accounts::lost) {
            Some((how, _)) => format!("{}, an ARN whose account ID is wrong, {how}", quoted(arn)),
            None => quoted(arn),
        };
        return Err(path.wrong(message, allowed));
    };
    let other = [Some(key.partition()), Region::parse(key.region()).ok().map(|region| region.partition())];
    if let Some(other) = other.into_iter().flatten().find(|other| *other != partition) {
        let message = format!(
            "{} is a key of the partition {}, but the Target {region} is in the partition {partition}",
            quoted(arn),
            quoted(other)
        );
        return Err(path.wrong(message, allowed));
    }
    if key.region() != region.as_str() {
        return Err(path.wrong(format!("a key in {}, but the Target is {region}", key.region()), allowed));
    }
    Ok(key)
}

fn retain_rule(rule: &raw::RetainRule, path: &Path) -> Result<RetainRule, Problem> {
    let interval = interval(rule.interval, rule.interval_unit.as_deref(), path)?;
    let keep_at_least = whole(rule.keep_at_least.unwrap_or(1), 0, MAX_KEEP_AT_LEAST, &path.member("KeepAtLeast"))?;
    Ok(RetainRule { interval, keep_at_least })
}

fn lock_rule(rule: &raw::LockRule, retain: Option<&RetainRule>, path: &Path) -> Result<LockRule, Problem> {
    let mode = path.required(rule.mode.as_deref(), "Mode", "governance, compliance")?;
    let mode = [LockMode::Governance, LockMode::Compliance]
        .into_iter()
        .find(|known| known.as_str() == mode)
        .ok_or_else(|| path.member("Mode").none_of(&["governance", "compliance"], mode))?;
    let interval = interval(rule.interval, rule.interval_unit.as_deref(), path)?;
    if interval.longest_days() > u64::from(MAX_LOCK_DAYS) {
        let message = format!("{interval} may be {} days", interval.longest_days());
        return Err(path.member("Interval").wrong(message, format!("at most {MAX_LOCK_DAYS} days, such as 99 YEARS")));
    }
    let may_outlive = rule.may_outlive_retention == Some(true);
    if let Some(retain) = retain.filter(|retain| !may_outlive && interval.may_outlast(retain.interval)) {
        let message = format!("a lock of {interval} may outlast the retention of {}", retain.interval);
        return Err(path.member("Interval").wrong(message, "a shorter lock, or \"MayOutliveRetention\": true"));
    }
    let cool_off_hours =
        rule.cool_off_period.map(|hours| cool_off(hours, mode, &path.member("CoolOffPeriod"))).transpose()?;
    Ok(LockRule { mode, interval, cool_off_hours })
}

fn cool_off(hours: i64, mode: LockMode, path: &Path) -> Result<u32, Problem> {
    if mode != LockMode::Compliance {
        return Err(path.wrong("a cool-off period, but \"Mode\" is not compliance", "absent in governance mode"));
    }
    whole(hours, COOL_OFF_HOURS.0, COOL_OFF_HOURS.1, path)
}

fn interval(count: Option<i64>, unit: Option<&str>, rule: &Path) -> Result<Interval, Problem> {
    let units = IntervalUnit::ALL.map(IntervalUnit::as_str);
    let unit = rule.required(unit, "IntervalUnit", &units.join(", "))?;
    let unit = IntervalUnit::ALL
        .into_iter()
        .find(|known| known.as_str() == unit)
        .ok_or_else(|| rule.member("IntervalUnit").none_of(&units, unit))?;
    let path = rule.member("Interval");
    let allowed = format!("1 to {} {unit}", unit.max_count());
    let count = rule.required(count, "Interval", &allowed)?;
    match u32::try_from(count) {
        Ok(count) if (1..=unit.max_count()).contains(&count) => Ok(Interval { count, unit }),
        _ => Err(path.wrong(format!("{count} {unit}"), allowed)),
    }
}

fn completion_minutes(minutes: i64, path: &Path) -> Result<u32, Problem> {
    let (least, most) = COMPLETION_MINUTES;
    match u32::try_from(minutes) {
        Ok(valid) if (least..=most).contains(&minutes) && minutes % least == 0 => Ok(valid),
        _ => Err(path.wrong(minutes.to_string(), format!("{least} to {most} in steps of {least}"))),
    }
}

fn whole(number: i64, least: i64, most: i64, path: &Path) -> Result<u32, Problem> {
    match u32::try_from(number) {
        Ok(valid) if (least..=most).contains(&number) => Ok(valid),
        _ => Err(path.wrong(number.to_string(), format!("{least} to {most}"))),
    }
}

fn tags(tags: Vec<raw::Tag>, path: &Path) -> Result<Vec<Tag>, Problem> {
    if tags.len() > MAX_TAGS_TO_ADD {
        let allowed = format!(
            "at most {MAX_TAGS_TO_ADD}: a snapshot has at most 50, Snapferry's own are {OWN_TAGS}, and others need room"
        );
        return Err(path.wrong(format!("{} tags", tags.len()), allowed));
    }
    let mut keys = BTreeSet::new();
    let mut checked = Vec::with_capacity(tags.len());
    for (index, tag) in tags.into_iter().enumerate() {
        let tag = self::tag(tag, &path.item(index))?;
        if !keys.insert(tag.key.clone()) {
            let path = path.item(index).member("Key");
            return Err(path.wrong(format!("{} stands twice", quoted(&tag.key)), "each key once"));
        }
        checked.push(tag);
    }
    Ok(checked)
}

fn tag(tag: raw::Tag, path: &Path) -> Result<Tag, Problem> {
    let key = path.required(tag.key, "Key", &format!("1 to {MAX_TAG_KEY} characters"))?;
    let value = path.required(tag.value, "Value", &format!("0 to {MAX_TAG_VALUE} characters"))?;
    tag_text(&key, 1, MAX_TAG_KEY, &path.member("Key"))?;
    tag_text(&value, 0, MAX_TAG_VALUE, &path.member("Value"))?;
    let lower = key.to_lowercase();
    if let Some(namespace) = ["aws:", "snapferry:"].into_iter().find(|namespace| lower.starts_with(namespace)) {
        let message = format!("{} is in the namespace {namespace}", quoted(&key));
        return Err(path.member("Key").wrong(message, "keys outside of aws: and snapferry:"));
    }
    Ok(Tag { key, value })
}

/// EC2 itself takes any character; these are the ones that its guide says are safe with every service that reads tags.
fn tag_text(text: &str, least: usize, most: usize, path: &Path) -> Result<(), Problem> {
    let length = text.chars().count();
    if !(least..=most).contains(&length) {
        return Err(path.wrong(format!("{length} characters"), format!("{least} to {most} characters")));
    }
    if !text.chars().all(|c| c.is_alphanumeric() || " +-=._:/@".contains(c)) {
        return Err(path.wrong(quoted(text), "letters, digits, spaces and + - = . _ : / @"));
    }
    Ok(())
}
