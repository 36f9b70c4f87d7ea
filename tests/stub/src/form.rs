//! EC2's requests: forms whose members are numbered.

use std::collections::BTreeMap;

/// All members.
pub(crate) fn members(body: &str) -> BTreeMap<String, String> {
    body.split('&').filter_map(|member| member.split_once('=')).map(|(k, v)| (decoded(k), decoded(v))).collect()
}

/// One member.
pub(crate) fn value(body: &str, name: &str) -> Option<String> {
    let found = body.split('&').filter_map(|member| member.split_once('=')).find(|(each, _)| *each == name);
    found.map(|(_, value)| decoded(value))
}

/// The values of `name.1`, `name.2`, and so on.
pub(crate) fn numbered(members: &BTreeMap<String, String>, name: &str) -> Vec<String> {
    (1..).map_while(|number| members.get(&format!("{name}.{number}")).cloned()).collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut all = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        all.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || bytes.next().and_then(|byte| char::from(byte).to_digit(16)).unwrap_or_default();
                u8::try_from(digit() * 16 + digit()).unwrap_or_default()
            }
            other => other,
        });
    }
    String::from_utf8_lossy(&all).into_owned()
}
