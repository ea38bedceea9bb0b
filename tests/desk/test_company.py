"""The company's facts at the desk: three levels, what is refused, what is missing, what is written down."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient

from pwa.homes import company
from pwa.people.accounts import INTERFACE_LANGUAGES
from pwa.services import Services
from tests.cast.world import World

ClientFor = Callable[[str], FlaskClient]


def facts(services: Services, area: str = "", building: str = "") -> dict[str, str]:
    with services.databases.reading() as db:
        return company.settings_for(db, area, building)


def save(
    client: FlaskClient, level: str = "company", shown: str | None = None, **typed: Any
) -> Any:
    """Change these fields on the page, as it is now or was (`shown`), and send its form;
    `quiet__from` is quiet.from."""
    named = {key.replace("__", "."): value for key, value in typed.items()}
    html = page(client, level) if shown is None else shown
    was = dict(re.findall(r'name="(was\.[^"]+)" value="([^"]*)"', html))
    stood = {key.removeprefix("was."): value for key, value in was.items()}
    return client.post("/desk/company", data={"level": level, **was, **stood, **named})


def page(client: FlaskClient, level: str = "") -> str:
    return client.get("/desk/company", query_string={"level": level}).get_data(as_text=True)


def test_the_nearest_level_wins_and_an_emptied_field_gives_way(
    client_for: ClientFor, services: Services, world: World
) -> None:
    world.visit(area="Norr", building="N1")
    root = client_for("root")
    assert save(root, quiet__from="22:00").status_code == 303
    assert save(root, "area:Norr", quiet__from="21:00").status_code == 303
    assert save(root, "building:N1", quiet__from="20:00").status_code == 303
    assert [facts(services)["quiet.from"], facts(services, "Norr")["quiet.from"]] == [
        "22:00",
        "21:00",
    ]
    assert facts(services, "Norr", "N1")["quiet.from"] == "20:00"
    assert "Not set here: 21:00 applies." not in page(root, "building:N1")
    save(root, "building:N1", quiet__from="")
    assert facts(services, "Norr", "N1")["quiet.from"] == "21:00"
    assert "Not set here: 21:00 applies." in page(root, "building:N1")


def test_what_is_refused_is_kept_in_its_field_and_nothing_of_the_form_is_stored(
    client_for: ClientFor, services: Services
) -> None:
    answer = save(client_for("root"), quiet__from="half past ten", quiet__to="06:00")
    html = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert 'value="half past ten"' in html
    assert 'value="06:00"' in html
    assert "Write a time as 07:00." in html
    assert facts(services) == {}


def test_a_fact_never_turns_the_text_around_it(client_for: ClientFor, services: Services) -> None:
    root = client_for("root")
    assert save(root, company__name="Test\u202e  Bostäder\u200b\n").status_code == 303
    assert facts(services)["company.name"] == "Test Bostäder"
    name = services.guide.settings["company.name"]
    assert [name.accepts(one) for one in ("a\u202eb", "a\nb", "a{b", "می\u200cخواهم")] == [
        False, False, False, True,
    ]  # fmt: skip


def test_what_is_missing_is_listed_until_it_is_set(client_for: ClientFor) -> None:
    root = client_for("root")
    assert 'href="#quiet.from"' in page(root)
    save(root, quiet__from="22:00")
    assert 'href="#quiet.from"' not in page(root)


def test_the_preview_shows_every_text_with_what_is_typed_and_stores_nothing(
    client_for: ClientFor, services: Services
) -> None:
    root = client_for("root")
    query = {
        "level": "company",
        "name": "company.phone",
        "company.phone": "021-12 34 56",
        "language": "ar",
    }
    html = root.get("/desk/company/preview", query_string=query).get_data(as_text=True)
    wanted = [
        key
        for key in services.guide.text_keys
        if "{company.phone}" in services.guide.languages["sv"].texts[key]
    ]
    assert html.count('lang="sv"') == len(wanted) > 10
    assert html.count("021-12 34 56") >= 2 * len(wanted) - html.count("quiet")
    assert 'lang="ar" dir="rtl"' in html
    assert facts(services) == {}


@pytest.mark.parametrize("language", [tag for tag in INTERFACE_LANGUAGES if tag != "en"])
def test_every_fact_is_named_in_the_language_of_the_reader(
    client_for: ClientFor, services: Services, language: str
) -> None:
    root = client_for("root")
    root.post("/language", data={"language": language, "next": "/desk/"})
    html = page(root)
    named = re.findall(r"<(?:label for=\"f-[^>]*|legend)>([^<]+)<", html)
    assert len(named) == len(services.guide.settings)
    english = {one.english for one in services.guide.settings.values()}
    assert not english & set(map(unescape, named))
    assert "which queue receives" not in html.lower()


def test_who_changed_what_stays(client_for: ClientFor, services: Services) -> None:
    root = client_for("root")
    save(root, quiet__from="22:00")
    save(root, quiet__from="21:00")
    save(root, quiet__from="21:00")
    with services.databases.reading() as db:
        rows = company.history(db, "company", 10)
    assert [(one["before"], one["after"]) for one in rows] == [("22:00", "21:00"), ("", "22:00")]
    assert "Root Testsson" in page(root)


def test_what_a_colleague_set_meanwhile_stays_unless_the_same_field_was_changed(
    client_for: ClientFor, services: Services
) -> None:
    root = client_for("root")
    save(root, quiet__from="22:00", quiet__to="06:00")
    shown = page(root)
    save(root, quiet__from="21:00")
    save(root, shown=shown, quiet__to="07:00")
    assert facts(services) == {"quiet.from": "21:00", "quiet.to": "07:00"}


def test_what_is_typed_in_one_card_is_not_lost_by_saving_in_another(
    client_for: ClientFor, services: Services
) -> None:
    root = client_for("root")
    html = page(root)
    assert html.count('method="post" action="/desk/company"') == 1
    assert html.count('name="group"') > 5
    save(root, quiet__from="22:00", company__name="Testbo AB")
    assert facts(services) == {"quiet.from": "22:00", "company.name": "Testbo AB"}


def test_several_boxes_are_one_value(client_for: ClientFor, services: Services) -> None:
    save(client_for("root"), fault__channels=["app", "phone"])
    assert facts(services)["fault.channels"] == "app,phone"
    save(client_for("root"), fault__channels=["fax"])
    assert facts(services)["fault.channels"] == "app,phone"


def test_only_an_administrator_sets_facts_and_only_on_levels_that_there_are(
    client_for: ClientFor, services: Services
) -> None:
    for name in ("alice", "bob", "hugo"):
        assert save(client_for(name), quiet__from="22:00").status_code == 403
    assert save(client_for("root"), "area:Nowhere", quiet__from="22:00").status_code == 404
    assert facts(services) == {}


def test_a_protected_home_names_no_level(client_for: ClientFor, world: World) -> None:
    visit = world.visit(area="Hemliga gatan", building="H9")
    assert "Hemliga gatan" in page(client_for("root"))
    world.protect(visit)
    html = page(client_for("root"))
    assert "Hemliga gatan" not in html
    assert "H9" not in html
