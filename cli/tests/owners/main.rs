//! What `snapferry owners` makes of an organization's accounts and a policy.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails, in its helpers too")]

mod live;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use snapbox::cmd::{Command, OutputAssert, cargo_bin};
use snapbox::str;

const TARGET: [&str; 2] = ["--target", "222222222222"];
const MANAGEMENT: &str = "999999999999";
/// A bare policy of one owner, on one line.
const BARE: &str = include_str!("../../../functions/core/tests/fixtures/policies/cross-account-copy.json");
/// What DLM answers: two owners, a line each.
const ANSWER: &str = include_str!("../../../functions/core/tests/fixtures/policies/get-lifecycle-policy.json");

/// A folder of the test's own, empty.
fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("owners-{test}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("bare.json"), BARE).unwrap();
    fs::write(folder.join("answer.json"), ANSWER).unwrap();
    folder
}

fn owners(folder: &Path, args: &[&str]) -> Command {
    Command::new(cargo_bin!("snapferry")).current_dir(folder).arg("owners").args(TARGET).args(args)
}

fn account(id: &str, state: &str, unit: &str) -> Value {
    json!({
        "Id": id,
        "Arn": format!("arn:aws:organizations::{MANAGEMENT}:account/o-a1b2c3d4e5/{id}"),
        "Email": format!("{id}@example.com"),
        "Name": format!("account {}", &id[..1]),
        "State": state,
        "Paths": [format!("o-a1b2c3d4e5/r-ab12/{unit}{id}/")],
        "JoinedMethod": "CREATED",
        "JoinedTimestamp": "2024-01-30T10:33:22.036000+00:00"
    })
}

/// An organization with its management account, the target, two units one in the other, and a suspended account.
fn organization() -> Vec<Value> {
    vec![
        account(MANAGEMENT, "ACTIVE", ""),
        account("111111111111", "ACTIVE", "ou-ab12-11112222/"),
        account("222222222222", "ACTIVE", "ou-ab12-55556666/"),
        account("333333333333", "ACTIVE", "ou-ab12-11112222/ou-ab12-33334444/"),
        account("444444444444", "SUSPENDED", "ou-ab12-11112222/"),
        account("012345678901", "ACTIVE", "ou-ab12-55556666/"),
    ]
}

fn list(accounts: &[Value]) -> String {
    format!("{:#}\n", json!({"Accounts": accounts}))
}

fn stdout(done: &OutputAssert) -> String {
    String::from_utf8(done.get_output().stdout.clone()).unwrap()
}

fn stderr(done: &OutputAssert) -> String {
    String::from_utf8(done.get_output().stderr.clone()).unwrap()
}

