"""The bill of materials and the third-party licences, of the crates that Cargo.lock names."""

import base64
import dataclasses
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.e2e import packages
from tools.dist import bundled, crates, folder, licences, sbom
from tools.dist.crates import Crate
from tools.dist.identity import Identity

WHAT = Identity("0.2.0-rc.1", "0123456789ab", 1_700_000_000)


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> list[Crate]:
    # From outside the checkout, so that no configuration above it counts.
    return crates.linked(packages.REPOSITORY, folder.BINARIES, tmp_path_factory.mktemp("elsewhere"))


def is_npms(component: Any) -> bool:
    return str(component.get("purl")).startswith("pkg:npm/")


@pytest.fixture(scope="module")
def bill(linked: list[Crate]) -> Any:
    carried = bundled.bundled(packages.REPOSITORY / "infra/cdk")
    return json.loads(sbom.sbom(linked, WHAT, folder.BINARIES, carried))


def test_the_bill_is_valid(bill: Any) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill)) is None


def test_the_bill_depends_on_version_and_commit_only(linked: list[Crate], bill: Any) -> None:
    assert sbom.sbom(linked, WHAT, folder.BINARIES) == sbom.sbom(linked, WHAT, folder.BINARIES)
    others = [dataclasses.replace(WHAT, version="0.2.0"), dataclasses.replace(WHAT, commit="abcdef012345")]
    serials = {json.loads(sbom.sbom(linked, other, folder.BINARIES))["serialNumber"] for other in (WHAT, *others)}
    assert len(serials) == 3
    assert bill["metadata"]["timestamp"] == "2023-11-14T22:13:20Z"
    assert bill["metadata"]["component"]["version"] == "0.2.0-rc.1"


def test_the_bill_has_what_is_linked_and_nothing_that_only_tests(bill: Any) -> None:
    locked = {
        f"{package['name']}@{package['version']}": package.get("checksum")
        for package in tomllib.loads((packages.REPOSITORY / "Cargo.lock").read_text())["package"]
    }
    listed = {f"{each['name']}@{each['version']}": each for each in bill["components"] if not is_npms(each)}
    names = {each["name"] for each in bill["components"]}
    assert names >= {*folder.BINARIES, "snapferry-core", "aws-sdk-ec2", "lambda_runtime", "rustls", "ring", "std"}
    assert not names & {"proptest", "aws-smithy-mocks", "divan", "insta", "snapferry-stub"}
    for key, each in listed.items():
        if each["name"] != "std":
            assert each.get("hashes", [{"content": None}])[0]["content"] == locked[key]


def test_what_needs_what_is_in_the_bill(bill: Any) -> None:
    needs = {each["ref"]: each["dependsOn"] for each in bill["dependencies"]}
    assert needs.keys() == {"snapferry", *(each["bom-ref"] for each in bill["components"])}
    assert {need for each in needs.values() for need in each} <= needs.keys()
    own = [reference for reference in needs["snapferry"] if reference.startswith("snapferry/")]
    assert {reference.split("/")[1].split("@")[0] for reference in own} == set(folder.BINARIES)


def test_what_the_cdk_package_carries_is_in_the_bill(bill: Any) -> None:
    carried = {each["name"]: each for each in bill["components"] if is_npms(each)}
    assert carried.keys() == {"ajv", "fast-deep-equal", "fast-uri", "json-schema-traverse", "require-from-string"}
    lock = json.loads((packages.REPOSITORY / "infra/cdk/package-lock.json").read_text())["packages"]
    for name, each in carried.items():
        [digest] = each["hashes"]
        integrity = "sha512-" + base64.b64encode(bytes.fromhex(digest["content"])).decode()
        assert (each["version"], integrity) == (lock[f"node_modules/{name}"]["version"], lock[f"node_modules/{name}"]["integrity"])
        assert each["licenses"]


def test_each_crate_of_the_bill_has_its_licence_with_a_text(linked: list[Crate], bill: Any) -> None:
    text = licences.licences(linked).decode()
    head, *parts = text.split("=" * 120 + "\n")
    longest: dict[str, int] = {}
    for part in parts:
        for key in part.split("\n", 1)[0].split(", "):
            longest[key] = max(longest.get(key, 0), len(part.partition("-" * 120 + "\n")[2]))
    others = {
        f"{each['name']}@{each['version']}" for each in bill["components"] if "hashes" in each and not is_npms(each)
    }
    assert longest.keys() == others
    assert min(longest.values()) > 600, "a name or a link is no licence"
    for crate in linked:
        assert crate.own or f"{crate.key}  {crate.licence}" in head


def test_a_crate_without_any_text_of_its_licence_is_refused(tmp_path: Path, linked: list[Crate]) -> None:
    [mit] = [crate for crate in linked if crate.name == "vsimd"]
    bare = dataclasses.replace(mit, folder=tmp_path)
    assert "Copyright (c) the authors of https://github.com/Nugine/simd" in licences.licences([bare]).decode()
    with pytest.raises(ValueError, match=r"\(BSD-3-Clause\) has no file with its licence"):
        licences.licences([dataclasses.replace(bare, licence="BSD-3-Clause")])
