"""The protocol core: what operations mean, how they are pushed, pulled and stored.

Invariant: nothing here reads a clock, a random source, the network or Flask; times and
ids are arguments, and the only I/O is a storage engine's. PROTOCOL.md is the law; the
numbers I1–I9 in names and comments are its invariants. It refuses to discard anything.
"""
