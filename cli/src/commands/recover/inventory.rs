//! What the volumes were attached to, as a table from the source account says.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, ensure};
use snapferry_core::ids::VolumeId;
use snapferry_core::recovery::Attachment;
use snapferry_core::text::printable;

use crate::terminal::input;

/// Far more than the volumes of an organization take.
const MOST: usize = 64 << 20;
/// The longest cell that is kept, in characters: one less than a tag's value has, for the mark at the cut.
const LONGEST: usize = 255;

/// Reads comma-separated values whose first line names the columns: `volume`, and any of `instance`, `device` and `name`. Of a
/// volume that is attached several times the first line counts.
pub(super) fn read(path: &Path) -> anyhow::Result<BTreeMap<VolumeId, Attachment>> {
    let text = input::text(path, MOST)?;
    parse(&text).with_context(|| format!("{} is no inventory", input::shown(path)))
}

fn parse(text: &str) -> anyhow::Result<BTreeMap<VolumeId, Attachment>> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let columns = reader.headers()?.clone();
    let place = |name: &str| columns.iter().position(|column| column.eq_ignore_ascii_case(name));
    let volume = place("volume").context("its first line has to name the columns: volume, instance, device, name")?;
    let [instance, device, name] = ["instance", "device", "name"].map(place);
    let mut attachments = BTreeMap::new();
    for row in reader.records() {
        let row = row?;
        let line = row.position().map(csv::Position::line).unwrap_or_default();
        let id = VolumeId::of_any_kind(row.get(volume).unwrap_or_default()).with_context(|| format!("line {line}"))?;
        ensure!(!id.is_filler(), "line {line}: {id} names no volume");
        let cell = |at: Option<usize>| printable(at.and_then(|at| row.get(at)).unwrap_or_default(), LONGEST);
        let attachment = Attachment { instance: cell(instance), device: cell(device), name: cell(name) };
        attachments.entry(id).or_insert(attachment);
    }
    ensure!(!attachments.is_empty(), "it names no volume");
    Ok(attachments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_jq_writes_it_and_as_a_spreadsheet_does() {
        let jq = "\"volume\",\"instance\",\"device\",\"name\"\n\"vol-00000001\",\"i-1\",\"/dev/sda1\",\"the, \"\"root\"\"\"\n\
                  \"vol-00000002\",,,\n\"vol-00000001\",\"i-2\",\"/dev/sdf\",\n";
        let sheet = "Name , Volume\r\nroot\u{1b}, vol-00000001\r\n";
        let volume = |text| VolumeId::parse(text).unwrap();
        let read = parse(jq).unwrap();
        let first = &read[&volume("vol-00000001")];
        assert_eq!((&*first.instance, &*first.device, &*first.name), ("i-1", "/dev/sda1", "the, \"root\""));
        assert_eq!(read[&volume("vol-00000002")], Attachment::default());
        assert_eq!(parse(sheet).unwrap()[&volume("vol-00000001")].name, "root\\u{1b}");
    }

    #[test]
    fn what_is_none_is_named() {
        for (text, expected) in [
            ("", "its first line"),
            ("instance,name\ni-1,a\n", "its first line"),
            ("volume\n", "it names no volume"),
            ("volume,name\nvol-00000001,a\nserver-1,b\n", "line 3: a volume ID"),
            ("volume\nvol-ffffffff\n", "line 2: vol-ffffffff names no volume"),
            ("volume,name\nvol-00000001,a,b\n", "CSV error"),
        ] {
            let error = format!("{:#}", parse(text).unwrap_err());
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
