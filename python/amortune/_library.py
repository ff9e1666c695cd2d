"""Finding libamortune.so, and calling it: errors become exceptions, Ctrl-C is never lost."""

from __future__ import annotations

import ctypes
import functools
import os
import signal
import threading
from pathlib import Path
from typing import Any, Callable, Iterator, Optional

from . import _abi, _prototypes
from .errors import Error, LibraryNotFound, error_of

VERSION = "0.1.0"  # of this package and of the library that it fits


# ---- finding


def _places(package: Path) -> Iterator[tuple[str, str]]:
    """Where the library may be: what the place is called, and the file to load."""
    given = os.environ.get("AMORTUNE_LIBRARY")
    if given:  # who names a file wants this one or none
        yield "AMORTUNE_LIBRARY", given
        return
    yield "beside the package", str(package / "libamortune.so")
    checkout = package.parent.parent
    if (checkout / "include" / "amortune.h").exists():
        yield "in the build folder", str(checkout / "build" / "release" / "libamortune.so")
    yield "in the system's library path (ldconfig, LD_LIBRARY_PATH)", "libamortune.so.0"


def _open(package: Path) -> ctypes.CDLL:
    searched = []
    for place, file in _places(package):
        try:
            return ctypes.CDLL(file)
        except OSError as fault:
            searched.append(f"{place}: {fault}")
    raise LibraryNotFound(
        "libamortune.so was not found; build it with ./run in a checkout, or install it with "
        "`cmake --install`, or name the file in the environment variable AMORTUNE_LIBRARY. "
        "Searched:\n  " + "\n  ".join(searched)
    )


@functools.lru_cache(maxsize=None)
def library() -> ctypes.CDLL:
    """The library, loaded at the first use."""
    loaded = _open(Path(__file__).resolve().parent)
    loaded.am_version.restype = ctypes.c_char_p
    version = loaded.am_version().decode()
    if version.split(".")[:2] != VERSION.split(".")[:2]:
        raise LibraryNotFound(
            f"{loaded._name} is amortune {version}, this package is for {VERSION}; install both of "
            "the same version, or name another file in AMORTUNE_LIBRARY"
        )
    try:
        _prototypes.declare(loaded)
    except AttributeError as lacks:
        raise LibraryNotFound(
            f"{loaded._name} is an older build of amortune {version} ({lacks}); build it again"
        ) from None
    return loaded


# ---- calling


class deferred_interrupt:
    """While a call into the library runs, Ctrl-C is noted instead of raised; the handler that was
    there (as a rule: raise KeyboardInterrupt) is called on the way out, when every handle that the
    call returned has its owner. Of use in the main thread only, where Python runs its handlers."""

    def __init__(self) -> None:
        self.wanted = False
        self._before: Optional[Callable[..., Any]] = None

    def _note(self, number: int, frame: Any) -> None:
        self.wanted = True

    def __enter__(self) -> "deferred_interrupt":
        if threading.current_thread() is threading.main_thread():
            before = signal.getsignal(signal.SIGINT)
            if callable(before):
                self._before = before
                signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *ignored: Any) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            if self.wanted:
                self._before(signal.SIGINT, None)


def call(name: str, *arguments: Any) -> None:
    """Calls a function that returns a status and takes an am_error last. Raises Error."""
    error = _abi.am_error()
    status = getattr(library(), name)(*arguments, ctypes.byref(error))
    if status != _abi.AM_OK:
        raise error_of(status, error.message.decode("utf-8", "replace"))


def options(struct: type, given: dict[str, Any], skip: tuple[str, ...] = ()) -> Any:
    """An options struct with the library's defaults and, over them, what is given and not None."""
    filled = struct()
    getattr(library(), struct.__name__ + "_default")(
        ctypes.byref(filled), ctypes.sizeof(filled)
    )
    known = dict(struct._fields_)
    for key, value in given.items():
        if key not in known or key == "size" or key in skip:
            names = ", ".join(k for k in known if k not in ("size", "context", *skip))
            raise TypeError(f"no option '{key}'; there are {names}")
        if value is None:
            continue
        try:
            setattr(filled, key, os.fsencode(value) if known[key] is ctypes.c_char_p else value)
        except TypeError as fault:
            raise TypeError(f"{key}={value!r}: {fault}") from None
    return filled


class Handle:
    """Something of the library's that must be given back: by close(), at the end of a `with` block, or
    when the object is collected."""

    _free = ""  # name of the function that gives it back

    def __init__(self, pointer: ctypes.c_void_p) -> None:
        self._pointer: Optional[int] = pointer.value

    @property
    def _handle(self) -> int:
        if self._pointer is None:
            raise Error(f"this {type(self).__name__} is closed")
        return self._pointer

    @property
    def closed(self) -> bool:
        return self._pointer is None

    def close(self) -> None:
        """Gives the memory back; safe to call again. What is used after it raises Error."""
        pointer, self._pointer = self._pointer, None
        if pointer is not None:
            self._give_back(getattr(library(), self._free), pointer)

    def _give_back(self, free: Callable[[int], None], pointer: int) -> None:
        free(pointer)

    def __enter__(self):
        return self

    def __exit__(self, *ignored: Any) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_pointer", None) is not None:
            self.close()
