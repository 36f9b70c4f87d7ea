"""tar.gz files whose bytes depend on what is in them and on one time only."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Mapping

PLAIN = 0o644
PROGRAM = 0o755


def tar_gz(members: Mapping[str, tuple[bytes, int]], time: int) -> bytes:
    """The members, each a path with its content and mode, in the order of their paths; owned by nobody in particular."""
    packed = io.BytesIO()
    # No name in the header of gzip, and the given time in place of now.
    with (
        gzip.GzipFile(filename="", fileobj=packed, mode="wb", mtime=time) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.GNU_FORMAT) as archive,
    ):
        for path in sorted(members):
            content, mode = members[path]
            member = tarfile.TarInfo(path)
            member.size, member.mode, member.mtime = len(content), mode, time
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def unpacked(packed: bytes) -> dict[str, tuple[bytes, int]]:
    """The files of a tar.gz, each with its content and mode."""
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as archive:
        found = {}
        for member in archive.getmembers():
            read = archive.extractfile(member)
            if read is not None:
                found[member.name] = (read.read(), member.mode)
        return found
