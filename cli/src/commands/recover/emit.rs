//! Points as what restores them.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::Value;
use snapferry_core::recovery::emit::{aws_cli, cloudformation, databases};
use snapferry_core::recovery::restore::Restore;
use snapferry_core::recovery::{Content, Point, Recovery, Wanted};

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

/// Writes what restores the points; nothing where there are none.
pub(super) fn write(form: Form, into: Option<&Path>, wanted: &Wanted, recovery: &Recovery<'_>) -> anyhow::Result<()> {
    let restores: Vec<Restore<'_>> = restores(wanted, recovery);
    let parts = match form {
        Form::AwsCli => {
            let volumes = (!restores.is_empty()).then(|| aws_cli::script(&restores));
            let volumes = volumes.map(|script| script::going_on(&script, &["volume"], "no volume was made of"));
            let databases = databases::script(&recovery.points);
            let databases = databases
                .map(|script| script::going_on(&script, &["instance", "cluster"], "no database was restored from"));
            let scripts = [("restore.sh", volumes), ("restore-databases.sh", databases)];
            scripts.into_iter().filter_map(|(name, script)| Some((name.to_owned(), script?))).collect()
        }
        Form::CloudFormation => {
            warn_of_databases(recovery)?;
            if restores.is_empty() { Vec::new() } else { templates(&restores)? }
        }
    };
    let Some(directory) = into else {
        return match parts.as_slice() {
            [] => Ok(()),
            [(_, text)] => to(Path::new(input::STDIN), text),
            _ => anyhow::bail!("what is restored takes {} files: name a directory for them with --into", parts.len()),
        };
    };
    if parts.is_empty() {
        return Ok(());
    }
    std::fs::create_dir_all(directory).with_context(|| format!("{} cannot be made", input::shown(directory)))?;
    for (name, text) in parts {
        let path: PathBuf = directory.join(name);
        to(&path, &text)?;
        writeln!(anstream::stdout(), "{}", input::shown(&path))?;
    }
    Ok(())
}

/// What becomes of each point of a volume.
pub(super) fn restores<'f>(wanted: &Wanted, recovery: &Recovery<'f>) -> Vec<Restore<'f>> {
    volumes(recovery).map(|point| Restore::of(point, wanted.attachments.get(point.volume))).collect()
}

/// The points that are of volumes.
pub(super) fn volumes<'r, 'f>(recovery: &'r Recovery<'f>) -> impl Iterator<Item = &'r Point<'f>> {
    recovery.points.iter().filter(|point| point.detail.content == Content::Volume)
}

/// Says on standard error that databases are not among what is made; gives how many there are.
pub(super) fn warn_of_databases(recovery: &Recovery<'_>) -> anyhow::Result<usize> {
    let count = recovery.points.len() - volumes(recovery).count();
    if count > 0 {
        writeln!(
            anstream::stderr(),
            "warning: databases are not made by this ({count}): --emit aws-cli prints their calls"
        )?;
    }
    Ok(count)
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
