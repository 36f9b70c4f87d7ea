use proptest::prelude::*;
use proptest::sample::subsequence;

use super::*;

const REGIONS: [&str; 5] = ["eu-central-1", "eu-west-1", "us-east-1", "cn-north-1", "us-gov-west-1"];
const KEYS: [&str; 2] = [
    "arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "arn:aws:kms:us-east-1:222222222222:key/mrk-0a1b2c3d0a1b2c3d4e5f0a1b2c3d4e5f",
];

fn regions() -> impl Strategy<Value = Vec<Region>> {
    subsequence(&REGIONS, 0..=REGIONS.len()).prop_map(|names| names.iter().map(|name| region(name)).collect())
}

fn region(name: &str) -> Region {
    Region::parse(name).unwrap()
}

/// Some keys, all of them twice.
fn keys() -> impl Strategy<Value = Vec<KeyArn>> {
    subsequence(&KEYS, 0..=KEYS.len())
        .prop_map(|arns| arns.iter().chain(&arns).map(|arn| KeyArn::parse(arn).unwrap()).collect())
}

fn scopes() -> impl Strategy<Value = Scope> {
    let owners = prop::collection::btree_set("[0-9]{12}", 1..4)
        .prop_map(|accounts| accounts.iter().map(|account| AccountId::parse(account).unwrap()).collect());
    let targets = regions().prop_filter("there are targets", |targets| !targets.is_empty());
    let home = prop::sample::select(&REGIONS).prop_map(region);
    let retired = (regions(), regions()).prop_map(|(regions, homes)| Retired { regions, homes });
    let copy_owner = prop::sample::select(&[CopyOwner::Listed, CopyOwner::Any]);
    let proof = prop::sample::select(&[Proof::None, Proof::WithoutSourceKeys, Proof::WithSourceKeys]);
    (home, owners, targets, keys(), 0..=36_500_u32, (keys(), copy_owner, proof, any::<bool>()), retired).prop_map(
        |(home, owners, targets, target_keys, max_lock_days, (source_keys, copy_owner, proof, databases), retired)| {
            Scope {
                home,
                owners,
                targets,
                target_keys,
                max_lock_days,
                source_keys,
                copy_owner,
                retired,
                proof,
                has_databases: databases,
            }
        },
    )
}

fn statement(roles: &[Role], sid: &str) -> Option<Value> {
    let documents = roles.iter().flat_map(|role| &role.policies).map(|(_, document)| document);
    let mut found = documents.flat_map(Document::statements).filter(|statement| statement.sid == sid);
    found.next().map(|statement| serde_json::to_value(statement).unwrap())
}

fn listed(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .map_or_else(|| vec![value.as_str().unwrap()], |all| all.iter().map(|each| each.as_str().unwrap()).collect())
}

