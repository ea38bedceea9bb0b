-- Records in a database that takes this step are of the first conflict rule; they are derived anew
-- after all steps. A database that took it as Python code has no mark: it did so then.

INSERT INTO marks (name, value) VALUES ('rule', '1');
