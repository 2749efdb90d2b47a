//! HTTP: the API, admission, health and metrics.
