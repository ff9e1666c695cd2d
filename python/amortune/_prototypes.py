"""The functions of amortune.h, for ctypes; tests/test_abi.py compares them with the header's prototypes."""

from __future__ import annotations

import ctypes
from ctypes import (
    POINTER,
    c_char_p,
    c_double,
    c_float,
    c_int,
    c_int64,
    c_size_t,
    c_uint32,
    c_void_p,
)

from ._abi import (
    am_arrays,
    am_audit_options,
    am_audit_point,
    am_audit_summary,
    am_choice,
    am_curve_options,
    am_data_options,
    am_dataset_info,
    am_detection,
    am_device_info,
    am_error,
    am_fit_options,
    am_metrics,
    am_model_info,
    am_param,
    am_polish_options,
    am_polished,
    am_posterior,
    am_refit_options,
    am_report_options,
    am_row_uncertainty,
    am_tune_options,
)

_handle, _out = c_void_p, POINTER(c_void_p)
_err, _f32, _f64, _i64, _u32 = (
    POINTER(am_error),
    POINTER(c_float),
    POINTER(c_double),
    POINTER(c_int64),
    POINTER(c_uint32),
)

# Result and arguments of every function.
FUNCTIONS: dict[str, tuple] = {
    "am_version": (c_char_p,),
    "am_status_name": (c_char_p, c_int),
    "am_device_open": (c_int, c_char_p, c_int, c_char_p, _out, _err),
    "am_device_close": (None, _handle),
    "am_device_describe": (c_int, _handle, POINTER(am_device_info), _err),
    "am_data_options_default": (None, POINTER(am_data_options), c_size_t),
    "am_dataset_load": (c_int, POINTER(am_data_options), _out, _err),
    "am_arrays_default": (None, POINTER(am_arrays), c_size_t),
    "am_dataset_from_arrays": (c_int, POINTER(am_arrays), _out, _err),
    "am_dataset_free": (None, _handle),
    "am_dataset_describe": (c_int, _handle, POINTER(am_dataset_info), _err),
    "am_dataset_class_name": (c_char_p, _handle, c_int),
    "am_dataset_order": (c_int, _handle, _i64, _err),
    "am_dataset_blocks": (c_int, _handle, c_int64, _u32, _err),
    "am_param_table": (
        c_int, c_char_p, _handle, c_int, POINTER(am_param), POINTER(c_int), _i64, _err,
    ),
    "am_fit_options_default": (None, POINTER(am_fit_options), c_size_t),
    "am_fit": (c_int, _handle, _handle, POINTER(am_fit_options), _out, _err),
    "am_model_load": (c_int, _handle, c_char_p, _out, _err),
    "am_model_save": (c_int, _handle, c_char_p, _err),
    "am_model_free": (None, _handle),
    "am_model_dataset": (c_int, _handle, c_char_p, c_char_p, _out, _err),
    "am_model_attach": (c_int, _handle, _handle, _err),
    "am_model_describe": (c_int, _handle, POINTER(am_model_info), _err),
    "am_curve_options_default": (None, POINTER(am_curve_options), c_size_t),
    "am_curve": (
        c_int, _handle, POINTER(am_curve_options), _f64, POINTER(am_metrics), _f64, _f64, _err,
    ),
    "am_tune_options_default": (None, POINTER(am_tune_options), c_size_t),
    "am_tune": (c_int, _handle, POINTER(am_tune_options), POINTER(am_choice), _f64, _err),
    "am_sample": (
        c_int, _handle, _f64, c_int, POINTER(am_posterior), POINTER(am_metrics), _f32, _err,
    ),
    "am_uncertainty": (
        c_int, _handle, _f64, c_int, _handle, c_int64, POINTER(am_row_uncertainty), _i64, _err,
    ),
    "am_detect": (c_int, _f64, c_int64, _f64, c_int64, POINTER(am_detection), _err),
    "am_draw_weights": (
        c_int, _handle, c_char_p, c_double, c_int64, c_int, c_int64, _f32, _err,
    ),
    "am_weights": (c_int, _handle, _f64, _f32, _f32, _err),
    "am_export": (c_int, _handle, _f64, _f32, c_char_p, _err),
    "am_predict": (
        c_int, _handle, c_int, _f64, _f32, _f32, c_int64, _f32, _f32, _f32, _err,
    ),
    "am_polish_options_default": (None, POINTER(am_polish_options), c_size_t),
    "am_polish": (
        c_int, _handle, POINTER(am_polish_options), c_int, _f64, _f32, _f32,
        POINTER(am_polished), _err,
    ),
    "am_refit_options_default": (None, POINTER(am_refit_options), c_size_t),
    "am_refit": (
        c_int, _handle, _handle, POINTER(am_refit_options), c_int, _f64, _f32, _f32,
        POINTER(am_metrics), POINTER(am_metrics), _err,
    ),
    "am_audit_options_default": (None, POINTER(am_audit_options), c_size_t),
    "am_audit": (
        c_int, _handle, POINTER(am_audit_options), POINTER(am_audit_summary),
        POINTER(am_audit_point), _err,
    ),
    "am_report_options_default": (None, POINTER(am_report_options), c_size_t),
    "am_report": (c_int, _handle, c_char_p, c_char_p, POINTER(am_report_options), _err),
}


def declare(library: ctypes.CDLL) -> None:
    """Gives every function of the library its result and argument types."""
    for name, (result, *arguments) in FUNCTIONS.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments
