-- The database itself refuses to change or remove what only grows.

CREATE TRIGGER guide_events_no_update BEFORE UPDATE ON guide_events
  BEGIN SELECT RAISE(ABORT, 'guide_events only grows'); END;
CREATE TRIGGER guide_events_no_delete BEFORE DELETE ON guide_events
  BEGIN SELECT RAISE(ABORT, 'guide_events only grows'); END;
CREATE TRIGGER guide_originals_no_update BEFORE UPDATE ON guide_originals
  BEGIN SELECT RAISE(ABORT, 'guide_originals only grows'); END;
CREATE TRIGGER guide_originals_no_delete BEFORE DELETE ON guide_originals
  BEGIN SELECT RAISE(ABORT, 'guide_originals only grows'); END;
CREATE TRIGGER guide_publications_no_update BEFORE UPDATE ON guide_publications
  BEGIN SELECT RAISE(ABORT, 'guide_publications only grows'); END;
CREATE TRIGGER guide_publications_no_delete BEFORE DELETE ON guide_publications
  BEGIN SELECT RAISE(ABORT, 'guide_publications only grows'); END;
CREATE TRIGGER guide_packs_no_update BEFORE UPDATE ON guide_packs
  BEGIN SELECT RAISE(ABORT, 'guide_packs only grows'); END;
CREATE TRIGGER guide_packs_no_delete BEFORE DELETE ON guide_packs
  BEGIN SELECT RAISE(ABORT, 'guide_packs only grows'); END;
CREATE TRIGGER guide_contents_no_update BEFORE UPDATE ON guide_contents
  BEGIN SELECT RAISE(ABORT, 'guide_contents only grows'); END;
CREATE TRIGGER guide_contents_no_delete BEFORE DELETE ON guide_contents
  BEGIN SELECT RAISE(ABORT, 'guide_contents only grows'); END;
CREATE TRIGGER guide_wordings_no_update BEFORE UPDATE ON guide_wordings
  BEGIN SELECT RAISE(ABORT, 'guide_wordings only grows'); END;
CREATE TRIGGER guide_wordings_no_delete BEFORE DELETE ON guide_wordings
  BEGIN SELECT RAISE(ABORT, 'guide_wordings only grows'); END;
