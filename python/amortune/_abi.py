"""The types of amortune.h, for ctypes. tests/test_abi.py compares every size and offset with what the C
compiler makes of the header."""

from __future__ import annotations

from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    c_char,
    c_char_p,
    c_double,
    c_float,
    c_int,
    c_int32,
    c_int64,
    c_size_t,
    c_uint32,
    c_void_p,
)

AM_CHOICE_GROUPS = 16
AM_AUDIT_LAMBDAS = 16
AM_AUDIT_LINES = 16

# am_status
(
    AM_OK,
    AM_ERR_USAGE,
    AM_ERR_INPUT,
    AM_ERR_IO,
    AM_ERR_MEMORY,
    AM_ERR_DEVICE,
    AM_ERR_DIVERGED,
    AM_ERR_INTERRUPT,
    AM_ERR_INTERNAL,
) = range(9)


class am_error(Structure):
    _fields_ = [("status", c_int), ("message", c_char * 480)]


class am_device_info(Structure):
    _fields_ = [
        ("name", c_char * 16),
        ("model", c_char * 128),
        ("threads", c_int),
        ("openblas_coretype", c_char * 32),
    ]


class am_data_options(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("source", c_char_p),
        ("label", c_char_p),
        ("task", c_char_p),
        ("test", c_char_p),
        ("validation", c_double),
        ("seed", c_int64),
    ]


class am_arrays(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("rows", c_int64),
        ("inputs", c_int),
        ("outputs", c_int),
        ("x", POINTER(c_float)),
        ("label", POINTER(c_int32)),
        ("target", POINTER(c_float)),
        ("test_rows", c_int64),
        ("test_x", POINTER(c_float)),
        ("test_label", POINTER(c_int32)),
        ("test_target", POINTER(c_float)),
        ("validation", c_double),
        ("seed", c_int64),
        ("like", c_void_p),
    ]


class am_dataset_info(Structure):
    _fields_ = [
        ("name", c_char * 64),
        ("train_rows", c_int64),
        ("validation_rows", c_int64),
        ("test_rows", c_int64),
        ("inputs", c_int),
        ("outputs", c_int),
        ("classes", c_int),
        ("image_rows", c_int),
        ("image_columns", c_int),
    ]


class am_param(Structure):
    _fields_ = [
        ("name", c_char * 24),
        ("rank", c_int),
        ("shape", c_int64 * 2),
        ("offset", c_int64),
        ("count", c_int64),
    ]


class am_progress(Structure):
    _fields_ = [
        ("task", c_char_p),
        ("step", c_int64),
        ("total", c_int64),
        ("loss", c_double),
        ("norm", c_double),
        ("seconds", c_double),
        ("seconds_left", c_double),
    ]


am_progress_function = CFUNCTYPE(c_int, c_void_p, POINTER(am_progress))


class am_fit_options(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("target", c_char_p),
        ("activation", c_char_p),
        ("lambda_low", c_double),
        ("lambda_high", c_double),
        ("penalty", c_char_p),
        ("features", c_char_p),
        ("init", c_char_p),
        ("weights", c_char_p),
        ("alpha", c_double),
        ("blocks", c_int64),
        ("embedding", c_int64),
        ("omega0", c_int),
        ("networks", c_int64),
        ("posterior", c_char_p),
        ("mode", c_char_p),
        ("labels", c_int64),
        ("rounds", c_int64),
        ("share", c_double),
        ("descent", c_char_p),
        ("plan", c_char_p),
        ("nodes", c_char_p),
        ("draws", c_int64),
        ("minibatches", c_int64),
        ("batch", c_int64),
        ("epochs", c_double),
        ("steps", c_int64),
        ("rate", c_double),
        ("schedule", c_char_p),
        ("warmup", c_int64),
        ("beta1", c_double),
        ("beta2", c_double),
        ("clip", c_double),
        ("ridge", c_double),
        ("stretch", c_double),
        ("tilt", c_double),
        ("seed", c_int64),
        ("out", c_char_p),
        ("checkpoint", c_char_p),
        ("resume", c_int),
        ("checkpoint_seconds", c_double),
        ("progress", am_progress_function),
        ("context", c_void_p),
        ("response_draws", c_int64),
        ("path", c_char_p),
        ("lambda_knee", c_double),
    ]


class am_model_info(Structure):
    _fields_ = [
        ("target", c_char * 192),
        ("activation", c_char * 8),
        ("features", c_char * 64),
        ("weights", c_char * 16),
        ("classes", c_int),
        ("groups", c_int),
        ("params", c_int64),
        ("blocks", c_int64),
        ("sees_omega", c_int),
        ("lambda_low", c_double),
        ("lambda_high", c_double),
        ("seed", c_int64),
        ("step", c_int64),
        ("steps", c_int64),
        ("plan", c_char * 16),
        ("fit_loss", c_double),
        ("fit_seconds", c_double),
        ("data_name", c_char * 64),
        ("train_rows", c_int64),
        ("has_data", c_int),
        ("networks", c_int),
    ]


