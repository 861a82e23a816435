"""Files of soak's own: for their owner alone, whole or not there at all, and never written through a link."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import IO, TYPE_CHECKING

from soak.errors import SoakError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE_MODE, FOLDER_MODE = 0o600, 0o700
PRIVATE_UMASK = 0o077
UNCHANGED = -1
"""As `subprocess` writes "leave the umask as it is"."""
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
_of_the_user = [UNCHANGED]


@contextlib.contextmanager
def private_files() -> Iterator[None]:
    """Let every file and folder that is made in this block be for its owner alone."""
    before = os.umask(PRIVATE_UMASK)
    _of_the_user.append(before)
    try:
        yield
    finally:
        _of_the_user.pop()
        os.umask(before)


def umask_of_the_user() -> int:
    """Return the umask that a server under test is to start with: the user's, not soak's."""
    return _of_the_user[-1]


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn an operating-system error about `path` into one line that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            run = _run_of(path)
            kept = "" if run is None else f"; what was recorded before is kept ('soak analyze {run}')"
            raise SoakError(
                f"no space left on the disk for {path}: free some or choose another --out{kept}"
            ) from error
        if error.errno == errno.ELOOP:
            raise SoakError(
                f"{path} is a symbolic link: soak writes through none; give the file itself"
            ) from error
        raise SoakError(f"cannot write {path}: {error.strerror}; choose another --out") from error


def make_folder(path: Path, *, exist_ok: bool = False) -> None:
    """Make the folder `path` and what is missing above it, for the owner alone; raises OSError."""
    if not path.parent.is_dir():
        make_folder(path.parent, exist_ok=True)
    path.mkdir(mode=FOLDER_MODE, exist_ok=exist_ok)


def open_to_append(path: Path) -> int:
    """Open the file `path` for appending without a buffer, and return its descriptor; raises OSError.

    A link is refused, and so is what is no file: writing to a pipe that nobody reads never ends.
    """
    descriptor = os.open(path, _APPEND | os.O_NONBLOCK, FILE_MODE)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    os.set_blocking(descriptor, True)
    return descriptor


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Yield a stream whose content takes the place of the file `path` at the end of the block.

    Where anything fails, `path` is as it was and no half of the new one stays. A device such as /dev/null is
    written to as it is. Raises `SoakError` in one line when it cannot be written, or is a link or a pipe.
    """
    with explained(path):
        mode = _mode_of(path)
        if mode is not None and stat.S_ISLNK(mode):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
        if mode is not None and stat.S_ISCHR(mode):
            with path.open("wb") as device:
                yield device
            return
        if mode is not None and not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "it is no regular file", str(path))
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        temporary.unlink(missing_ok=True)
        try:
            with os.fdopen(os.open(temporary, _NEW, FILE_MODE), "wb") as stream:
                yield stream
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def replace_text(path: Path, text: str) -> None:
    """Replace the file `path` by `text`; raises `SoakError` as `replacing` does."""
    with replacing(path) as stream:
        stream.write(text.encode("utf-8", "replace"))


def _mode_of(path: Path) -> int | None:
    try:
        return path.lstat().st_mode
    except FileNotFoundError:
        return None


def _run_of(path: Path) -> Path | None:
    """Return the run directory that `path` is, or lies in."""
    return next((each for each in (path, *path.parents[:2]) if (each / "samples.csv").is_file()), None)
