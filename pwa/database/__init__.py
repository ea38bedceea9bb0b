"""The company's database: connections and locks, schema steps, backup and restore."""
