-- What controllers remember was kept among the settings, where an administrator could change it. Nothing read the other
-- settings; what was written there stays under a name of its own.
CREATE TABLE states (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);
INSERT INTO states (name, value, updated_at)
    SELECT CASE WHEN name LIKE 'controller.%' THEN substr(name, 12) ELSE 'setting.' || name END, value, updated_at
    FROM settings;
DROP TABLE settings;