#[test]
fn nothing_else_in_the_policy_is_changed() {
    let folder = folder("changed");
    let accounts = list(&organization());
    let of_unit = ["-", "--policy", "bare.json", "--ou", "ou-ab12-11112222"];
    let done = owners(&folder, &of_unit).stdin(&accounts).assert().success();
    let done = done.stderr_eq(str![[r#"
added: 333333333333 "account 3"
left out: 012345678901 "account 0", in another organizational unit
left out: 222222222222 "account 2", the target account
left out: 444444444444 "account 4", SUSPENDED
left out: 999999999999 "account 9", in another organizational unit
owners of default: 1 until now, 1 added, 0 removed, 2 now

"#]]);
    assert_eq!(stdout(&done), BARE.replace(r#"["111111111111"]"#, r#"["111111111111", "333333333333"]"#));
    // All that are active, in the layout of the document.
    let everyone = ["-", "--policy", "answer.json"];
    let windows = ANSWER.replace('\n', "\r\n");
    for (text, end) in [(ANSWER, "\n"), (&windows, "\r\n")] {
        fs::write(folder.join("answer.json"), text).unwrap();
        let done = owners(&folder, &everyone).stdin(&accounts).assert().success();
        let place = " ".repeat(24);
        let three = format!("\"333333333333\"{end}");
        let expected = text.replacen(
            &three,
            &format!("\"333333333333\",{end}{place}\"012345678901\",{end}{place}\"999999999999\"{end}"),
            1,
        );
        assert_eq!(stdout(&done), expected);
        // To do it twice is to do it once.
        fs::write(folder.join("again.json"), &expected).unwrap();
        let again = owners(&folder, &["-", "--policy", "again.json"]).stdin(&accounts).assert().success();
        assert_eq!(stdout(&again), expected);
        assert!(stderr(&again).contains(": 4 until now, 0 added, 0 removed, 4 now"));
    }
}

#[test]
fn who_is_left_out() {
    let folder = folder("left-out");
    let accounts = list(&organization());
    let found = |args: &[&str]| -> Value {
        let args = [&["-", "--policy", "bare.json", "--most-removed", "100", "--json"], args].concat();
        let done = owners(&folder, &args).stdin(&accounts).assert().success().stderr_eq("");
        serde_json::from_str(&stdout(&done)).unwrap()
    };
    for (args, expected) in [
        (&[][..], &["111111111111", "012345678901", "333333333333", MANAGEMENT][..]),
        (&["--exclude-management"], &["111111111111", "012345678901", "333333333333"]),
        (&["--exclude", MANAGEMENT, "--exclude", "333333333333"], &["111111111111", "012345678901"]),
        (&["--ou", "o-a1b2c3d4e5/r-ab12/ou-ab12-11112222/"], &["111111111111", "333333333333"]),
        (&["--ou", "ou-ab12-33334444", "--ou", "ou-ab12-55556666"], &["012345678901", "333333333333"]),
        (&["--ou", "r-ab12", "--exclude", "111111111111"], &["012345678901", "333333333333", MANAGEMENT]),
    ] {
        let answer = found(args);
        assert_eq!(answer["owners"], json!(expected), "{args:?}");
        let document: Value = serde_json::from_str(answer["document"].as_str().unwrap()).unwrap();
        assert_eq!(document["EventSource"]["Parameters"]["SnapshotOwner"], json!(expected), "{args:?}");
    }
    let answer = found(&["--exclude", "111111111111", "--exclude-management"]);
    let [removed, left_out] = ["removed", "leftOut"].map(|name| answer[name].clone());
    assert_eq!(removed, json!([{"account": "111111111111", "name": "account 1", "reason": "excluded"}]));
    let reasons: Vec<&Value> = left_out.as_array().unwrap().iter().map(|row| &row["reason"]).collect();
    assert_eq!(reasons, ["the target account", "SUSPENDED", "the management account"]);
}

#[test]
fn an_owner_that_goes_and_has_hours_of_its_own_is_named() {
    let folder = folder("hours");
    let policy = BARE.replace(r#""SnapshotOwner":"#, r#""SilentAfterHours": {"111111111111": 200}, "SnapshotOwner":"#);
    assert_ne!(policy, BARE);
    fs::write(folder.join("policy.json"), policy).unwrap();
    let accounts = list(&[account("333333333333", "ACTIVE", "ou-ab12-11112222/"), account(MANAGEMENT, "ACTIVE", "")]);
    let args = ["-", "--policy", "policy.json", "--most-removed", "100"];
    let done = owners(&folder, &args).stdin(accounts).assert().code(2).stdout_eq("");
    let words = stderr(&done);
    assert!(words.contains("SilentAfterHours still has 111111111111"), "{words}");
}

#[test]
fn only_so_many_are_removed() {
    let folder = folder("removed");
    let ids: Vec<String> = (0..20).map(|number| format!("1111111111{number:02}")).collect();
    fs::write(folder.join("policy.json"), BARE.replace(r#"["111111111111"]"#, &json!(ids).to_string())).unwrap();
    let listed = |from: usize| {
        let members = ids[from..].iter().map(|id| account(id, "ACTIVE", "ou-ab12-11112222/"));
        list(&members.chain([account(MANAGEMENT, "ACTIVE", "")]).collect::<Vec<Value>>())
    };
    let run = |from: usize, most: &[&str]| {
        let args = [&["-", "--policy", "policy.json", "--exclude-management"], most].concat();
        owners(&folder, &args).stdin(listed(from)).assert()
    };
    // Two of twenty are a tenth.
    for (from, most, is_done) in [
        (2, &[][..], true),
        (3, &[], false),
        (3, &["--most-removed", "15"], true),
        (3, &["--most-removed", "14"], false),
        (1, &["--most-removed", "0"], false),
        (0, &["--most-removed", "0"], true),
    ] {
        let done = run(from, most).code(if is_done { 0 } else { 1 });
        assert_eq!(stdout(&done).is_empty(), !is_done, "{from} {most:?}");
    }
    let done = run(3, &[]).code(1);
    let words = stderr(&done);
    assert!(
        words.contains("removed: 111111111102, not in the organization; --keep 111111111102 keeps it\n"),
        "{words}"
    );
    assert!(
        words.ends_with(
            "not changed: 3 of 20 owners would be removed, which is more than 10 %; if that is right, say so with \
             --most-removed 15\n"
        ),
        "{words}"
    );
    // Never all: a policy without owners copies nothing.
    let others = list(&[account("222222222222", "ACTIVE", ""), account(MANAGEMENT, "ACTIVE", "")]);
    let args = ["-", "--policy", "policy.json", "--most-removed", "100", "--exclude-management", "--json"];
    let done = owners(&folder, &args).stdin(others).assert().code(1);
    let answer: Value = serde_json::from_str(&stdout(&done)).unwrap();
    assert_eq!((&answer["document"], answer["removed"].as_array().unwrap().len()), (&Value::Null, 20));
    assert_eq!(answer["refused"], "no owner would be left, and the policy would copy nothing");
}

#[test]
fn every_form_of_the_list() {
    let folder = folder("forms");
    let all = organization();
    let (first, second) = all.split_at(3);
    let page = |accounts: &[Value], next: Value| json!({"Accounts": accounts, "NextToken": next});
    let of_boto = |accounts: &[Value], next: Value| {
        let mut page = page(accounts, next);
        page["ResponseMetadata"] = json!({"RequestId": "6f0b0b1e", "HTTPStatusCode": 200, "RetryAttempts": 0});
        page
    };
    let [one, two] = [page(first, json!("abc")), page(second, Value::Null)];
    fs::write(folder.join("one.json"), one.to_string()).unwrap();
    fs::write(folder.join("two.json"), two.to_string()).unwrap();
    // As AWS answered until 2026: a Status and no State; the State precedes it.
    let mut older = all.clone();
    for account in &mut older {
        let state = account.as_object_mut().unwrap().remove("State").unwrap();
        account["Status"] = state;
    }
    older[1]["State"] = json!("ACTIVE");
    older[1]["Status"] = json!("SUSPENDED");
    let marked: Vec<u8> = format!("\u{feff}{}", list(&all)).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let pages = json!([of_boto(first, json!("abc")), of_boto(second, Value::Null)]).to_string();
    let expected = stdout(&owners(&folder, &["-", "--policy", "bare.json"]).stdin(list(&all)).assert().success());
    for list in [
        list(&older).into_bytes(),
        of_boto(&all, Value::Null).to_string().into_bytes(),
        pages.into_bytes(),
        format!("{one}\n{two:#}").into_bytes(),
        marked,
    ] {
        let done = owners(&folder, &["-", "--policy", "bare.json"]).stdin(list).assert().success();
        assert_eq!(stdout(&done), expected);
    }
    let done = owners(&folder, &["one.json", "two.json", "--policy", "bare.json"]).assert().success();
    assert_eq!(stdout(&done), expected);
}

/// An account that left the organization, or never was in it, may share all the same.
#[test]
fn an_owner_from_outside_goes_by_name_or_stays_by_wish() {
    let folder = folder("outside");
    let (outside, suspended) = ("777777777777", "444444444444");
    let several = format!(r#"["111111111111", "{outside}", "{suspended}"]"#);
    fs::write(folder.join("policy.json"), BARE.replace(r#"["111111111111"]"#, &several)).unwrap();
    let accounts = list(&organization());
    let run = |args: &[&str]| {
        let args =
            [&["-", "--policy", "policy.json", "--most-removed", "100", "--ou", "ou-ab12-11112222"], args].concat();
        owners(&folder, &args).stdin(&accounts).assert()
    };
    let done = run(&[]).success();
    let words = stderr(&done);
    assert!(
        words.contains("removed: 777777777777, not in the organization; --keep 777777777777 keeps it\n"),
        "{words}"
    );
    assert!(words.contains("removed: 444444444444 \"account 4\", SUSPENDED\n"), "{words}");
    assert!(!stdout(&done).contains(outside) && !words.contains("kept"));
    let done = run(&["--keep", outside, "--keep", suspended]).success();
    let words = stderr(&done);
    assert!(words.contains("kept: 777777777777, not in the organization\n"), "{words}");
    assert!(words.contains("kept: 444444444444 \"account 4\", SUSPENDED\n"), "{words}");
    assert!(words.ends_with(": 3 until now, 1 added, 0 removed, 4 now\n"), "{words}");
    assert!(stdout(&done).contains(&several.replace(']', r#", "333333333333"]"#)), "{}", stdout(&done));
    let answer: Value = serde_json::from_str(&stdout(&run(&["--keep", outside, "--json"]).success())).unwrap();
    assert_eq!(answer["kept"], json!([{"account": outside, "reason": "not in the organization"}]));
    // One that is left out by name is, from outside too.
    let words = stderr(&run(&["--exclude", outside]).success());
    assert!(words.contains("removed: 777777777777, excluded\n"), "{words}");
    for (args, expected) in [
        (&["--exclude", "666666666666"][..], "--exclude: 666666666666 is neither in the organization nor an owner"),
        (&["--keep", "666666666666"], "--keep: 666666666666 is no owner until now"),
        (&["--keep", "333333333333"], "--keep: 333333333333 is no owner until now"),
        (&["--keep", outside, "--exclude", outside], "--keep: 777777777777 is the target account or excluded"),
    ] {
        let words = stderr(&run(args).code(2).stdout_eq(""));
        assert!(words.contains(expected), "{words}");
    }
}

/// What is passed over would be removed, so nothing is.
#[test]
fn a_list_that_is_in_doubt_is_refused() {
    let folder = folder("doubt");
    let all = organization();
    let edited = |member: &str, value: Value| {
        let mut accounts = all.clone();
        accounts[1][member] = value;
        list(&accounts)
    };
    let page = |next: Value| json!({"Accounts": all, "NextToken": next}).to_string();
    let (whole, cut) = (page(Value::Null), page(json!("abc")));
    let mut twice = all.clone();
    twice.push(account("111111111111", "SUSPENDED", "ou-ab12-11112222/"));
    for (list, words) in [
        (cut.clone(), "the list of accounts is not whole: page 1 has a NextToken"),
        (format!("{cut}\n{cut}"), "the list of accounts is not whole: page 2 has a NextToken"),
        (format!("{whole}\n{whole}"), "page 1 is the end of a list of accounts, and more follows"),
        (json!(all).to_string(), "without --query: accounts alone do not say whether they are all"),
        (json!({"Policies": []}).to_string(), "not what `aws organizations list-accounts` answers"),
        (json!({"Accounts": []}).to_string(), "no account is listed"),
        ("[]".to_owned(), "there is no list of accounts"),
        (String::new(), "there is no list of accounts"),
        ("111111111111\tACTIVE\n".to_owned(), "not what `aws organizations list-accounts` answers"),
        (list(&all)[..200].to_owned(), "is not JSON"),
        (list(&twice), "111111111111 is listed twice, and not the same"),
        (edited("Id", json!(12345678901_u64)), "which may have lost its leading zeros: perhaps 012345678901"),
        (edited("Id", Value::Null), "account 2 of page 1: \"account 1\" has no Id"),
        (edited("Id", json!("snap-1")), "account 2 of page 1: \"account 1\": "),
        (edited("State", json!("ASLEEP")), "is in a state that this version does not know: ASLEEP"),
        (edited("State", Value::Null), "has neither a State nor a Status"),
        (
            edited("Arn", json!("arn:aws:organizations::888888888888:account/o-a1b2c3d4e5/111111111111")),
            "more than one",
        ),
        (edited("Arn", json!("arn:aws:organizations::999999999999:account/o-a1b2c3d4e5/333333333333")), "not its ARN"),
        (edited("Name", json!(1)), "a page cannot be read"),
        // What `aws organizations list-accounts-for-parent` answers of one organizational unit.
        (list(&all[1..]), "is not whole: the management account 999999999999, which their ARNs name, is not in it"),
        (list(&all[1..]), "Give what `aws organizations list-accounts` answers, and --ou"),
    ] {
        let done = owners(&folder, &["-", "--policy", "bare.json"]).stdin(&list).assert().code(2).stdout_eq("");
        assert!(stderr(&done).contains(words), "{words}: {}", stderr(&done));
    }
    let run = |accounts: &str, args: &[&str]| {
        owners(&folder, &[&["-", "--policy", "bare.json"], args].concat()).stdin(accounts.to_owned()).assert().code(2)
    };
    for (accounts, args, words) in [
        (edited("Paths", Value::Null), ["--ou", "ou-ab12-11112222"], "111111111111 has no Paths"),
        (list(&all), ["--ou", "ou-ab12-11112223"], "no account is in ou-ab12-11112223; check its ID"),
        (list(&all), ["--ou", "Workloads"], "expected the ID of an organizational unit"),
        (list(&all), ["--most-removed", "101"], "101"),
        (list(&all), ["--policy-id", "other"], "has the policies default: name one with --policy-id"),
    ] {
        let done = run(&accounts, &args).stdout_eq("");
        assert!(stderr(&done).contains(words), "{words}: {}", stderr(&done));
    }
    let mut bare = all.clone();
    for account in &mut bare {
        account.as_object_mut().unwrap().remove("Arn");
    }
    let done = run(&list(&bare), &["--exclude-management"]).stdout_eq("");
    assert!(stderr(&done).contains("the accounts have no ARN"), "{}", stderr(&done));
    owners(&folder, &["-", "--policy", "bare.json"]).stdin(list(&bare)).assert().success();
}

#[test]
fn one_policy_of_several() {
    let folder = folder("several");
    let second = ANSWER.replace("policy-9876543210abcdef0", "policy-0000000000abcdef0");
    let several = format!("[\n{ANSWER},\n{second}]");
    fs::write(folder.join("several.json"), &several).unwrap();
    let accounts = list(&organization());
    let done = owners(&folder, &["-", "--policy", "several.json"]).stdin(&accounts).assert().code(2).stdout_eq("");
    assert!(stderr(&done).contains("policy-9876543210abcdef0, policy-0000000000abcdef0: name one with --policy-id"));
    let args = ["-", "--policy", "several.json", "--policy-id", "policy-0000000000abcdef0", "--exclude-management"];
    let done = owners(&folder, &args).stdin(&accounts).assert().success();
    let found = stdout(&done);
    assert!(found.starts_with(&format!("[\n{ANSWER},\n")));
    assert_eq!(found.matches("012345678901").count(), 1);
}

#[test]
fn wrong_usage() {
    let folder = folder("usage");
    for args in [
        &["--policy", "bare.json"][..],
        &["-", "--policy", "-"],
        &["-", "--live", "--policy", "bare.json"],
        &["nosuch.json", "--policy", "bare.json"],
        &["-", "--policy", "nosuch.json"],
    ] {
        let done = owners(&folder, args).stdin(list(&organization())).assert().code(2).stdout_eq("");
        assert!(!stderr(&done).is_empty(), "{args:?}");
    }
}
