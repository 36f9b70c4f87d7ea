//! What points become in other tools' hands.

use serde_json::{Value, json};
use snapferry_core::recovery::emit::share::Share;
use snapferry_core::recovery::emit::{aws_cli, cloudformation, databases};
use snapferry_core::recovery::restore::Restore;

use super::*;

fn restores<'f>(recovery: &Recovery<'f>, wanted: &'f Wanted) -> Vec<Restore<'f>> {
    recovery.points.iter().map(|point| Restore::of(point, wanted.attachments.get(point.volume))).collect()
}

fn named(name: &str) -> Wanted {
    let attachment = Attachment { instance: "i-1".to_owned(), device: "/dev/sda1".to_owned(), name: name.to_owned() };
    Wanted { attachments: [(volume(1), attachment)].into(), ..wanted() }
}

#[test]
fn a_volume_says_where_it_comes_from_and_looks_like_no_copy() {
    let (facts, wanted) =
        (ireland(vec![copy(1, 1, ago(HOUR), &[]), copy(2, 2, ago(HOUR), &[])]), named(&"n".repeat(300)));
    let recovery = recover(&wanted, &facts);
    let [first, second] = restores(&recovery, &wanted).try_into().unwrap();
    let expected = [
        ("snapferry-restore:snapshot", "snap-c0000001"),
        ("snapferry-restore:volume", "vol-00000001"),
        ("snapferry-restore:account", OWNER),
        ("snapferry-restore:started", "2026-11-22T11:00:00Z"),
        ("Name", &"n".repeat(256)),
        ("snapferry-restore:instance", "i-1"),
        ("snapferry-restore:device", "/dev/sda1"),
    ];
    assert_eq!(first.tags.iter().map(|(key, value)| (*key, &**value)).collect::<Vec<_>>(), expected);
    assert_eq!(second.tags.len(), 4);
    let read = ReadTags::read(&id(1), first.tags.iter().map(|(key, value)| (*key, value.as_str())));
    assert_eq!((read.policy, read.source_snapshot, read.copy), (None, None, None));
    assert!(first.tags.iter().all(|(key, _)| !key.starts_with("snapferry:")));
}

#[test]
fn a_template_has_the_zone_the_type_and_the_key_as_parameters() {
    let (facts, wanted) = (ireland(vec![copy(1, 1, ago(HOUR), &[])]), named("db"));
    let recovery = recover(&wanted, &facts);
    let [template] = cloudformation::templates(&restores(&recovery, &wanted)).try_into().unwrap();
    let resource = &template["Resources"]["Volumec0000001"];
    assert_eq!(
        (&resource["Type"], &resource["DeletionPolicy"]),
        (&json!("AWS::EC2::Volume"), &json!("RetainExceptOnCreate"))
    );
    assert_eq!(resource["Properties"]["SnapshotId"], "snap-c0000001");
    assert_eq!(resource["Properties"]["AvailabilityZone"], json!({"Ref": "Zone"}));
    assert_eq!(
        resource["Properties"]["KmsKeyId"],
        json!({"Fn::If": ["HasKey", {"Ref": "KmsKeyId"}, {"Ref": "AWS::NoValue"}]})
    );
    assert_eq!(template["Description"], "Volumes restored from Snapferry's copies, part 1 of 1");
    let parameters = template["Parameters"].as_object().unwrap();
    let names: BTreeSet<&str> = parameters.keys().map(String::as_str).collect();
    assert_eq!(names, ["KmsKeyId", "VolumeType", "Zone"].into());
}

