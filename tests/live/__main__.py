"""Play the scenario with two profiles of the user's.

Exit codes: 0 fine, 1 findings or something left, 2 cannot run, 130 interrupted, as shells have it.
"""

import argparse
import json
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.live import cost, scenario
from tests.live.setting import Clients, RefusedError, Setting

GO_ON = "Go on? [y/N] "


def main() -> int:
    """Estimate, ask, play, report."""
    arguments = _arguments()
    stop = threading.Event()
    try:
        setting, plan = _planned(arguments, stop)
        print(_told(plan))
        print(cost.printed(_estimate(plan, setting, arguments.price)), flush=True)
        if not (arguments.yes or _confirmed()):
            print("Nothing was made.")
            return 2
    except (RefusedError, ClientError, BotoCoreError, OSError, ValueError) as refusal:
        print(f"Cannot run: {refusal}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nNothing was made.")
        return 130
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, lambda *_: stop.set())
    report = scenario.run(plan, setting)
    return _reported(report)


def _planned(arguments: argparse.Namespace, stop: threading.Event) -> tuple[Setting, scenario.Plan]:
    target = boto3.Session(profile_name=arguments.target_profile)
    region = arguments.region or target.region_name
    if region is None:
        raise RefusedError("Which Region is the stack in? (REGION=…)")
    setting = Setting(
        clients(boto3.Session(profile_name=arguments.source_profile)),
        clients(target),
        say=lambda text: print(text, flush=True),
        stop=stop,
        pause=arguments.poll_seconds,
        settle=arguments.settle_seconds,
        copy_within=arguments.minutes * 60,
    )
    plan = scenario.plan(
        setting,
        region,
        arguments.stack,
        document=json.loads(arguments.policy.read_text()) if arguments.policy else None,
        description=arguments.description,
        source_key=arguments.source_key,
        create_key=arguments.create_key,
    )
    return setting, plan


def _estimate(plan: scenario.Plan, setting: Setting, given: list[str]) -> list[cost.Item]:
    # Deadlines one after the other: the stack's new key, the volume, the snapshot, the copies, their removal.
    hours = (4 * setting.other_within + setting.copy_within) / 3_600
    return cost.estimate(
        copies=len(plan.wanted),
        elsewhere=sum(each.region != plan.region for each in plan.wanted),
        hours=hours,
        new_key=plan.source_key is None,
        at=cost.prices(given),
    )


def _told(plan: scenario.Plan) -> str:
    copies = "\n".join(f"  policy {each.policy}: {each.region} under {each.key or 'any key'}" for each in plan.wanted)
    return (
        f"Account {plan.source_account} makes a volume of {scenario.GIB} GiB and a snapshot of it in {plan.region},\n"
        f"under {plan.source_key or 'a key made for it'},\n"
        f"and shares the snapshot with {plan.target_account}, whose stack {plan.stack} copies it:\n"
        f"{copies}\n"
        "All of it is removed in the end, and whenever something fails.\n"
    )


def _confirmed() -> bool:
    if not sys.stdin.isatty():
        raise RefusedError("there is nobody to ask; YES=1 goes on without.")
    return input(GO_ON).strip().lower() in {"y", "yes"}


def _reported(report: scenario.Report) -> int:
    for title, lines in (("Not as it should be:", report.findings), ("Could not be removed:", report.left)):
        if lines:
            print(title, *(f"  {line}" for line in lines), sep="\n")
    if report.interrupted:
        print("Interrupted.")
        return 130
    print("Every copy is as the policy asks." if report.fine() else "The test has failed.")
    return 0 if report.fine() else 1


def clients(session: Any) -> Clients:
    """Clients that try again by themselves, as AWS's own tools do."""
    patient = Config(retries={"mode": "standard", "max_attempts": 5})
    return lambda service, region: session.client(service, region_name=region, config=patient)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.live", description="Test a deployed stack with a snapshot.")
    parser.add_argument("--source-profile", required=True, help="AWS profile of the account that shares")
    parser.add_argument("--target-profile", required=True, help="AWS profile of the account with the stack")
    parser.add_argument("--region", help="the stack's Region (default: the target profile's)")
    parser.add_argument("--stack", default="snapferry", help="the stack's name (default: %(default)s)")
    parser.add_argument("--policy", type=Path, help="the policy (default: the one that is deployed)")
    parser.add_argument("--description", help="the snapshot's description, for a DescriptionRegex to match")
    parser.add_argument("--source-key", help="ARN of the key to encrypt under (default: the first of SourceKeyArns)")
    parser.add_argument("--create-key", action="store_true", help="make a key, and wait until the stack may use it")
    parser.add_argument("--minutes", type=float, default=60, help="how long copies may take (default: %(default)s)")
    parser.add_argument("--poll-seconds", type=float, default=15, help="between two looks (default: %(default)s)")
    parser.add_argument(
        "--settle-seconds", type=float, default=60, help="how long to look for late copies (default: %(default)s)"
    )
    parser.add_argument("--price", action="append", default=[], metavar="NAME=VALUE", help="another price than preset")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    arguments = parser.parse_args()
    for name in ("source_profile", "target_profile"):
        if not getattr(arguments, name):
            parser.error(f"which {name.replace('_', ' ')}? make live-test SOURCE_PROFILE=… TARGET_PROFILE=…")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
