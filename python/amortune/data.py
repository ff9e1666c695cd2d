"""Data sets: rows from NumPy arrays, from files, or by name."""

from __future__ import annotations

import ctypes
import os
from typing import Any, Optional, Union

import numpy as np

from . import _abi
from ._arrays import contiguous, pointer, text
from ._library import Handle, call, deferred_interrupt, library, options
from .errors import UsageError

_MOST_CLASSES = 20  # distinct whole numbers that are taken for classes, as in a CSV


def _is_classes(y: np.ndarray) -> bool:
    """Text, truth values, or at most 20 whole numbers."""
    if y.ndim != 1:
        return False
    if y.dtype.kind in "USOb":
        return True
    distinct = np.unique(y)
    return len(distinct) <= _MOST_CLASSES and bool(np.all(distinct == np.round(distinct)))


def _rows(X: Any, what: str) -> np.ndarray:
    """X (n, ...) as float32 (n, d)."""
    rows = np.asarray(X)
    if rows.ndim < 2:
        raise ValueError(f"{what}: has shape {rows.shape}, (rows, inputs) is expected")
    return contiguous(rows.reshape(len(rows), -1), np.float32, what, None, None)


class Dataset(Handle):
    """Training, validation and test rows, in memory.

    X: (rows, inputs), numbers as measured; each column is normalised inside by the training rows' mean
    and standard deviation (more axes, as of images, are flattened). y: (rows,) labels, of any type;
    or numbers to predict, (rows,) or (rows, outputs). task: "classification", "regression", or
    "auto": classes when y is text, truth values, or at most 20 distinct whole numbers. test: (X, y) of
    rows that nothing is chosen on, or None. validation: below 1 a share of the rows, else their number.
    seed decides which rows those are. like: another data set, whose normalisation is used (for rows
    that a model is to be judged on without having been fitted to them).

    Labels are numbered in sorted order; `classes` holds them."""

    _free = "am_dataset_free"

    def __init__(
        self,
        X: Any,
        y: Any,
        *,
        test: Optional[tuple[Any, Any]] = None,
        task: str = "auto",
        validation: float = 1 / 6,
        seed: int = 1,
        like: Optional["Dataset"] = None,
    ) -> None:
        if task not in ("auto", "classification", "regression"):
            raise UsageError(f"task {task}: give auto, classification or regression")
        x, answers = _rows(X, "X"), np.asarray(y)
        test_x, test_y = (_rows(test[0], "test X"), np.asarray(test[1])) if test else (None, None)
        if len(answers) != len(x):
            raise ValueError(f"y: has {len(answers)} rows, X has {len(x)}")
        if test_y is not None and len(test_y) != len(test_x):
            raise ValueError(f"test y: has {len(test_y)} rows, test X has {len(test_x)}")
        if test_x is not None and test_x.shape[1] != x.shape[1]:
            raise ValueError(f"test X: has {test_x.shape[1]} inputs a row, X has {x.shape[1]}")
        given = options(_abi.am_arrays, {"validation": validation, "seed": seed})
        given.rows, given.inputs, given.x = len(x), x.shape[1], pointer(x)
        if test_x is not None:
            given.test_rows, given.test_x = len(test_x), pointer(test_x)
        if like is not None:
            given.like = like._handle
        classes = None
        if task == "classification" or (task == "auto" and _is_classes(answers)):
            classes = _give_labels(given, answers, test_y)
        else:
            _give_targets(given, answers, test_y)
        made = ctypes.c_void_p()
        with deferred_interrupt():
            call("am_dataset_from_arrays", ctypes.byref(given), ctypes.byref(made))
            super().__init__(made)
        self.classes: Optional[np.ndarray] = classes

    @classmethod
    def load(
        cls,
        source: Union[str, os.PathLike],
        *,
        label: Optional[str] = None,
        test: Union[str, os.PathLike, None] = None,
        task: str = "auto",
        validation: float = 1 / 6,
        seed: int = 1,
    ) -> "Dataset":
        """Reads a folder of IDX files, a CSV file (label: the column to predict, else the last; test: a
        CSV with the test rows), or a known name such as "mnist"."""
        given = options(
            _abi.am_data_options,
            {
                "source": source, "label": label, "test": test, "task": task,
                "validation": validation, "seed": seed,
            },
        )
        made = ctypes.c_void_p()
        with deferred_interrupt():
            call("am_dataset_load", ctypes.byref(given), ctypes.byref(made))
            return cls._own(made)

    @classmethod
    def _own(cls, made: ctypes.c_void_p) -> "Dataset":
        data = cls.__new__(cls)
        Handle.__init__(data, made)
        info = data._info()
        data.classes = data._class_names(info.outputs) if info.classes else None
        return data

    def _class_names(self, count: int) -> np.ndarray:
        names = [library().am_dataset_class_name(self._handle, i) for i in range(count)]
        return np.array([i if n is None else text(n) for i, n in enumerate(names)])

    def _info(self) -> _abi.am_dataset_info:
        info = _abi.am_dataset_info()
        call("am_dataset_describe", self._handle, ctypes.byref(info))
        return info

    def __repr__(self) -> str:
        if self.closed:
            return "Dataset(closed)"
        i = self._info()
        return (
            f"Dataset({text(i.name)}: {i.train_rows} training, {i.validation_rows} validation, "
            f"{i.test_rows} test rows, {i.inputs} inputs, {i.outputs} "
            f"{'classes' if i.classes else 'outputs'})"
        )

    @property
    def train_rows(self) -> int:
        return self._info().train_rows

    @property
    def validation_rows(self) -> int:
        return self._info().validation_rows

    @property
    def test_rows(self) -> int:
        return self._info().test_rows

    @property
    def inputs(self) -> int:
        return self._info().inputs

    @property
    def outputs(self) -> int:
        """Classes, or targets of a regression."""
        return self._info().outputs

    @property
    def is_classification(self) -> bool:
        return bool(self._info().classes)

    def order(self) -> np.ndarray:
        """(training + validation rows,) int64: the source's row at each place, training rows first."""
        info = self._info()
        order = np.empty(info.train_rows + info.validation_rows, np.int64)
        call("am_dataset_order", self._handle, pointer(order))
        return order

    def blocks(self, blocks: int = 16) -> np.ndarray:
        """(training rows,) uint32: the block 0..K−1 whose weight ω a training row carries."""
        block = np.empty(self.train_rows, np.uint32)
        call("am_dataset_blocks", self._handle, blocks, pointer(block))
        return block


