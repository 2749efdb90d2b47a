//! Kubernetes' own CEL policies: ValidatingAdmissionPolicy and MutatingAdmissionPolicy.
