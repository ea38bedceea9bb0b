"""Measurements: `make bench`. Prints them and writes JSON lines; never fails on a time."""
