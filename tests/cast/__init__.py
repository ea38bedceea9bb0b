"""The shared world of the Python tests: people, a company, sample data, operations and pictures.

Invariant: an operation's envelope, the data of each kind and the cast of people are written here
and nowhere else, so a change of the wire format changes one folder. Tests that need another world
(fixed ids, a simulated clock) build on these makers and pass what differs.

    people      who takes part, their password, a quick hasher
    company     an application on a data folder
    samples     valid data of tenancies, consents, answers; a signature
    operations  envelopes as a phone makes them
    drafts      what a desk submits: a visit from registration to assignment
    world       a company in a running application, with phones that push without HTTP
    wire_phone  a phone that speaks HTTP
    pictures    photos, hostile pictures
    randomness  server randomness that a seed repeats
"""
