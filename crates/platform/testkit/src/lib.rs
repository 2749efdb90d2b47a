//! Real servers for tests: a Kubernetes API server, PostgreSQL, an identity provider.
