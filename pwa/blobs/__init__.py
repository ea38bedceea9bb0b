"""Signatures and pictures: kept by hash, re-encoded, and erased when struck."""
