//! Kubernetes' CEL: text → checked program → value, with the API server's libraries, costs and messages.
