"""Layers of custom runtimes: the emulator starts those without.

In Lambda their files are below `/opt`. Here a function is a process among others, with no `/opt` of its own: its layers
are extracted into a folder, and what in its environment is a path below `/opt` is made one below that folder.
"""

import tempfile
import threading
import zipfile
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

from tests.cloud.overlay.emulator import lambda_svc

_OPT = "/opt/"
_extracting = threading.Lock()


def install() -> None:
    """Replace how the emulator makes the environment of custom runtimes."""
    emulators = lambda_svc._provided_worker_env

    def environment(config: dict[str, Any], code: str, port: int) -> dict[str, str]:
        made: dict[str, str] = emulators(config, code, port)
        layers = [content for each in config.get("Layers") or [] if (content := lambda_svc._resolve_layer_zip(each))]
        if not layers:
            return made
        mount = _extracted(layers)
        return {name: _moved(value, mount) for name, value in made.items()}

    lambda_svc._provided_worker_env = environment


def _moved(value: str, mount: Path) -> str:
    return str(mount / value.removeprefix(_OPT)) if value.startswith(_OPT) else value


def _extracted(layers: list[bytes]) -> Path:
    """The files of all layers, the later over the earlier, in a folder that equal layers share."""
    name = sha256(b"".join(sha256(each).digest() for each in layers)).hexdigest()
    mount = Path(tempfile.gettempdir()) / f"opt-{name}"
    # Functions start on threads of their own.
    with _extracting:
        if not mount.is_dir():
            for each in layers:
                zipfile.ZipFile(BytesIO(each)).extractall(mount)
    return mount
