-- Nothing ever narrowed a token by scopes; its role does.
ALTER TABLE tokens DROP COLUMN scopes;
