"""Signatures and pictures: stored by hash, pictures re-encoded, and erased when struck out."""
