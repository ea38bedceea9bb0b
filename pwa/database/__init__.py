"""The company's database file: connections, locks, schema, marks, backup and restore."""


class DatabaseError(Exception):
    """The data folder cannot be used; the message says why and what to do about it."""
