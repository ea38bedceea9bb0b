"""The protocol core: what operations mean, and how they are pushed, pulled and stored.

Invariant: nothing here uses a clock, a random source, the network or Flask; times and ids are
arguments, and the only I/O is a storage engine's. No operation is ever discarded (I6). PROTOCOL.md
is the specification; I1–I9 in names and comments are its invariants.
"""
