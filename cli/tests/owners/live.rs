//! AWS Organizations itself, asked for the list.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::thread::{self, JoinHandle};

use serde_json::{Value, json};
use snapbox::cmd::OutputAssert;

use crate::{folder, list, organization, owners, stderr, stdout};

/// The organization as the service itself answers it.
fn as_answered() -> Vec<Value> {
    let mut accounts = organization();
    for account in &mut accounts {
        account["JoinedTimestamp"] = json!(1_706_610_802.036);
    }
    accounts
}

/// AWS Organizations that gives these answers one after the other; what it was asked, in the end.
fn organizations(answers: Vec<(u16, Value)>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = move |(status, answer): (u16, Value)| {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = BufReader::new(stream.try_clone().unwrap());
        let (mut length, mut target) = (0, String::new());
        loop {
            let mut line = String::new();
            request.read_line(&mut line).unwrap();
            let (name, value) = line.trim().split_once(": ").unwrap_or_default();
            match name.to_lowercase().as_str() {
                "content-length" => length = value.parse().unwrap(),
                "x-amz-target" => target = value.to_owned(),
                _ => {}
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        request.read_exact(&mut body).unwrap();
        let text = answer.to_string();
        let head = format!("HTTP/1.1 {status} X\r\ncontent-type: application/x-amz-json-1.1\r\nconnection: close\r\n");
        write!(stream, "{head}content-length: {}\r\n\r\n{text}", text.len()).unwrap();
        format!("{target} {}", String::from_utf8(body).unwrap())
    };
    (url, thread::spawn(move || answers.into_iter().map(answer).collect()))
}

fn live(folder: &Path, url: &str, args: &[&str]) -> OutputAssert {
    let command = owners(folder, &["--live", "--policy", "bare.json"]).args(args);
    let command = command.env("AWS_ENDPOINT_URL", url).env("AWS_REGION", "eu-west-1").env("AWS_MAX_ATTEMPTS", "1");
    command.env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").env("AWS_SECRET_ACCESS_KEY", "secret").assert()
}

#[test]
fn an_organization_is_asked_page_after_page() {
    let folder = folder("live");
    let (all, accounts) = (organization(), as_answered());
    let (first, second) = accounts.split_at(3);
    let answers = vec![
        (200, json!({"Accounts": first, "NextToken": "abc"})),
        (200, json!({"Accounts": second, "NextToken": null})),
    ];
    let (url, asked) = organizations(answers);
    let done = live(&folder, &url, &["--ou", "ou-ab12-11112222"]).success();
    let of_file =
        owners(&folder, &["-", "--policy", "bare.json", "--ou", "ou-ab12-11112222"]).stdin(list(&all)).assert();
    assert_eq!((stdout(&done), stderr(&done)), (stdout(&of_file), stderr(&of_file)));
    let target = "AWSOrganizationsV20161128.ListAccounts";
    assert_eq!(asked.join().unwrap(), [format!("{target} {{}}"), format!("{target} {{\"NextToken\":\"abc\"}}")]);
}

#[test]
fn an_organization_that_does_not_answer_in_full_is_an_error() {
    let folder = folder("live-errors");
    let page = json!({"Accounts": as_answered(), "NextToken": "abc"});
    let denied =
        json!({"__type": "AccessDeniedException", "Message": "You don't have permissions to access this resource."});
    for (answers, words) in [
        (vec![(400, denied.clone())], "cannot be listed: AccessDeniedException: You don't have permissions"),
        (vec![(200, page.clone()), (400, denied)], "may organizations:ListAccounts, or give what"),
        (
            vec![(200, json!({"Accounts": &as_answered()[1..]}))],
            "the management account 999999999999, which their ARNs name",
        ),
        (vec![(200, page.clone()), (200, page)], "Organizations gave the same page token twice"),
    ] {
        let (url, _) = organizations(answers);
        let done = live(&folder, &url, &[]).code(2).stdout_eq("");
        assert!(stderr(&done).contains(words), "{words}: {}", stderr(&done));
    }
}
