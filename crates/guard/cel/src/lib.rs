//! CEL with the Kubernetes and Kyverno libraries, and Kubernetes' CEL admission policies.
