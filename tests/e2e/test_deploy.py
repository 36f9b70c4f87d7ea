"""`make deploy`: nothing happens before the policy is known to be valid, and then SAM gets what the policy says."""

import json
import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cloud import LocalAws
from tests.e2e import packages, policies
from tests.e2e.accounts import HOME, Account
from tests.e2e.deploy import repeated, stack_of
from tests.live.deployed import policy as deployed_policy

NEAR, FAR = "us-west-2", "eu-west-1"
KEY = f"arn:aws:kms:{NEAR}:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab"
VALID = policies.details(
    ["111122223333", "777788889999"], policies.target(NEAR, key=KEY, keep=(3, "DAYS")), policies.target(FAR)
)
EMPTY = tuple(f"AWS_{name}" for name in ("PROFILE", "DEFAULT_REGION", "REGION", "ENDPOINT_URL"))
# Nothing of this machine says who the operator is.
NOBODY = {"AWS_EC2_METADATA_DISABLED": "true"}


def command() -> Path:
    """The operator's command, in the newest build there is."""
    built = [packages.REPOSITORY / "target" / profile / "snapferry" for profile in ("release", "debug")]
    there = sorted((each for each in built if each.is_file()), key=lambda each: each.stat().st_mtime)
    if not there:
        raise FileNotFoundError("target/release/snapferry is not built: run `make cli`")
    return there[-1]


