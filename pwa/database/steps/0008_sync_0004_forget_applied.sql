-- Of what was applied the log alone keeps the bytes, and nobody keeps who counted a tally.

DELETE FROM held
  WHERE kind = 'tally.count' AND state = 'resolved' AND resolved_how <> 'file'
    AND id IN (SELECT id FROM log);
UPDATE held SET bytes = x''
  WHERE state = 'resolved' AND resolved_how <> 'file' AND id IN (SELECT id FROM log);
