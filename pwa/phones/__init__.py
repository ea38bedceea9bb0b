"""What a phone asks the server for: the shell, push, pull, blobs, device reports, rescue."""
