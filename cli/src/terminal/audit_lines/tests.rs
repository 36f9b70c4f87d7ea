use super::*;

const LINE: &str = r#"{"audit":"snapferry/1","message":"a \"b\" {é}"}"#;

fn found(input: &[u8]) -> Vec<(u64, String)> {
    let mut found = Vec::new();
    read(input, |number, text| found.push((number, text.to_owned()))).unwrap();
    found
}

#[test]
fn lines_with_anything_around_them() {
    let log = format!(
        "START RequestId: 1\n{LINE}\r\n2026-11-22T03:00:00.123Z {LINE}\n2026-11-22T03:00:00Z 2026/11/22/[$LATEST]a \
         {LINE}\t1795316400700\n\n{{\"level\":\"INFO\"}}\n{LINE}"
    );
    let numbers: Vec<u64> = found(log.as_bytes()).iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [2, 3, 4, 7]);
    assert!(found(log.as_bytes()).iter().all(|(_, text)| text == LINE));
}

#[test]
fn answers_of_the_command_line_interface() {
    let event = |message: &str| serde_json::json!({"logStreamName": "s", "timestamp": 1, "message": message});
    let page = |members: serde_json::Value| serde_json::to_string_pretty(&members).unwrap();
    let events = [event("START\n"), event(&format!("{LINE}\n"))];
    let filtered = page(serde_json::json!({"events": events, "searchedLogStreams": []}));
    let got = page(serde_json::json!({"nextForwardToken": "f/1", "events": events}));
    assert_eq!(found(filtered.as_bytes()), [(2, LINE.to_owned())]);
    assert_eq!(found(format!("{got}\n{filtered}\n").as_bytes()), [(2, LINE.to_owned()), (4, LINE.to_owned())]);
    assert!(read(&filtered.as_bytes()[..filtered.len() - 9], |_, _| {}).is_err());
}

