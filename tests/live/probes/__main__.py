"""Ask two accounts of the user's, or the local AWS; or say where two reports differ.

Exit codes: 0 fine, 1 something is left or differs, 2 cannot run.
"""

import argparse
import json
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from tests.cloud import LocalAws
from tests.live.__main__ import clients
from tests.live.probes.ask import ask
from tests.live.probes.ground import Ground, stand
from tests.live.probes.questions import NOT_ASKED, QUESTIONS
from tests.live.probes.report import differences
from tests.live.setting import RefusedError, Setting

GO_ON = "Go on? [y/N] "
LOCAL_SOURCE, LOCAL_TARGET = "111111111111", "222222222222"


def main() -> int:
    arguments = _arguments()
    try:
        if arguments.compare:
            return _compared(*(json.loads(each.read_text()) for each in arguments.compare))
        if arguments.local:
            with LocalAws() as aws:
                return _asked(_of_local(aws, arguments), arguments)
        ground = _of_profiles(arguments)
        print(_told(ground, arguments))
        if not (arguments.yes or _confirmed()):
            print("Nothing was made.")
            return 2
        return _asked(ground, arguments)
    except (RefusedError, ClientError, BotoCoreError, OSError, ValueError) as refusal:
        print(f"Cannot run: {refusal}", file=sys.stderr)
        return 2


def _asked(ground: Ground, arguments: argparse.Namespace) -> int:
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, lambda *_: ground.setting.stop.set())
    found, left = ask(ground, arguments.only)
    arguments.report.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    print(f"The answers are in {arguments.report}. Read it before you send it.")
    if left:
        print("Could not be removed:", *(f"  {line}" for line in left), sep="\n")
    return 1 if left else 0


def _compared(one: dict[str, Any], other: dict[str, Any]) -> int:
    found = differences(one, other)
    print("\n".join(found) or "The answers are the same.")
    return 1 if found else 0


def _told(ground: Ground, arguments: argparse.Namespace) -> str:
    asked = [each for each in QUESTIONS if not arguments.only or each.id in arguments.only]
    return "\n".join(
        [
            f"Source account {ground.source_account} in {ground.home}; target account {ground.target_account} in "
            f"{ground.home} and {ground.away}.",
            *(f"  {each.id}: {each.asks}" for each in asked),
            "Not asked:",
            *(f"  {question}: {why}" for question, why in NOT_ASKED.items()),
            "What is made, what it costs and how it is removed: tests/live/README.md.",
        ]
    )


def _confirmed() -> bool:
    if not sys.stdin.isatty():
        raise RefusedError("there is nobody to ask; YES=1 goes on without.")
    return input(GO_ON).strip().lower() in {"y", "yes"}


def _of_profiles(arguments: argparse.Namespace) -> Ground:
    if not (arguments.source_profile and arguments.target_profile):
        raise RefusedError("Whose accounts? (SOURCE_PROFILE=… TARGET_PROFILE=…)")
    target = boto3.Session(profile_name=arguments.target_profile)
    source = boto3.Session(profile_name=arguments.source_profile)
    region = arguments.region or target.region_name
    if not (region and arguments.away):
        raise RefusedError("In which Region are snapshots shared, and to which are they copied? (REGION=… AWAY=…)")
    setting = Setting(
        clients(source),
        clients(target),
        say=lambda text: print(text, flush=True),
        stop=threading.Event(),
        pause=arguments.poll_seconds,
        settle=600.0,
    )
    return stand(setting, region, arguments.away, arguments.database)


def _of_local(aws: LocalAws, arguments: argparse.Namespace) -> Ground:
    setting = Setting(
        lambda service, region: aws.client(service, LOCAL_SOURCE, region),
        lambda service, region: aws.client(service, LOCAL_TARGET, region),
        say=lambda text: print(text, flush=True),
        pause=0.05,
        settle=5.0,
        other_within=30.0,
        copy_within=30.0,
    )
    return stand(setting, arguments.region or "eu-west-1", arguments.away or "us-east-1")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.live.probes", description="Ask AWS what nobody has seen.")
    parser.add_argument("--source-profile", help="AWS profile of an account that shares")
    parser.add_argument("--target-profile", help="AWS profile of another account, which copies")
    parser.add_argument("--region", help="where snapshots are made and shared (default: the target profile's)")
    parser.add_argument("--away", help="the Region that they are copied to")
    parser.add_argument(
        "--database",
        default="",
        metavar="ARN",
        help="a manual snapshot of a small database, which is shared and copied",
    )
    parser.add_argument(
        "--only", nargs="*", default=[], choices=[each.id for each in QUESTIONS], help="these questions"
    )
    parser.add_argument("--report", type=Path, default=Path("probes.json"), help="the answers (default: %(default)s)")
    parser.add_argument("--poll-seconds", type=float, default=2, help="between two looks (default: %(default)s)")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--local", action="store_true", help="ask the local AWS instead")
    parser.add_argument("--compare", nargs=2, type=Path, metavar="REPORT", help="where do these two differ?")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
