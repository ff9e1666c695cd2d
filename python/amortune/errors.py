"""What can go wrong. Every message is one line: what failed, why, and what to do."""

from __future__ import annotations

from . import _abi


class Error(Exception):
    """Anything that the library reports; `status` is its am_status."""

    status = _abi.AM_ERR_INTERNAL


class LibraryNotFound(Error, OSError):
    """libamortune.so is nowhere, or of another version."""


class UsageError(Error, ValueError):
    """An option or argument is wrong."""

    status = _abi.AM_ERR_USAGE


class InputError(Error, ValueError):
    """Data or a model file is wrong, missing or damaged."""

    status = _abi.AM_ERR_INPUT


class StorageError(Error, OSError):
    """Something could not be read or written: permissions, a full disk."""

    status = _abi.AM_ERR_IO


class OutOfMemory(Error, MemoryError):
    """Out of memory, on the device or the host."""

    status = _abi.AM_ERR_MEMORY


class DeviceError(Error, RuntimeError):
    """There is no such device, or it failed."""

    status = _abi.AM_ERR_DEVICE


class Diverged(Error, ArithmeticError):
    """Training produced values that are not finite."""

    status = _abi.AM_ERR_DIVERGED


class Interrupted(Error):
    """A run was stopped; where a checkpoint is kept it was written, and the message names it."""

    status = _abi.AM_ERR_INTERRUPT


_BY_STATUS = {
    kind.status: kind
    for kind in (
        UsageError, InputError, StorageError, OutOfMemory, DeviceError, Diverged, Interrupted,
    )
}


def error_of(status: int, message: str) -> Error:
    """The exception for a status of the library."""
    error = _BY_STATUS.get(status, Error)(message)
    return error
