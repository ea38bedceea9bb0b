"""The troskel command and what only it does: the server process, demo data."""
