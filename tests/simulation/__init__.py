"""The proof that nothing is lost, doubled or hidden: shipped phones, shipped server, seeded faults.

company is the server, phones.mjs the phones, schedule what happens, world one run, oracle the
judge, runner many runs. `python -m tests.simulation --help`.
"""
