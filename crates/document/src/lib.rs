//! Bytes to span-carrying trees for every kind of file a team ships.