/// Logs Insights, with what it finds in an audit line's own `message` in a column.
#[test]
fn results_of_a_query() {
    let row =
        |line: &str| serde_json::json!({"@timestamp": "2026-11-22 03:00:00.123", "@message": line, "message": "a"});
    let cells = |line: &str| {
        let cell = |field: &str, value: &str| serde_json::json!({"field": field, "value": value});
        serde_json::json!([cell("@message", line), cell("message", "a"), cell("@ptr", "Cq")])
    };
    let rows = serde_json::json!([row("START"), row(LINE)]);
    let answer =
        serde_json::json!({"queryLanguage": "CWLI", "results": [cells("START"), cells(LINE)], "status": "Complete"});
    let from_boto = serde_json::json!({"ResponseMetadata": {}, "results": [cells("START"), cells(LINE)]});
    let parsed = format!(r#"[{{"@message": "START"}}, {{"@timestamp": "t", "@message": {:#}}}]"#, value(LINE));
    for log in [rows.to_string(), format!("{rows:#}"), answer["results"].to_string(), answer.to_string(), parsed] {
        assert_eq!(found(log.as_bytes()), [(2, LINE.to_owned())], "{log}");
    }
    assert_eq!(found(format!("{answer:#}\n{from_boto}").as_bytes()).len(), 2);
    let odd = r#"{"audit":"snapferry/1","a":{"z":[1,-2,true,null,[],{},"é\n"],"b":18446744073709551615}}"#;
    let spaced = odd.replace(',', " ,\n ").replace(':', " : ");
    assert_eq!(found(format!("[ {{\"@message\": {spaced}}} ]").as_bytes()), [(1, odd.to_owned())]);
}

fn value(line: &str) -> serde_json::Value {
    serde_json::from_str(line).unwrap()
}

#[test]
fn what_a_subscription_delivers() {
    let delivery = |messages: &[&str]| {
        let event = |message: &&str| serde_json::json!({"id": "1", "timestamp": 1, "message": message});
        let events: Vec<_> = messages.iter().map(event).collect();
        let (kind, group) = ("DATA_MESSAGE", "/aws/lambda/copy-shared-snapshots");
        serde_json::json!({"messageType": kind, "owner": "444455556666", "logGroup": group, "logEvents": events})
            .to_string()
    };
    let control = r#"{"messageType":"CONTROL_MESSAGE","owner":"CloudwatchLogs","logEvents":[{"id":"","timestamp":1,"message":"CWL CONTROL MESSAGE: Checking health of destination Firehose."}]}"#;
    let [first, second] = [delivery(&["START", LINE]), delivery(&[LINE])];
    let expected = [(3, LINE.to_owned()), (4, LINE.to_owned())];
    for between in ["", "\n"] {
        let log = [control, &first, &second].join(between);
        assert_eq!(found(log.as_bytes()), expected);
        assert_eq!(found(&gzip(log.as_bytes())), expected);
    }
    // Each delivery is compressed, and Firehose puts one behind the other and compresses them once more.
    let collected = [control, &first, &second].map(|delivery| gzip(delivery.as_bytes())).concat();
    assert_eq!(found(&collected), expected);
    assert_eq!(found(&gzip(&collected)), expected);
    assert!(read(&*gzip(&gzip(&collected)), |_, _| {}).is_err());
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn what_is_not_all_there_is_an_error() {
    for status in ["Running", "Timeout", "Failed"] {
        let answer = serde_json::json!({"results": [[{"field": "@message", "value": LINE}]], "status": status});
        let error = format!("{:#}", read(answer.to_string().as_bytes(), |_, _| {}).unwrap_err());
        assert!(error.contains(&format!("the query's status is {status}")), "{error}");
    }
    let table = format!("timestamp,message\n1,\"{}\n\"\n", LINE.replace('"', "\"\""));
    assert_eq!(found(table.as_bytes()), [(1, LINE.to_owned())]);
    let closing = table.rfind('"').unwrap();
    let within = table.match_indices('"').nth(4).map(|(at, _)| at + 1).unwrap();
    for torn in [&table[..closing], &table[..closing - 1], &table[..within]] {
        let error = format!("{:#}", read(torn.as_bytes(), |_, _| {}).unwrap_err());
        assert!(error.contains("ends within quotation marks"), "{error}");
    }
}

#[test]
fn tables_of_the_console() {
    let quoted = format!("\"{}\n\"", LINE.replace('"', "\"\""));
    for (header, row) in [
        ("timestamp,message", format!("1795316400700,{quoted}")),
        ("@timestamp,@message,@ptr", format!("2026-11-22 03:00:00.123,{quoted},Cq")),
        ("\"@timestamp\",\"message\",\"@message\"", format!("2026-11-22 03:00:00.123,a,{quoted}")),
        ("@message", quoted.clone()),
    ] {
        let start = row.replace(&quoted, "\"START, \n\"");
        for end in ["\n", "\r\n"] {
            let log = [header, &start, &row, ""].join(end);
            assert_eq!(found(log.as_bytes()), [(2, LINE.to_owned())], "{log}");
            let utf16: Vec<u8> = log.encode_utf16().flat_map(u16::to_le_bytes).collect();
            assert_eq!(found(&gzip(&utf16)), [(2, LINE.to_owned())], "{log}");
        }
    }
}

#[test]
fn wrong_exports() {
    let error = |log: &str| read(log.as_bytes(), |_, _| {}).map_err(|error| format!("{error:#}"));
    for (log, expected) in [
        (r#"[{"reason": "sweep"}, {"event": "x"}]"#, "none of its 2 entries has a message: let the query"),
        (r#"{"results": [[{"field": "@ptr", "value": "C"}]]}"#, "none of its 1 entries has a message"),
        (
            r#"{"results": "none"}"#,
            "not the JSON that `aws logs`, a subscription or Logs Insights writes: invalid type",
        ),
        (r#"[{"@message": "a"}, 3]"#, "expected a log event or a row"),
        (r#"{"messageType": "DATA_MESSAGE", "logEvents": [{"message": "a"}"#, "EOF while parsing"),
        ("@timestamp,@message\n1,a,b\n", "its table cannot be read from line 2 on: CSV error: record 1 (line: 2"),
    ] {
        let error = error(log).unwrap_err();
        assert!(error.contains(expected), "{log}: {error}");
    }
    // Nothing was found by the query, or logged yet.
    for (log, order) in
        [("[]", Order::OfRows), (r#"{"events": []}"#, Order::OfLog), ("@timestamp,@message\n", Order::OfRows)]
    {
        assert_eq!(error(log), Ok(order), "{log}");
    }
    // A log that begins as one of these.
    for first in ["[INFO] a", "[[1]", "{\"results\"", "a message, and more", "message"] {
        assert_eq!(found(format!("{first}\n{LINE}\n").as_bytes()), [(2, LINE.to_owned())], "{first}");
    }
}

#[test]
fn forms_that_are_not_read_are_named() {
    let row = serde_json::json!({"@timestamp": "2026-11-22 03:00:00.123", "@message": LINE});
    let packed = gzip(format!("{LINE}\n").repeat(9).as_bytes());
    let quoted = LINE.replace('"', "\"\"");
    let table = |header: &str| format!("{header}\n1;\"{quoted}\"\n").into_bytes();
    for (log, expected) in [
        (b"PK\x03\x04\x14\0".to_vec(), "is a zip archive: unpack it"),
        (b"\x28\xb5\x2f\xfd\x04\0".to_vec(), "`zstd -dc`"),
        (b"BZh91AY".to_vec(), "`bzip2 -dc`"),
        (b"\xfd7zXZ\0\0".to_vec(), "`xz -dc`"),
        (
            serde_json::json!({"awslogs": {"data": "H4sI"}}).to_string().into_bytes(),
            "jq -r .awslogs.data FILE | base64 -d",
        ),
        (table("@timestamp;@message"), "semicolons"),
        (table("\"@timestamp\";\"@message\""), "semicolons"),
        (format!("{row}\n{row}\n").into_bytes(), "`jq -s . FILE`"),
        (gzip(format!("{row}\n").as_bytes()), "`jq -s . FILE`"),
        (packed[..packed.len() - 9].to_vec(), "the compressed data ends too soon: a part of the file is missing"),
        (packed[..12].to_vec(), "the compressed data ends too soon"),
    ] {
        let error = format!("{:#}", read(&*log, |_, _| {}).unwrap_err());
        assert!(error.contains(expected), "{expected}: {error}");
    }
    // What begins a log is none of these.
    for first in ["message", "a;b", "BZ", "{\"a\": \"@message\"}", "PK"] {
        let log = format!("{first}\n{LINE}\n");
        assert_eq!(found(log.as_bytes()), [(2, LINE.to_owned())], "{first}");
    }
}

/// A quotation mark too many: what stands in front of it is given, and the rest is not read into memory.
#[test]
fn a_row_of_a_table_ends_or_is_named() {
    struct Endless(usize);
    impl Read for Endless {
        fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
            bytes.fill(b'x');
            self.0 += bytes.len();
            assert!(self.0 < 9 << 20, "it is read on and on");
            Ok(bytes.len())
        }
    }
    let quoted = format!("\"{}\"", LINE.replace('"', "\"\""));
    let begun = format!("@timestamp,@message\n1,{quoted}\n2,\"");
    let mut numbers = Vec::new();
    let error = read(begun.as_bytes().chain(Endless(0)), |number, _| numbers.push(number)).unwrap_err();
    assert_eq!(numbers, [1]);
    let error = format!("{error:#}");
    assert!(error.contains("from line 3 on") && error.contains("a row of more than 4 MiB"), "{error}");
    // As many rows as there may be, each as long as an event may be.
    let row = format!("1,\"{}\"\n", "\"\"".repeat(1 << 20));
    let log = format!("@timestamp,@message\n{}2,{quoted}\n", row.repeat(5));
    assert_eq!(found(log.as_bytes()), [(6, LINE.to_owned())]);
}

#[test]
fn events_one_a_line() {
    let event = |timestamp: serde_json::Value| serde_json::json!({"timestamp": timestamp, "message": LINE}).to_string();
    let log = format!("{}\n{}\n", event(1795316400700_u64.into()), event("2026-11-22T03:00:00Z".into()));
    assert_eq!(found(log.as_bytes()), [(1, LINE.to_owned())]);
}

#[test]
fn a_line_too_long_for_a_log_is_passed_over() {
    let log = format!("{}{LINE}\n{LINE}\n", "x".repeat(MAX_LINE as usize + 5));
    assert_eq!(found(log.as_bytes()), [(2, LINE.to_owned())]);
}

#[test]
fn what_is_no_text() {
    assert_eq!(found(&[0, 159, 146, 150].repeat(5000)), []);
    assert_eq!(found(b""), []);
    let broken = LINE.replace('é', "\u{1}").into_bytes();
    assert_eq!(found(&broken).len(), 1);
}
