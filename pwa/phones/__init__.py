"""What phones request: the shell, push, pull, blobs; their health reports and rescue copies."""
