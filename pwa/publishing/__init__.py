"""Reviews and published versions of the guide: from files to what phones are given.

How it fits together:

* The files of `pwa/guide` are the *baseline*: what a release brings. They are never written.
* What people say about a text at the desk is an *event* (events.py): approved, corrected,
  commented, undone, imported. Events only grow; the newest of a text counts.
* `lay_over` (overlay.py) puts events over the baseline and gives a Guide. With all events it is
  the *draft*, with those before the last publication the *current* guide: what is published is
  computed, so a new release and old corrections meet by one rule, in one place.
* Publishing (versions.py) stores every pack of the current guide under the guide's hash, for
  ever. Packs are kept by content: a version that changes one language stores one.
* PO files (po.py) are another way to make events; `difference.py` tells two guides apart.

Invariant: a version once stored is never changed or removed, and the bytes of its packs are the
same for ever: a visit that names it can be read as it was. It refuses to know visits and tenants.
"""