def _give_labels(given: Any, y: np.ndarray, test_y: Optional[np.ndarray]) -> np.ndarray:
    """Numbers the labels in sorted order; returns the classes."""
    if y.ndim != 1 or (test_y is not None and test_y.ndim != 1):
        raise ValueError(f"y: has shape {y.shape}, one label a row is expected")
    everything = y if test_y is None else np.concatenate([y, test_y])
    if everything.dtype.kind == "f" and not np.all(np.isfinite(everything)):
        raise ValueError("y: holds NaN or infinity; mend or remove these rows")
    classes, index = np.unique(everything, return_inverse=True)
    label = np.ascontiguousarray(index.reshape(-1), dtype=np.int32)
    given.kept = label  # as long as the struct that points to it
    given.outputs = len(classes)
    given.label = pointer(label[: len(y)])
    if test_y is not None:
        given.test_label = pointer(label[len(y) :])
    return classes


def _give_targets(given: Any, y: np.ndarray, test_y: Optional[np.ndarray]) -> None:
    def as_columns(values: np.ndarray, what: str) -> np.ndarray:
        return contiguous(
            values.reshape(len(values), -1) if values.ndim < 2 else values, np.float32, what,
            None, None,
        )

    target = as_columns(y, "y")
    given.kept = [target]  # as long as the struct that points to it
    given.outputs, given.target = target.shape[1], pointer(target)
    if test_y is not None:
        test_target = as_columns(test_y, "test y")
        if test_target.shape[1] != target.shape[1]:
            raise ValueError(f"test y: has shape {test_y.shape}, y has {y.shape}")
        given.kept.append(test_target)
        given.test_target = pointer(test_target)


def as_dataset(data: Any) -> Dataset:
    """A data set as it is; (X, y) or (X, y, X_test, y_test) from memory; a name, folder or CSV file."""
    if isinstance(data, Dataset):
        return data
    if isinstance(data, (str, os.PathLike)):
        return Dataset.load(data)
    if isinstance(data, tuple) and len(data) in (2, 4):
        return Dataset(data[0], data[1], test=data[2:] or None)
    raise TypeError(
        "data: give a Dataset, (X, y), (X, y, X_test, y_test), or the name of a folder or CSV file"
    )
