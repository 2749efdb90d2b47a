//! Kyverno's policies, both generations, judged natively.
