"""NumPy arrays on their way into the library and out of it."""

from __future__ import annotations

import ctypes
from typing import Any, Optional

import numpy as np

_TYPES = {
    np.dtype(np.float32): ctypes.c_float,
    np.dtype(np.float64): ctypes.c_double,
    np.dtype(np.int32): ctypes.c_int32,
    np.dtype(np.int64): ctypes.c_int64,
    np.dtype(np.uint32): ctypes.c_uint32,
}


def pointer(array: Optional[np.ndarray]):
    """To the first element of a contiguous array, which the pointer keeps alive; None for None."""
    if array is None:
        return None
    return array.ctypes.data_as(ctypes.POINTER(_TYPES[array.dtype]))


def contiguous(values: Any, dtype: Any, what: str, *shape: Optional[int]) -> np.ndarray:
    """values as a C-contiguous array of this type and shape (None: any length)."""
    try:
        array = np.ascontiguousarray(values, dtype=dtype)
    except (TypeError, ValueError) as fault:
        raise ValueError(f"{what}: is no array of numbers ({fault})") from None
    want = ", ".join("·" if n is None else str(n) for n in shape)
    if array.ndim != len(shape) or any(n not in (None, m) for n, m in zip(shape, array.shape)):
        raise ValueError(f"{what}: has shape {array.shape}, ({want}) is expected")
    return array


def text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