#[test]
fn templates_are_split_where_cloudformation_ends() {
    for (name, count, expected) in
        [("", 500, 1), ("", 501, 2), (&*"ü".repeat(256), 500, 2), (&*"\u{1f600}".repeat(256), 500, 3)]
    {
        let copies = (1..=count).map(|number| copy(number, number, ago(HOUR), &[])).collect();
        let facts = ireland(copies);
        let attachment = Attachment { instance: name.to_owned(), device: name.to_owned(), name: name.to_owned() };
        let attachments = (1..=count).map(|number| (volume(number), attachment.clone())).collect();
        let wanted = Wanted { attachments, ..wanted() };
        let recovery = recover(&wanted, &facts);
        let templates = cloudformation::templates(&restores(&recovery, &wanted));
        assert_eq!(templates.len(), expected, "{count} {name}");
        assert!(templates.iter().all(|template| template.to_string().len() < 1 << 20));
        let names = |template: &Value| template["Resources"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let all: BTreeSet<String> = templates.iter().flat_map(names).collect();
        assert_eq!(all.len(), usize::try_from(count).unwrap());
    }
}

#[test]
fn a_name_has_neither_cloudformation_nor_a_shell_do_anything() {
    let name = "{{{resolve:secretsmanager:prod}} '$(rm -rf ~)'\n";
    let (facts, wanted) = (ireland(vec![copy(1, 1, ago(HOUR), &[])]), named(name));
    let recovery = recover(&wanted, &facts);
    let restores = restores(&recovery, &wanted);
    let template = cloudformation::templates(&restores)[0].to_string();
    assert!(!template.contains("{{resolve") && !template.contains(": \"{{"), "{template}");
    let tags = template.split("\"Tags\":").nth(1).unwrap();
    assert!(!tags.contains("{{{") && tags.contains("{ { {resolve:secretsmanager:prod"), "{tags}");
    let script = aws_cli::script(&restores);
    let line = script.lines().last().unwrap();
    assert!(line.starts_with("volume eu-west-1 snap-c0000001 '[{"), "{line}");
    assert!(line.contains(r"'\''$(rm -rf ~)'\''\n"), "{line}");
}

#[test]
fn a_recovery_account_needs_each_copy_and_each_key() {
    let managed = |copy| DescribedCopy { kms_key: Some(LOST.to_owned()), ..copy };
    let plain = DescribedCopy { kms_key: None, ..copy(3, 3, ago(HOUR), &[]) };
    let mut facts = ireland(vec![copy(1, 1, ago(HOUR), &[]), managed(copy(2, 2, ago(HOUR), &[])), plain]);
    let keys = [(KEY.into(), KeyFact::Usable), (LOST.into(), KeyFact::Unusable(KeyProblem::AwsManaged))];
    facts.regions.values_mut().for_each(|vault| vault.copies.note_keys(keys.clone().into()));
    let (wanted, with) = (wanted(), AccountId::parse("999999999999").unwrap());
    let recovery = recover(&wanted, &facts);
    let share = Share::of(&with, &facts, &recovery.points);
    let ids = |places: &[(&Region, &SnapshotId)]| places.iter().map(|(_, id)| id.to_string()).collect::<Vec<_>>();
    assert_eq!(
        (ids(&share.snapshots), ids(&share.not_shareable)),
        (vec!["snap-c0000001".into(), "snap-c0000003".into()], vec!["snap-c0000002".into()])
    );
    assert_eq!(share.keys.into_iter().map(|((_, key), count)| (key, count)).collect::<Vec<_>>(), [(KEY, 1)]);
    let share = Share::of(&with, &facts, &recovery.points);
    assert!(share.command(share.snapshots[0]).ends_with(
        "--snapshot-id snap-c0000001 --attribute createVolumePermission --operation-type add --user-ids 999999999999"
    ));
    let statements = share.statements().unwrap();
    assert_eq!(statements[0]["Principal"]["AWS"], "arn:aws:iam::999999999999:root");
    assert_eq!(statements[1]["Condition"]["Bool"]["kms:GrantIsForAWSResource"], "true");
    assert_eq!(Share::of(&with, &facts, &recovery.points[2..]).statements(), None);
}

/// A verified copy of a database's snapshot.
fn of_database(number: u32) -> DescribedCopy {
    let id = SnapshotId::of_any_kind(&format!("snapferry-{number:052x}")).unwrap();
    let copy = copy(number, number, ago(HOUR), &[]);
    let tags = ReadTags {
        source_snapshot: SnapshotId::of_any_kind(&format!("db-{number:052x}")).ok(),
        source_volume: VolumeId::of_any_kind(&format!("db-A{number}")).ok(),
        copy: Some(id.clone()),
        ..copy.tags
    };
    DescribedCopy { id, tags, ..copy }
}

#[test]
fn databases_have_calls_of_their_own() {
    let mut reading = Reading::default();
    reading.add(copy(1, 1, ago(HOUR), &[]));
    reading.add_with(of_database(2), Content::Instance, "orders");
    reading.add_with(
        of_database(3),
        Content::Cluster { engine: "aurora'; rm -rf ~".to_owned(), version: "8.0".to_owned() },
        "orders",
    );
    let mut vault = reading.close();
    vault.copies.note_keys([(KEY.into(), KeyFact::Usable)].into());
    let facts = Facts {
        account: AccountId::parse(ACCOUNT).unwrap(),
        now: now(),
        regions: [(region("eu-west-1"), vault)].into(),
    };
    let wanted = wanted();
    let recovery = recover(&wanted, &facts);
    assert_eq!(recovery.points.len(), 3);
    let script = databases::script(&recovery.points).unwrap();
    let calls: Vec<&str> = script.lines().rev().take(2).collect();
    let name = |number: u32| format!("snapferry-{number:052x} restored-{}", "0".repeat(20));
    assert_eq!(calls[1], format!("instance eu-west-1 {}", name(2)));
    assert_eq!(calls[0], format!(r"cluster eu-west-1 {} 'aurora'\''; rm -rf ~' '8.0'", name(3)));
    // Whatever has to be copied is begun before anything is waited for.
    let ahead: Vec<&str> = script.lines().filter(|line| line.starts_with("ahead ")).collect();
    assert_eq!(
        ahead,
        [2, 3].map(|n| format!("ahead {} eu-west-1 {}", ["instance", "cluster"][n as usize - 2], name(n)))
    );
    let volumes: Vec<_> =
        recovery.points.iter().filter(|point| point.detail.content == Content::Volume).cloned().collect();
    assert_eq!(databases::script(&volumes), None);
    let account = AccountId::parse(OTHER).unwrap();
    let share = Share::of(&account, &facts, &recovery.points);
    let commands: Vec<String> = share.snapshots.iter().map(|place| share.command(*place)).collect();
    assert!(share.has_databases());
    for (kind, number) in [("db-snapshot", 2), ("db-cluster-snapshot", 3)] {
        let expected = format!(
            "aws rds modify-{kind}-attribute --region eu-west-1 --{kind}-identifier snapferry-{number:052x} \
             --attribute-name restore --values-to-add {OTHER}"
        );
        assert!(commands.contains(&expected), "{commands:?}");
    }
}
