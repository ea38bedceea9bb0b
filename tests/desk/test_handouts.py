"""What a tenant is given: the boendeguide as a public page, and messages to be copied."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from pwa.desk.handouts import handed_sections
from pwa.guide import load
from pwa.homes import company
from pwa.services import Services
from tests.cast.world import World

ClientFor = Callable[[str], FlaskClient]


@pytest.fixture
def anybody(app: Flask) -> FlaskClient:
    return app.test_client()


def read(client: FlaskClient, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.status_code
    return answer.get_data(as_text=True)


@pytest.mark.parametrize("language", load().languages)
def test_the_whole_guide_is_beside_swedish_in_every_language(
    anybody: FlaskClient, language: str
) -> None:
    html = read(anybody, f"/g/{language}")
    guide = load()
    items = [item for item in guide.items.values() if item.section in handed_sections(guide)]
    assert html.count("<article>") == len(items) > 40
    for item in items:
        assert (
            f'lang="sv" dir="ltr">{guide.languages["sv"].texts[f"{item.key}.label"]}</h3>' in html
        )
    assert "{" not in re.sub(r"<style.*?</style>", "", html)
    assert html.count('class="unread"') >= (0 if language == "sv" else len(items))


def test_the_companys_facts_are_filled_in_for_the_home(
    anybody: FlaskClient, services: Services, world: World
) -> None:
    world.visit(area="Norr", building="N1")
    with services.databases.writing() as db:
        company.store_settings(db, {"quiet.from": "22:10", "quiet.to": "06:10"})
        company.store_settings(db, {"quiet.from": "21:10"}, "building:N1")
    assert "22:10" in read(anybody, "/g/so")
    assert "21:10" in read(anybody, "/g/so?level=building:N1")
    assert anybody.get("/g/so?level=building:N2").status_code == 404


def test_what_no_company_has_set_is_never_invented(anybody: FlaskClient) -> None:
    html = read(anybody, "/g/ar")
    assert load().languages["ar"].texts["ask_landlord"] in html
    assert "22:00" not in html


def test_a_telephone_number_is_never_cut_by_the_end_of_a_line(
    anybody: FlaskClient, services: Services
) -> None:
    with services.databases.writing() as db:
        company.store_settings(db, {"company.name": "Bo 1 - Norr", "company.phone": "021-12 34 56"})
    html, _, footer = read(anybody, "/g/ar").partition("<footer>")
    assert '<bdi dir="ltr">021-12 34 56</bdi>' in footer
    assert "021\u2060-\u206012\u00a034\u00a056" in html
    assert "021-12 34 56" not in html
    assert "Bo 1 - Norr" in html


def test_chosen_sections_are_alone_and_named_in_the_address(anybody: FlaskClient) -> None:
    answer = anybody.get("/g?language=ti&section=s04&section=s03&level=")
    assert answer.headers["Location"] == "/g/ti?section=s03&section=s04"
    html = read(anybody, answer.headers["Location"])
    assert re.findall(r'class="pair heading" id="(s\d\d)"', html) == ["s03", "s04"]
    everything = "&".join(f"section={key}" for key in handed_sections(load()))
    assert anybody.get(f"/g?language=ti&{everything}").headers["Location"] == "/g/ti"
    assert anybody.get("/g?language=xx").status_code == anybody.get("/g/xx").status_code == 404


def test_nothing_of_any_tenant_is_in_it_and_no_index_lists_it(
    anybody: FlaskClient, world: World
) -> None:
    world.visit(area="Norr", building="N1", street="Hemligvägen 1", tenants=["Testsson Test"])
    answer = anybody.get("/g/ar?level=building:N1")
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert "Set-Cookie" not in answer.headers
    html = answer.get_data(as_text=True)
    assert "Hemligvägen" not in html
    assert "Testsson" not in html


def test_a_page_in_the_tenants_language_has_its_interface_in_it_too(anybody: FlaskClient) -> None:
    html = read(anybody, "/g/fa-AF")
    assert '<html lang="fa-AF" dir="rtl">' in html
    assert load().languages["fa-AF"].texts["label.machine"] in html


def test_messages_stand_in_the_tenants_language_and_in_swedish(
    client_for: ClientFor, world: World, services: Services
) -> None:
    with services.databases.writing() as db:
        company.store_settings(db, {"company.name": "Testbo AB", "company.phone": "021-00 00 00"})
    visit = world.visit(language="so", visitors=["bob"], date="2026-12-01", time="10:00")
    html = client_for("alice").get(f"/desk/visits/{visit}").get_data(as_text=True)
    shown = html[html.index('id="messages"') :]
    assert shown.count('data-copies="m-message_') == 10
    assert shown.count("2026-12-01") >= 6
    assert 'id="m-message_booking-1" lang="so"' in shown
    assert 'id="m-message_booking-2" lang="sv"' in shown
    assert "Testsson" not in shown


def test_a_message_that_names_a_day_waits_until_there_is_one(
    client_for: ClientFor, world: World
) -> None:
    html = (
        client_for("alice").get(f"/desk/visits/{world.visit(language='so')}").get_data(as_text=True)
    )
    assert "m-message_not_reached-1" in html
    assert "m-message_booking-1" not in html
    assert "m-missed_card-1" not in html


def test_the_card_has_the_time_in_both_languages_and_names_nobody(
    client_for: ClientFor, world: World, services: Services
) -> None:
    visit = world.visit(
        language="ar", street="Provgatan 1", area="Norr", date="2026-12-01", time="10:00"
    )
    alice = client_for("alice")
    assert f'href="/desk/visits/{visit}/card"' in read(alice, f"/desk/visits/{visit}")
    html = read(alice, f"/desk/visits/{visit}/card")
    guide = load()
    for tag in ("ar", "sv"):
        assert guide.languages[tag].texts["notice.missed_card.title"] in html
    # A date that the end of a line cut in two would be read backwards from right to left.
    whole = "2026\u2060-\u206012\u2060-\u206001"
    assert html.count(whole) == html.count("10:00") == 2
    assert "Provgatan" not in html
    assert "Testsson" not in html
    with services.databases.reading() as db:
        assert db["access_log"].count_where("visit = ?", [visit]) == 2


def test_the_card_invites_to_a_boskola_only_where_all_of_it_is_known(
    client_for: ClientFor, world: World, services: Services
) -> None:
    visit = world.visit(language="ar", date="2026-12-01", time="10:00")
    card = f"/desk/visits/{visit}/card"
    with services.databases.writing() as db:
        company.store_settings(db, {"boskola.weekday": "monday", "boskola.time": "17:00"})
    assert "boskolan" not in read(client_for("alice"), card)
    with services.databases.writing() as db:
        company.store_settings(db, {"boskola.place": "Gården"})
    assert "boskolan" in read(client_for("alice"), card)


def test_there_is_no_card_without_a_day_nor_for_others(client_for: ClientFor, world: World) -> None:
    visit = world.visit(language="ar")
    assert client_for("alice").get(f"/desk/visits/{visit}/card").status_code == 404
    dated = world.visit(language="ar", date="2026-12-01", time="10:00")
    for name in ("bob", "hugo", "root"):
        assert client_for(name).get(f"/desk/visits/{dated}/card").status_code == 403
    world.protect(dated)
    assert client_for("alice").get(f"/desk/visits/{dated}/card").status_code == 404
