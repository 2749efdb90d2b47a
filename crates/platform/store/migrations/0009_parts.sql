-- Documents of one file that are alike in kind, namespace and name are told apart, and a finding keeps its facts.
ALTER TABLE resources ADD COLUMN part TEXT NOT NULL DEFAULT '';
ALTER TABLE findings ADD COLUMN part TEXT NOT NULL DEFAULT '';
ALTER TABLE findings ADD COLUMN facts TEXT NOT NULL DEFAULT '{}';
