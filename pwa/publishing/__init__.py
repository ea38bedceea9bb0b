"""Reviews and published versions of the guide: from files to what phones are given.

How it fits together:

* The files of `pwa/guide` are the *baseline*: what a release ships. They are never written.
* What people do to a text at the desk is an *event* (events.py): approve, correct, comment, undo,
  import. Events are only added; the newest one of a text counts.
* `lay_over` (overlay.py) applies events to the baseline and gives a Guide. With all events it is
  the *draft*, with those before the last publication the *current* guide. What is published is
  computed, so that one rule decides what happens when a release and corrections change the same text.
* Publishing (versions.py) stores every pack of the current guide under the guide's hash, for
  ever. Packs are kept by content: a version that changes one language stores one.
* PO files (po.py) are another way to make events; `difference.py` compares two guides.

Invariant: a version once stored is never changed or removed, and the bytes of its packs are the
same for ever: a visit that names it can be read as it was. Nothing here knows visits or tenants.
"""
