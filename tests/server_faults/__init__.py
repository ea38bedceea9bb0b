"""The server under faults: killed at every step of its work, failing disks, power cuts."""
