-- What the capability `__kebab__` keeps.
CREATE TABLE __name__ (
    id TEXT NOT NULL PRIMARY KEY,
    text TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
