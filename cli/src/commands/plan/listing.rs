//! Lists on a terminal.

use comfy_table::{ContentArrangement, Table, presets};

/// More lines than these are counted on a terminal instead of listed.
pub(super) const LISTED: usize = 50;

/// A table that fits the terminal.
pub(super) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_header(header);
    table
}
