"""The long proof: every fault class at full length, in chunks that can be resumed."""
