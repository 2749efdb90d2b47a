//! Operands of the types that builtins need, with OPA's words where they have others.