class am_metrics(Structure):
    _fields_ = [
        ("nll", c_double),
        ("nll_se", c_double),
        ("accuracy", c_double),
        ("accuracy_se", c_double),
        ("brier", c_double),
        ("ece", c_double),
    ]


class am_curve_options(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("points", c_int),
        ("draws", c_int),
        ("quantiles", c_int),
        ("quantile", POINTER(c_double)),
    ]


class am_choice(Structure):
    _fields_ = [
        ("groups", c_int),
        ("lambda", c_double * AM_CHOICE_GROUPS),
        ("value", c_double),
        ("derivative", c_double),
        ("edge_alarm", c_int),
        ("flat_alarm", c_int),
    ]


class am_tune_options(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("rule", c_char_p),
        ("metric", c_char_p),
        ("points", c_int),
        ("draws", c_int),
    ]


class am_posterior(Structure):
    _fields_ = [
        ("draws", c_int),
        ("from_generator", c_int),
        ("steps", c_int64),
        ("test_rows", c_int),
        ("mean", am_metrics),
        ("accuracy_mean", c_double),
        ("accuracy_sd", c_double),
        ("nll_mean", c_double),
    ]


class am_row_uncertainty(Structure):
    _fields_ = [
        ("confidence", c_double),
        ("entropy", c_double),
        ("expected_entropy", c_double),
        ("mutual_information", c_double),
    ]


class am_detection(Structure):
    _fields_ = [
        ("auroc", c_double),
        ("aupr_ood", c_double),
        ("aupr_own", c_double),
        ("fpr95", c_double),
    ]


class am_polish_options(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("steps", c_int64),
        ("rate", c_double),
        ("progress", am_progress_function),
        ("context", c_void_p),
    ]


class am_polished(Structure):
    _fields_ = [
        ("criterion_before", c_double),
        ("criterion_after", c_double),
        ("before", am_metrics),
        ("after", am_metrics),
    ]


class am_refit_options(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("target", c_char_p),
        ("activation", c_char_p),
        ("penalty", c_char_p),
        ("blocks", c_int64),
        ("batch", c_int64),
        ("epochs", c_double),
        ("steps", c_int64),
        ("rate", c_double),
        ("schedule", c_char_p),
        ("warmup", c_int64),
        ("beta1", c_double),
        ("beta2", c_double),
        ("seed", c_int64),
        ("separate", c_int),
        ("init", POINTER(c_uint32)),
        ("progress", am_progress_function),
        ("context", c_void_p),
    ]


class am_audit_options(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("points", c_int),
        ("repeats", c_int),
        ("draws", c_int),
        ("lambdas", c_int),
        ("lambda", POINTER(c_double)),
        ("seed", c_int64),
        ("cache", c_char_p),
        ("progress", am_progress_function),
        ("context", c_void_p),
    ]


class am_audit_line(Structure):
    _fields_ = [
        ("property", c_char * 64),
        ("unit", c_char * 16),
        ("rule", c_char * 96),
        ("note", c_char * 160),
        ("verdict", c_int),
        ("value", c_double),
        ("se", c_double),
        ("lambda", c_double),
    ]


class am_audit_point(Structure):
    _fields_ = [
        ("lambda", c_double),
        ("generator", am_metrics),
        ("refit_nll", c_double),
        ("refit_accuracy", c_double),
        ("criterion", c_double),
        ("refit_criterion", c_double),
    ]


class am_audit_posterior(Structure):
    _fields_ = [
        ("lambda", c_double),
        ("signal", c_double),
        ("reproducible", c_double),
        ("spread", c_double),
        ("spread_se", c_double),
        ("captured", c_double),
        ("captured_se", c_double),
        ("fidelity", c_double),
        ("fidelity_se", c_double),
        ("generator", am_metrics),
        ("refits", am_metrics),
    ]


class am_audit_summary(Structure):
    _fields_ = [
        ("verdict", c_int),
        ("lines", c_int),
        ("lambdas", c_int),
        ("line", am_audit_line * AM_AUDIT_LINES),
        ("at", am_audit_posterior * AM_AUDIT_LAMBDAS),
        ("refits", c_int),
        ("cached", c_int),
        ("steps", c_int64),
        ("rate", c_double),
        ("seconds", c_double),
    ]


class am_report_options(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("data", c_char_p),
        ("test", c_char_p),
        ("candidates", c_char_p),
    ]
