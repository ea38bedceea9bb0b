"""No page and no form answers with a server error, whatever a careless person does with it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import time_machine

from pwa import create_app, initialise
from pwa.commands import demo
from pwa.settings import Settings
from tests.cast.operations import NOW
from tests.cast.people import SAME_ORIGIN
from tests.web.crawler import Crawler

STEPS = 1000
STARTS = ("/", "/desk/", "/field/", "/desk/follow-ups", "/desk/company", "/desk/guide", "/desk/import",
          "/desk/devices", "/desk/held", "/desk/visits", "/desk/consents")  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2])
def test_no_page_and_no_form_ever_answers_500(tmp_path: Path, seed: int) -> None:
    settings = Settings(data=tmp_path / "data")
    initialise(settings)
    app = create_app(settings)
    rng = random.Random(seed)
    with time_machine.travel(NOW, tick=False):
        with app.app_context():
            demo.fill(app.extensions["troskel"])
        people = {}
        for name in ("alice", "root", "hugo", "amira", "bob"):
            client = app.test_client()
            client.environ_base.update(SAME_ORIGIN)
            form = {"name": name, "password": demo.PASSWORD}
            assert client.post("/sign-in", data=form).status_code == 303
            people[name] = Crawler(client, rng)
            people[name].start(*STARTS)
        for _ in range(STEPS):
            people[rng.choice(("alice", "alice", "root", "root", "hugo", "amira", "bob"))].step()
        for one in people.values():
            one.look_at_all()
            assert one.client.get("/sync/pull?cursor=").status_code in (200, 403)
    app.extensions["troskel"].close()
    assert [broken for one in people.values() for broken in one.broken] == []
    assert sum(one.sent for one in people.values()) > STEPS / 4
