"""A sweep over a hundred thousand shared snapshots, all of them copied into three Regions already."""

import json
import subprocess
from pathlib import Path

from tests.scale.pages import PAGE, SOURCE, Pages
from tests.scale.runtime import Function

ROOT = Path(__file__).parents[2]
HOME = "us-east-1"
TARGETS = ["eu-west-1", "eu-central-1", "ap-southeast-2"]
PAGES = 100
MEMORY_LIMIT_MIB = 128

POLICY = {
    "PolicyType": "EVENT_BASED_POLICY",
    "EventSource": {
        "Type": "MANAGED_CWE",
        "Parameters": {"EventType": "shareSnapshot", "SnapshotOwner": [SOURCE], "DescriptionRegex": ".*policy-.*"},
    },
    "Actions": [
        {
            "Name": "copy",
            "CrossRegionCopy": [
                {
                    "Target": target,
                    "EncryptionConfiguration": {"Encrypted": True},
                    "RetainRule": {"Interval": 1, "IntervalUnit": "YEARS"},
                }
                for target in TARGETS
            ],
        }
    ],
}


def test_a_sweep_over_100_000_copied_snapshots() -> None:
    """Every page once, nothing else asked, everything found protected, in 128 MiB; the time beside the SDK's own."""
    with Pages(home=HOME, targets=TARGETS, pages=PAGES) as aws:
        environment = {"AWS_ENDPOINT_URL": aws.url, "SNAPFERRY_POLICY": json.dumps(POLICY)}
        with Function(ROOT / "target/lambda/copy-shared-snapshots/bootstrap", environment) as copier:
            answer = copier.invoke({"sweep": "scale"})
            memory = copier.peak_memory_mib()
            records = copier.audit()
        assert answer.error is None
        assert len(aws.reads) == PAGES * (1 + len(TARGETS))
        assert set(aws.reads.values()) == {1}
        assert aws.others == []
        (completed,) = (record for record in records if record["event"] == "sweep.completed")
        assert [record for record in records if not record["event"].startswith("sweep.")] == []
        sweep = completed["sweep"]
        assert (sweep["shared"], sweep["matching"]) == (PAGES * PAGE, PAGES * PAGE)
        assert (sweep["protected"], sweep["missing"]) == (PAGES * PAGE * len(TARGETS), 0)
        assert memory < MEMORY_LIMIT_MIB

        bare = subprocess.run(
            [str(ROOT / "target/lambda/bare-pagination/bootstrap"), HOME, *TARGETS],
            env={
                "AWS_REGION": HOME,
                "AWS_ENDPOINT_URL": aws.url,
                "AWS_ACCESS_KEY_ID": "x",
                "AWS_SECRET_ACCESS_KEY": "x",
            },
            check=True,
            capture_output=True,
            text=True,
        )
    counted = json.loads(bare.stdout)
    assert counted["snapshots"] == PAGES * PAGE * (1 + len(TARGETS))
    print(
        f"\nsweep {answer.seconds:.2f} s, {memory:.0f} MiB; "
        f"bare pagination of the same pages {counted['seconds']:.2f} s; ratio {answer.seconds / counted['seconds']:.2f}"
    )