@dataclass(frozen=True)
class Checkout:
    """As much of the repository as `make deploy` needs, with stand-ins that write down how cargo and SAM are called."""

    path: Path

    def deploy(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `make deploy`, without building anything in Rust, and where nobody can be asked."""
        return self.make("deploy", "YES=1", *arguments, terminal=subprocess.DEVNULL, **environment)

    def deploy_release(self, folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `make deploy` with a release's folder, whose own command checks the policy."""
        return self.deploy(f"DIST={folder}", "SNAPFERRY=target/deploy/snapferry", *arguments, **environment)

    def make(
        self, target: str, *arguments: str, terminal: int = subprocess.DEVNULL, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run make, without building anything in Rust."""
        programs = [str(self.path / "stand-ins"), str(Path(sys.executable).parent), os.environ["PATH"]]
        inherited = {name: value for name, value in os.environ.items() if name not in EMPTY and "MAKE" not in name}
        return subprocess.run(
            # Nothing is compiled, so the SDK's crates need not be cut.
            ["make", target, f"SNAPFERRY={command()}", "FULL_SDK=1", *arguments],
            cwd=self.path,
            env={**inherited, "PATH": ":".join(programs), "HOME": str(self.path), **NOBODY, **environment},
            stdin=terminal,
            capture_output=True,
            text=True,
            check=False,
        )

    def write(self, policy: Any) -> str:
        """The policy as a file, and the argument that names it."""
        (self.path / "my policy.json").write_text(json.dumps(policy))
        return "POLICY=my policy.json"

    def called(self, program: str) -> list[list[str]]:
        """The arguments of each call of a stand-in."""
        log = self.path / f"{program}.calls"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    def stand_in(self, program: str) -> Path:
        """A program that does nothing but write its arguments down."""
        made = self.path / "stand-ins" / program
        made.parent.mkdir(exist_ok=True)
        log = self.path / f"{program}.calls"
        made.write_text(
            f"#!{sys.executable}\nimport json, sys\nwith open({str(log)!r}, 'a') as log:\n"
            "    print(json.dumps(sys.argv[1:]), file=log)\n"
        )
        made.chmod(0o755)
        return made


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    made = Checkout(tmp_path)
    for name in ("Makefile", "infra/sam", "target/lambda"):
        there, here = packages.REPOSITORY / name, tmp_path / name
        here.parent.mkdir(parents=True, exist_ok=True)
        if there.is_dir():
            shutil.copytree(there, here, ignore=shutil.ignore_patterns("snapferry", "bare-*"))
        else:
            shutil.copy(there, here)
    # The tools' environments are there, and as new as what is to be in them.
    for environment, wanted in ((".venv", ""), (".venv-sam", "-sam")):
        (tmp_path / environment).mkdir()
        (tmp_path / "tests").mkdir(exist_ok=True)
        for kind in ("requirements", "constraints"):
            (tmp_path / f"tests/{kind}{wanted}.txt").touch()
        (tmp_path / environment / ".installed").touch()
    made.stand_in("cargo")
    return made


def layer(checkout: Checkout) -> Any:
    """The document that SAM finds for the layer."""
    there = checkout.path / "target/policy-layer/policy.json"
    return json.loads(there.read_text()) if there.exists() else None


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ({**VALID, "Actoins": []}, "error: Actoins: unknown member"),
        ({**VALID, "Actions": [{"Name": "x", "CrossRegionCopy": [policies.target("Ireland")]}]}, "Ireland"),
    ],
    ids=["a member that is not known", "a Region that is none"],
)
def test_an_invalid_policy_stops_before_anything_is_built_or_deployed(
    checkout: Checkout, policy: Any, message: str
) -> None:
    run = checkout.deploy(checkout.write(policy), f"SAM={checkout.stand_in('sam')}")
    assert run.returncode != 0
    assert message in run.stderr
    assert "my policy.json:1:" in run.stderr, "the place, as check prints it"
    assert (checkout.called("cargo"), checkout.called("sam"), layer(checkout)) == ([], [], None)


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (
            policies.details([], policies.target(NEAR)),
            "the policy names no SnapshotOwner, so there is nothing to deploy",
        ),
        (policies.details(["111122223333"]), "the policy names no Target, so there is nothing to deploy"),
        (
            policies.details([f"{number:012}" for number in range(316)], policies.target(NEAR)),
            "what the policy names needs 4107 characters as SourceAccounts, and CloudFormation takes 4096",
        ),
    ],
    ids=["no owners", "no targets", "too many owners"],
)
def test_a_valid_policy_that_cannot_be_deployed_stops_it_too(checkout: Checkout, policy: Any, message: str) -> None:
    run = checkout.deploy(checkout.write(policy), f"SAM={checkout.stand_in('sam')}")
    assert run.returncode != 0
    assert f"my policy.json: {message}" in run.stderr
    assert (checkout.called("cargo"), checkout.called("sam"), layer(checkout)) == ([], [], None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "make deploy POLICY=policy.json"),
        (["POLICY=absent.json"], "absent.json"),
        (["POLICY=-"], "POLICY=- is no file"),
        (["POLICY=my policy.json", "PARAMETERS=LogLevel=debug Policy={}"], "PARAMETERS must not have Policy"),
        (["POLICY=my policy.json", "PARAMETERS=ParameterKey=Policy,ParameterValue={}"], "must not have Policy"),
        (
            ["POLICY=my policy.json", "PARAMETERS='LogLevel=debug TargetRegions=eu-west-1'"],
            "must not have TargetRegions",
        ),
        (
            ["POLICY=my policy.json", "PARAMETERS=Architecture=arm64 SourceAccounts=1,2"],
            "must not have Architecture, SourceAccounts",
        ),
    ],
    ids=["none", "a file that is not there", "standard input", "two policies", "AWS's spelling", "Regions", "more"],
)
def test_it_deploys_one_policy_from_a_file(checkout: Checkout, arguments: list[str], message: str) -> None:
    checkout.write(VALID)
    run = checkout.deploy(*arguments, f"SAM={checkout.stand_in('sam')}")
    assert run.returncode != 0
    assert message in run.stderr
    assert (checkout.called("cargo"), checkout.called("sam")) == ([], [])


def test_what_sam_is_told(checkout: Checkout) -> None:
    chosen = ["STACK=vault", "REGION=eu-central-1", "PROFILE=target", "ARCH=x86_64", "YES=1"]
    key = "arn:aws:kms:eu-central-1:111122223333:key/1"
    more = f"PARAMETERS=SourceKeyArns={key} 'SweepSchedule=\"rate(5 minutes)\"' ServeSchedule='rate(2 minutes)'"
    run = checkout.deploy(checkout.write(VALID), f"SAM={checkout.stand_in('sam')}", *chosen, more)
    assert run.returncode == 0, run.stderr
    [build] = checkout.called("cargo")
    assert build[:3] == ["lambda", "build", "--release"]
    assert layer(checkout) == VALID
    [[*told]] = checkout.called("sam")
    options, parameters = told[: told.index("--parameter-overrides")], told[told.index("--parameter-overrides") + 1 :]
    assert options == [
        *("deploy", "--template-file", "infra/sam/template.yaml", "--stack-name", "vault"),
        *("--region", "eu-central-1", "--profile", "target", "--resolve-s3", "--capabilities", "CAPABILITY_IAM"),
        *("--no-fail-on-empty-changeset", "--no-confirm-changeset"),
    ]
    assert parameters == [
        *('Policy=""', "Architecture=x86_64"),
        *(f'{name}="{value}"' for name, value in repeated(VALID).items()),
        f'SourceKeyArns="{key}"',
        *('SweepSchedule="rate(5 minutes)"', 'ServeSchedule="rate(2 minutes)"'),
    ]


def test_without_more_said_it_asks_and_leaves_place_and_credentials_to_sam(checkout: Checkout) -> None:
    other_end, terminal = pty.openpty()
    run = checkout.make("deploy", checkout.write(VALID), f"SAM={checkout.stand_in('sam')}", terminal=terminal)
    os.close(terminal)
    os.close(other_end)
    assert run.returncode == 0, run.stderr
    [told] = checkout.called("sam")
    assert "--confirm-changeset" in told
    assert "--region" not in told
    assert "--profile" not in told
    assert told[told.index("--stack-name") + 1] == "snapferry"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["YES="], "There is no terminal, so nobody can be asked: make deploy YES=1"),
        (["BUCKET=my-code"], "BUCKET=my-code goes with DIST"),
        (["REGION=eu central-1"], "REGION has a space in it."),
        (["STACK=snap ferry"], "STACK has a space in it."),
        (["STACK="], "Which stack?"),
        (["PARAMETERS=LogLevl=debug"], "PARAMETERS: the template has no LogLevl; perhaps LogLevel"),
        (["PARAMETERS=Nothing=1"], "PARAMETERS: the template has no Nothing\n"),
        (["PARAMETERS=ParameterKey=LogLevl,ParameterValue=debug"], "the template has no LogLevl"),
        (["PARAMETERS=LogLevel=foo"], "LogLevel=foo is refused by the template: one of "),
        (["PARAMETERS=RolePath=snapferry"], "RolePath=snapferry is refused by the template"),
        (["PARAMETERS=AlarmEmail=nobody"], "AlarmEmail=nobody is refused by the template"),
        (["PARAMETERS=SweepMissingAlarmHours=0"], "is refused by the template: at least 1"),
        (["PARAMETERS=LogLevel=debug LogLevel=info"], "LogLevel stands there twice, with two values"),
        (["PARAMETERS=SweepSchedule=rate(5 minutes)"], "PARAMETERS: 'minutes)' is no Name=value"),
        (["PARAMETERS=LogLevel='debug"], "PARAMETERS: no closing quotation in LogLevel='debug"),
        (["PARAMETERS='LogLevel=a\\ b'"], "SAM would change the value of LogLevel"),
    ],
    ids=str,
)
def test_what_the_arguments_alone_show_is_said_first(checkout: Checkout, arguments: list[str], message: str) -> None:
    run = checkout.deploy(checkout.write(VALID), f"SAM={checkout.stand_in('sam')}", *arguments)
    assert run.returncode != 0
    assert message in run.stderr, run.stderr
    assert (checkout.called("cargo"), checkout.called("sam"), layer(checkout)) == ([], [], None)


@pytest.mark.parametrize(
    "value",
    [
        "$(touch done)",
        "$(shell touch done)",
        "`touch done`",
        "a; touch done",
        "a && touch done",
        "two words  and * ? {a,b} ~ !",
        'said "so", $HOME and $$HOME',
        "back\\slash",
        "#fragment",
        "",
    ],
)
def test_a_value_arrives_whole_and_does_nothing(checkout: Checkout, value: str) -> None:
    schedule = f"cron({value})"
    given = f"PARAMETERS=LogLevel=debug {shlex.quote(f'SweepSchedule={schedule}')}"
    for arguments, environment in (([given], {}), ([], {"PARAMETERS": given.partition("=")[2]})):
        stand_in = f"SAM={checkout.stand_in('sam')}"
        run = checkout.deploy(checkout.write(VALID), stand_in, *arguments, **environment)
        assert not list(checkout.path.rglob("done"))
        if ")" in value or not value:
            assert f"SweepSchedule={schedule} is refused by the template: must be a schedule" in run.stderr
            continue
        assert run.returncode == 0, run.stderr
        *_, level, argument = checkout.called("sam")[-1]
        assert level == 'LogLevel="debug"'
        assert as_sam_reads(argument) == {"SweepSchedule": schedule}


def as_sam_reads(argument: str) -> dict[str, str]:
    """What the SAM CLI itself makes of an argument of --parameter-overrides."""
    program = (
        "import json, sys; from samcli.cli.types import CfnParameterOverridesType as T; "
        "print(json.dumps(T().convert((sys.argv[1],), None, None)))"
    )
    python = packages.REPOSITORY / ".venv-sam/bin/python"
    run = subprocess.run([str(python), "-c", program, argument], capture_output=True, text=True, check=True)
    found: dict[str, str] = json.loads(run.stdout)
    return found


def test_what_is_deployed_may_be_unreadable(checkout: Checkout) -> None:
    run = checkout.deploy(checkout.write(VALID), f"SAM={checkout.stand_in('sam')}", f"REGION={HOME}")
    assert run.returncode == 0, run.stderr
    assert "snapferry: what is deployed cannot be compared with: Unable to locate credentials" in run.stderr
    assert len(checkout.called("sam")) == 1


@pytest.mark.parametrize("deployed", ["{", "no JSON", '{"Actoins": []}'])
def test_an_invalid_policy_that_is_deployed_is_repaired(checkout: Checkout, deployed: str) -> None:
    (checkout.path / "infra/sam/deployed.py").write_text(f"print({deployed!r})\n")
    run = checkout.deploy(checkout.write(VALID), f"SAM={checkout.stand_in('sam')}")
    assert run.returncode == 0, run.stderr
    assert "snapferry: what is deployed cannot be compared with: its policy is not valid" in run.stderr
    assert len(checkout.called("sam")) == 1


def test_what_an_edit_leaves_behind_is_said_again_before_sam_asks(checkout: Checkout) -> None:
    before = json.dumps(policies.details(["111122223333", "777788889999"], policies.target("eu-north-1")))
    (checkout.path / "infra/sam/deployed.py").write_text(f"print({before!r})\n")
    run = checkout.deploy(checkout.write(VALID), f"SAM={checkout.stand_in('sam')}")
    assert run.returncode == 0, run.stderr
    assert run.stderr.count("target-removed") == 2


@pytest.mark.parametrize("target", ["dist", "build", "policy-layer"])
def test_an_invalid_policy_is_not_packed(checkout: Checkout, target: str) -> None:
    run = checkout.make(target, checkout.write({**VALID, "Actoins": []}))
    assert run.returncode != 0
    assert "error: Actoins: unknown member" in run.stderr
    assert (checkout.called("cargo"), layer(checkout), list(checkout.path.glob("dist/*.zip"))) == ([], None, [])


def test_the_folder_of_the_layer_has_a_policy_or_says_that_it_is_missing(checkout: Checkout) -> None:
    def made(*arguments: str) -> str:
        run = checkout.make("policy-layer", *arguments)
        assert run.returncode == 0, run.stderr
        [file] = (checkout.path / "target/policy-layer").iterdir()
        return f"{file.name} {run.stderr}"

    assert made() == "README "
    assert made(checkout.write(VALID)) == "policy.json "
    assert re.fullmatch(r"policy\.json The policy of \S+ \S+ stays in target/policy-layer/policy\.json: .+\n", made())


@pytest.fixture
def operator(target: Account, aws: LocalAws) -> dict[str, str]:
    """Whom the AWS tools act as."""
    return {"AWS_ACCESS_KEY_ID": target.number, "AWS_SECRET_ACCESS_KEY": "local", "AWS_ENDPOINT_URL": aws.endpoint}


def deploy_with_sam(checkout: Checkout, aws: LocalAws, operator: dict[str, str], *arguments: str) -> str:
    """Run all of `make deploy` but cargo, and return what it said besides SAM."""
    sam = packages.REPOSITORY / ".venv-sam/bin/sam"
    run = checkout.deploy(*arguments, f"SAM={sam}", f"REGION={HOME}", "YES=1", **operator)
    assert run.returncode == 0, f"{run.stdout}\n{run.stderr}\n{aws.log_tail()}"
    return run.stderr


def test_a_deployed_stack_copies_by_the_policy_in_its_layer(
    checkout: Checkout, source: Account, target: Account, aws: LocalAws, operator: dict[str, str]
) -> None:
    policy = policies.details([source.number], policies.target(NEAR))
    given = checkout.write(policy)
    first = deploy_with_sam(checkout, aws, operator, given, "PARAMETERS='SweepSchedule=\"rate(7 minutes)\"'")
    assert "snapferry: not deployed yet, so the policy is compared with none" in first
    # The second deployment keeps what it is not told again.
    deploy_with_sam(checkout, aws, operator, given, "PARAMETERS=LogLevel=debug")
    stack = stack_of(target)
    [deployed] = target.client("cloudformation").describe_stacks(StackName="snapferry")["Stacks"]
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in deployed["Parameters"]}
    chosen = {"Architecture": "x86_64", "SweepSchedule": "rate(7 minutes)", "LogLevel": "debug"}
    assert parameters == {**parameters, **repeated(policy), **chosen, "Policy": ""}
    assert deployed_policy(target.client, HOME, "snapferry") == policy, "what is in the layer"
    snapshot = source.create_snapshot()["SnapshotId"]
    source.share(snapshot, target.number)
    stack.wait_for_audit(event="copy.started", source__snapshot=snapshot)


def test_an_edit_of_the_policy_changes_its_layer_and_no_function(
    checkout: Checkout, source: Account, target: Account, aws: LocalAws, operator: dict[str, str]
) -> None:
    def packages_of_functions() -> dict[str, str]:
        return {
            each["FunctionName"]: each["CodeSha256"] for each in target.client("lambda").list_functions()["Functions"]
        }

    deploy_with_sam(checkout, aws, operator, checkout.write(policies.details([source.number], policies.target(NEAR))))
    before = packages_of_functions()
    edited = policies.details([source.number], policies.target(FAR))
    said = deploy_with_sam(checkout, aws, operator, checkout.write(edited))
    assert "target-removed" in said
    assert packages_of_functions() == before
    assert len(before) == 3
    assert deployed_policy(target.client, HOME, "snapferry") == edited
    stack = stack_of(target)
    snapshot = source.create_snapshot()["SnapshotId"]
    source.share(snapshot, target.number)
    [started] = stack.wait_for_audit(event="copy.started", source__snapshot=snapshot)
    assert started["copy"]["region"] == FAR
