-- Other bytes under a used id are looked up by their hash.

CREATE INDEX held_reused ON held (sha256) WHERE problem = 'id_reused';
