"""Processors to compute on, and the rule that one thread at a time uses one."""

from __future__ import annotations

import ctypes
import threading
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Callable, Iterator, Optional

from . import _abi
from ._library import Handle, call, deferred_interrupt
from .errors import Error, Interrupted


@dataclass(frozen=True)
class Progress:
    """What a progress function is handed, about twice a second."""

    task: str  #: "fit", "refit", "polish" or "audit"
    step: int  #: steps done so far
    total: int  #: of how many
    loss: float  #: mean criterion over the models and the steps since the last report
    norm: float  #: gradient norm of the last step
    seconds: float  #: since the run began
    seconds_left: float  #: estimate


ProgressFunction = Callable[[Progress], Any]


class Device(Handle):
    """A processor: name "auto" (a GPU when one works, else the CPU), "cpu", "cuda" or "cuda:INDEX".

    threads: of the CPU; 0 for all that the process may use. precision of matrix products: "fp32", or
    on a GPU "tf32", "bf16". A device and its models may be used from several threads; their calls wait
    for each other. A CPU device sets the process's OpenBLAS to one thread; it brings its own."""

    _free = "am_device_close"

    def __init__(self, name: str = "auto", threads: int = 0, precision: str = "fp32") -> None:
        self._lock = threading.Lock()
        self._user: Optional[int] = None  # thread that computes
        self._dropped: deque = deque()  # what was closed meanwhile
        pointer = ctypes.c_void_p()
        with deferred_interrupt():
            call("am_device_open", name.encode(), threads, precision.encode(), ctypes.byref(pointer))
            super().__init__(pointer)

    def __repr__(self) -> str:
        return "Device(closed)" if self.closed else f"Device({self.name}, {self.model})"

    def _info(self) -> _abi.am_device_info:
        info = _abi.am_device_info()
        call("am_device_describe", self._handle, ctypes.byref(info))
        return info

    @property
    def name(self) -> str:
        """ "cpu" or "cuda"."""
        return self._info().name.decode()

    @property
    def model(self) -> str:
        """Of the processor."""
        return self._info().model.decode()

    @property
    def threads(self) -> int:
        """CPU threads in use."""
        return self._info().threads

    @contextmanager
    def _computing(self) -> Iterator[deferred_interrupt]:
        """The device for one call of this thread; Ctrl-C is noted until it is over."""
        if self._user == threading.get_ident():
            raise Error("the device is computing; a progress function must not use it")
        with self._lock:
            self._user = threading.get_ident()
            try:
                with deferred_interrupt() as interrupt:
                    yield interrupt
            finally:
                self._user = None
                self._free_dropped()
        self._sweep()

    def _drop(self, free: Callable[[int], None], pointer: int) -> None:
        """Gives back something of the device's: now, or when the call that it is in is over."""
        self._dropped.append((free, pointer))
        self._sweep()

    def _sweep(self) -> None:
        if self._dropped and self._lock.acquire(blocking=False):
            try:
                self._free_dropped()
            finally:
                self._lock.release()

    def _free_dropped(self) -> None:
        while self._dropped:
            free, pointer = self._dropped.popleft()
            free(pointer)

    def _give_back(self, free: Callable[[int], None], pointer: int) -> None:
        self._drop(free, pointer)


class Run:
    """A call that reports its progress: relays it to the user's function, and stops the run on Ctrl-C
    or when that function raises."""

    def __init__(self, progress: Optional[ProgressFunction]) -> None:
        self.progress = progress
        self.raised: Optional[BaseException] = None
        self.interrupt: Optional[deferred_interrupt] = None
        self.callback = _abi.am_progress_function(self._report)

    def _report(self, context: Any, report: Any) -> int:
        if self.progress is not None and self.raised is None:
            p = report.contents
            try:
                self.progress(
                    Progress(
                        p.task.decode(), p.step, p.total, p.loss, p.norm, p.seconds, p.seconds_left
                    )
                )
            except BaseException as fault:  # it must not leave through C
                self.raised = fault
        return int(self.raised is not None or self.interrupt.wanted)

    @contextmanager
    def on(self, device: Device) -> Iterator[None]:
        """With the device for this run; an exception of the progress function comes out here."""
        with device._computing() as interrupt:
            self.interrupt = interrupt
            try:
                yield
            except Interrupted as stopped:
                if self.raised is not None:
                    raise self.raised from stopped
                raise
            if self.raised is not None:
                raise self.raised
