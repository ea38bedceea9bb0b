-- What was lost, under which name; who used which phone; what phones say they deleted.

ALTER TABLE "devices" ADD COLUMN "lost_reason" TEXT NOT NULL DEFAULT '';
ALTER TABLE "devices" ADD COLUMN "lost_device" TEXT NOT NULL DEFAULT '';
ALTER TABLE "devices" ADD COLUMN "recovered" INTEGER NOT NULL DEFAULT 0;

CREATE TABLE device_people (
  device TEXT NOT NULL,
  user TEXT NOT NULL,
  first_at TEXT NOT NULL,
  PRIMARY KEY (device, user)
);
INSERT INTO device_people SELECT id, user, '' FROM devices;

-- A phone that lost its storage is another device from then on; the new one tells of the old.
CREATE VIEW present_devices AS SELECT id FROM devices
  WHERE id NOT IN (SELECT lost_device FROM devices AS other WHERE other.id <> other.lost_device);

CREATE TABLE deleted_visits (
  device TEXT NOT NULL,
  visit TEXT NOT NULL,
  at TEXT NOT NULL,
  PRIMARY KEY (device, visit)
);
