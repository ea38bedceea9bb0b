"""The records that one push has read and changed so far, and the batch it is going to write.

Invariant: whoever works on the same push sees its changes, and nothing reaches the storage before
the whole push is written. A record that was `put` is this push's own copy.
"""

from __future__ import annotations

from collections.abc import Iterable

from sync.device import new_device
from sync.shapes import DeviceRecord, Record, RecordKey, TenancyRecord, VisitRecord
from sync.storage import Batch, Storage


class WorkingSet:
    """Reads through to `storage`, once for each record."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.batch = Batch()
        self._records: dict[RecordKey, Record | None] = {}

    def load(self, keys: Iterable[RecordKey]) -> None:
        """Read many records in one query. Nothing has the id ""."""
        wanted = {key for key in keys if key[1] and key not in self._records}
        if wanted:
            found = self.storage.records(wanted)
            self._records |= {key: found.get(key) for key in wanted}

    def visit(self, id: str) -> VisitRecord | None:
        """The visit, None where there is none."""
        record = self._read(("visit", id))
        return record if record is not None and record["type"] == "visit" else None

    def tenancy(self, id: str) -> TenancyRecord | None:
        """The tenancy, None where there is none."""
        record = self._read(("tenancy", id))
        return record if record is not None and record["type"] == "tenancy" else None

    def device(self, id: str) -> DeviceRecord:
        """The device, as it is before its first push where there is none."""
        record = self._read(("device", id))
        return record if record is not None and record["type"] == "device" else new_device(id)

    def put(self, record: Record) -> None:
        """Replace the record of this type and id, here and when the batch is written."""
        key: RecordKey = (record["type"], record["id"])
        self._records[key] = record
        self.batch.records[key] = record

    def _read(self, key: RecordKey) -> Record | None:
        if key not in self._records:
            self.load({key})
        return self._records.get(key)
