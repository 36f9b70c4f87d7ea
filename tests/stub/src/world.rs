//! What a test says of the world.

use serde::Deserialize;

/// The world. Snapshot `n` of the home Region, and the copies of it, follow from its number alone.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct World {
    pub(crate) home: String,
    /// Each volume is one owner's, in turn.
    pub(crate) owners: Vec<String>,
    /// So many snapshots are shared: those of the numbers below.
    pub(crate) shared: u64,
    /// So many of them have a verified copy in each other Region.
    pub(crate) copied: u64,
    /// Snapshots of a volume.
    pub(crate) of_a_volume: u64,
    /// When all snapshots were started, their copies verified, and when those expire.
    pub(crate) started: String,
    pub(crate) settled: String,
    pub(crate) expires: String,
    /// How long a page of DescribeSnapshots takes.
    pub(crate) page_seconds: f64,
    /// How long any other request to EC2, KMS and STS takes.
    pub(crate) call_seconds: f64,
    /// How long a request to DynamoDB takes.
    pub(crate) table_seconds: f64,
    /// Where EC2 cuts its pages before it filters: of so many snapshots of the world a page shows those that pass.
    pub(crate) cuts: Option<u64>,
    /// So many copies are taken by each Region; then it is full.
    pub(crate) takes: usize,
    pub(crate) faults: Vec<Fault>,
    /// So many blocks has each snapshot, and this is the digest of each as EBS gives it.
    pub(crate) blocks: u64,
    pub(crate) block_sha_256: String,
}

/// What goes wrong with DescribeSnapshots.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    /// In this Region.
    pub(crate) region: String,
    /// When this owner's snapshots are asked for; whatever is asked for, where there is none.
    pub(crate) owner: Option<String>,
    /// EC2's error; without one the page takes so long.
    pub(crate) code: Option<String>,
    #[serde(default)]
    pub(crate) seconds: f64,
}

impl Default for World {
    fn default() -> Self {
        Self {
            home: "us-east-1".to_owned(),
            owners: vec!["111111111111".to_owned()],
            shared: 0,
            copied: 0,
            of_a_volume: 20,
            started: String::new(),
            settled: String::new(),
            expires: String::new(),
            page_seconds: 0.0,
            call_seconds: 0.0,
            table_seconds: 0.0,
            cuts: None,
            takes: usize::MAX,
            faults: Vec::new(),
            blocks: 0,
            block_sha_256: String::new(),
        }
    }
}

impl World {
    /// A snapshot's volume.
    pub(crate) fn volume(&self, number: u64) -> u64 {
        number / self.of_a_volume.max(1)
    }

    /// A snapshot's owner.
    pub(crate) fn owner(&self, number: u64) -> &str {
        let owners = u64::try_from(self.owners.len()).unwrap_or_default().max(1);
        usize::try_from(self.volume(number) % owners).ok().and_then(|at| self.owners.get(at)).map_or("", String::as_str)
    }
}
