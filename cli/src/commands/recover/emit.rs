//! Points as what makes volumes of them.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::Value;
use snapferry_core::recovery::emit::{aws_cli, cloudformation};
use snapferry_core::recovery::restore::Restore;
use snapferry_core::recovery::{Recovery, Wanted};

use super::script;
use crate::terminal::{file, input};

/// Whose words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Form {
    /// Templates of at most 500 volumes
    #[value(name = "cloudformation")]
    CloudFormation,
    /// A shell script
    AwsCli,
}

/// Writes what makes volumes of the points; nothing where there are none.
pub(super) fn write(form: Form, into: Option<&Path>, wanted: &Wanted, recovery: &Recovery<'_>) -> anyhow::Result<()> {
    let restores: Vec<Restore<'_>> = restores(wanted, recovery);
    if restores.is_empty() {
        return Ok(());
    }
    let parts = match form {
        Form::AwsCli => vec![(
            "restore.sh".to_owned(),
            script::going_on(&aws_cli::script(&restores), "volume", "no volume was made of"),
        )],
        Form::CloudFormation => templates(&restores)?,
    };
    let Some(directory) = into else {
        let [(_, text)] = parts.as_slice() else {
            anyhow::bail!("the volumes take {} stacks: name a directory for their templates with --into", parts.len());
        };
        return to(Path::new(input::STDIN), text);
    };
    std::fs::create_dir_all(directory).with_context(|| format!("{} cannot be made", input::shown(directory)))?;
    for (name, text) in parts {
        let path: PathBuf = directory.join(name);
        to(&path, &text)?;
        writeln!(anstream::stdout(), "{}", input::shown(&path))?;
    }
    Ok(())
}

/// What becomes of each point.
pub(super) fn restores<'f>(wanted: &Wanted, recovery: &Recovery<'f>) -> Vec<Restore<'f>> {
    let attachment = |volume| wanted.attachments.get(volume);
    recovery.points.iter().map(|point| Restore::of(point, attachment(point.volume))).collect()
}

fn templates(restores: &[Restore<'_>]) -> anyhow::Result<Vec<(String, String)>> {
    let templates = cloudformation::templates(restores);
    (1..).zip(&templates).map(|(number, template)| Ok((format!("restore-{number}.json"), text(template)?))).collect()
}

/// For people where that is not too long for CloudFormation.
fn text(template: &Value) -> anyhow::Result<String> {
    let pretty = serde_json::to_string_pretty(template)?;
    Ok(if pretty.len() > cloudformation::MAX_BYTES { template.to_string() } else { pretty } + "\n")
}

fn to(path: &Path, text: &str) -> anyhow::Result<()> {
    file::write(path, |out: &mut dyn Write| Ok(out.write_all(text.as_bytes())?))
}
