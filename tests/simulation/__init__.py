"""The proof that nothing is lost, doubled or hidden: shipped phones, shipped server, seeded faults.

    schedule      the steps of a run, made from its seed
    world         one run; its steps are in phone_steps, network and server_steps
    company       the server; site makes a fresh one for each run
    phones        the process with all phones (phones.mjs), and what is known of each
    forms         what somebody enters on a phone
    oracle        whether something was lost, doubled or hidden, after a run; promises: at any moment
    shown         which consents an author had been shown
    runner        many runs; describe: a run in words
    crash_points  a phone killed at every point of a short story
    mutations     bugs put into a copy of the code, each of which a run must catch

`python -m tests.simulation --help`.
"""
