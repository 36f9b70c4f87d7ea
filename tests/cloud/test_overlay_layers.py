"""Files of layers, read by a custom runtime where its environment says that they are."""

import io
import json
import sys
import zipfile
from typing import Any
from uuid import uuid4

from tests.cloud import LocalAws
from tests.cloud.scene import HOME, TARGET

# A custom runtime that answers with the file that FILE names.
BOOTSTRAP = f"""#!{sys.executable}
import json, os, urllib.request
from pathlib import Path
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(api + "next") as given:
        ident = given.headers["Lambda-Runtime-Aws-Request-Id"]
    file = Path(os.environ["FILE"])
    answer = json.dumps(file.read_text() if file.exists() else None).encode()
    urllib.request.urlopen(api + ident + "/response", answer).close()
"""


def zipped(name: str, text: str, mode: int = 0o644) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as package:
        entry = zipfile.ZipInfo(name)
        entry.external_attr = mode << 16
        package.writestr(entry, text)
    return packed.getvalue()


def publish(functions: Any, layer: str, name: str, text: str) -> str:
    content = {"ZipFile": zipped(name, text)}
    version: str = functions.publish_layer_version(LayerName=layer, Content=content)["LayerVersionArn"]
    return version


def reader(functions: Any, *layers: str) -> str:
    """A new function with these layers, and its name."""
    name = f"reader-{uuid4()}"
    functions.create_function(
        FunctionName=name,
        Runtime="provided.al2023",
        Handler="bootstrap",
        Role=f"arn:aws:iam::{TARGET}:role/reader",
        Code={"ZipFile": zipped("bootstrap", BOOTSTRAP, 0o755)},
        Environment={"Variables": {"FILE": "/opt/words/said.txt"}},
        Layers=layers,
        Timeout=60,
    )
    return name


def read(functions: Any, name: str) -> str | None:
    found: str | None = json.load(functions.invoke(FunctionName=name)["Payload"])
    return found


def test_another_version_is_read_at_once(aws: LocalAws) -> None:
    functions = aws.client("lambda", TARGET, HOME)
    name = reader(functions, publish(functions, "words", "words/said.txt", "first"))
    assert read(functions, name) == "first"
    version = publish(functions, "words", "words/said.txt", "second")
    assert read(functions, name) == "first", "which is the one that the function has"
    functions.update_function_configuration(FunctionName=name, Layers=[version])
    assert read(functions, name) == "second"


def test_a_later_layer_hides_the_files_of_an_earlier_one(aws: LocalAws) -> None:
    functions = aws.client("lambda", TARGET, HOME)
    one, other = (publish(functions, each, "words/said.txt", each) for each in ("one", "other"))
    name = reader(functions, one, publish(functions, "rest", "words/more.txt", "rest"), other)
    assert read(functions, name) == "other"
    functions.update_function_configuration(FunctionName=name, Layers=[other, one])
    assert read(functions, name) == "one"


def test_nothing_is_there_without_a_layer(aws: LocalAws) -> None:
    functions = aws.client("lambda", TARGET, HOME)
    name = reader(functions)
    assert read(functions, name) is None


def test_a_function_keeps_a_version_that_was_deleted(aws: LocalAws) -> None:
    functions = aws.client("lambda", TARGET, HOME)
    name = reader(functions, publish(functions, "kept", "words/said.txt", "first"))
    functions.delete_layer_version(LayerName="kept", VersionNumber=1)
    assert read(functions, name) == "first"
