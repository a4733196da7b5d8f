//! Scenarios on real parts: the `seawall` binary, a one-node Kubernetes (`rig/`), a browser. See `tests/it`.