/// Each once, in their order.
fn distinct<'a>(all: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut found = Vec::new();
    all.into_iter().for_each(|each| {
        if !found.contains(&each) {
            found.push(each)
        }
    });
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_roles_allow_what_the_scope_names(scope in scopes()) {
        let roles = roles(&scope).unwrap();
        let text = format!("{:?}", roles);
        // Offline nobody knows the account whose keys copies are under where the policy names none.
        let text = text.replace("${AWS::AccountId}", "");
        prop_assert!(!text.contains("Fn::") && !text.contains("${AWS::"), "{}", text);
        let sources = statement(&roles, "CopyFromSourceAccounts").unwrap();
        let owners: Vec<_> = scope.owners.iter().map(AccountId::as_str).collect();
        match scope.copy_owner {
            CopyOwner::Listed => {
                prop_assert_eq!(listed(&sources["Condition"]["StringEquals"]["ec2:Owner"]), owners.clone());
            }
            CopyOwner::Any => prop_assert!(sources["Condition"].is_null(), "{}", sources),
        }
        for (sid, regions) in [
            ("CreateTaggedCopies", std::iter::once(&scope.home).chain(&scope.targets).collect::<Vec<_>>()),
            ("TagWhileCopying", std::iter::once(&scope.home).chain(&scope.targets).collect()),
            ("DeleteCopies", scope.targets.iter().chain(&scope.retired.regions).collect()),
        ] {
            let found = statement(&roles, sid).unwrap();
            let resource = found["Resource"].as_str().unwrap();
            let beginning = format!("arn:{}:ec2:*::snapshot/", scope.home.partition());
            prop_assert!(resource.starts_with(&beginning), "{}", resource);
            let regions = distinct(regions.into_iter().map(Region::as_str));
            prop_assert_eq!(listed(&found["Condition"]["StringEquals"]["aws:RequestedRegion"]), regions);
        }
        let homes = distinct(std::iter::once(&scope.home).chain(&scope.retired.homes).map(Region::as_str));
        for sid in ["TagVerdict", "LockCopies", "DeleteCopies"] {
            let found = statement(&roles, sid).unwrap();
            let condition = &found["Condition"]["StringEquals"]["aws:ResourceTag/snapferry:source-region"];
            prop_assert_eq!(listed(condition), homes.clone());
        }
        let lock = statement(&roles, "LockCopies").unwrap();
        let days = &lock["Condition"]["NumericLessThanEquals"]["ec2:SnapshotLockDuration"];
        prop_assert_eq!(days, &Value::from(scope.max_lock_days.to_string()));
        for sid in ["UseTargetKeys", "GrantTargetKeysToEbs"] {
            let found = statement(&roles, sid);
            let keys = &scope.target_keys;
            let expected = (!keys.is_empty()).then(|| distinct(keys.iter().map(KeyArn::as_str)));
            prop_assert_eq!(found.as_ref().map(|found| listed(&found["Resource"])), expected);
        }
        let anywhere = format!("arn:{}:kms:{}:*:key/*", scope.home.partition(), scope.home);
        for sid in ["UseSourceKeys", "GrantSourceKeysToEbs"] {
            let found = statement(&roles, sid).unwrap();
            let accounts = &found["Condition"]["StringEquals"]["aws:ResourceAccount"];
            if scope.source_keys.is_empty() {
                prop_assert_eq!(listed(&found["Resource"]), [anywhere.as_str()]);
                prop_assert_eq!(listed(accounts), owners.clone());
            } else {
                let keys = distinct(scope.source_keys.iter().map(KeyArn::as_str));
                prop_assert_eq!(listed(&found["Resource"]), keys);
                prop_assert!(accounts.is_null());
            }
            let for_aws = &found["Condition"]["Bool"]["kms:GrantIsForAWSResource"];
            prop_assert_eq!(for_aws.is_null(), sid == "UseSourceKeys");
        }
        let is_there = |sid| statement(&roles, sid).is_some();
        for sid in ["ReadCopies", "TagProof", "OweAgain"] {
            prop_assert_eq!(is_there(sid), scope.proof != Proof::None, "{}", sid);
        }
        prop_assert_eq!(is_there("DecryptSources"), scope.proof == Proof::WithSourceKeys);
        for sid in ["ReachTheOtherRegion", "GrantSourceKeysToRds", "SettleLedgers", "WriteLedgers"] {
            prop_assert_eq!(is_there(sid), scope.has_databases, "{}", sid);
        }
        prop_assert_eq!(is_there("UseTargetKeysForRds"), scope.has_databases && !scope.target_keys.is_empty());
    }
}

#[test]
fn policies_that_are_no_list_are_an_error() {
    let text = template::VAULT.replace("\n      Policies:\n", "\n      Policies: !Ref AWS::NoValue\n      Others:\n");
    assert_ne!(text, template::VAULT);
    let template = Template::new(&text, []).unwrap();
    for function in FUNCTIONS {
        assert!(role(&template, function).unwrap_err().to_string().contains("Policies is no list"));
    }
}
