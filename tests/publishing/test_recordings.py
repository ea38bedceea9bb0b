"""Recordings of the guide: who may add one, what is refused, and when phones may play it."""

from __future__ import annotations

import struct
from collections.abc import Callable
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient

from pwa.homes import company
from pwa.publishing import recordings
from pwa.publishing.recordings import sniff
from pwa.services import Services

ClientFor = Callable[[str], FlaskClient]
PAGE = "/desk/guide/ar/recordings"


def ogg(seconds: int = 3, filler: bytes = b"\0") -> bytes:
    """The first and last pages of an Ogg file with Opus, all that is read of it."""
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 312, 48_000, 0, 0)
    first = b"OggS" + struct.pack("<BBqIIIB", 0, 2, 0, 1, 0, 0, 1) + bytes([len(head)]) + head
    last = b"OggS" + struct.pack("<BBqIIIB", 0, 4, seconds * 48_000 + 312, 1, 1, 0, 1) + b"\x09"
    return first + filler * 40 + last + b"123456789"


def add(client: FlaskClient, key: str, octets: bytes, page: str = PAGE) -> int:
    answer = client.post(f"{page}/{key}", data={"file": (BytesIO(octets), "x.opus")})
    return answer.status_code


def listed(client: FlaskClient, language: str = "ar") -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = client.get(f"/recordings/{language}.json").get_json()[
        "recordings"
    ]
    return found


def test_every_phone_gets_what_a_speaker_adds(client_for: ClientFor) -> None:
    bob = client_for("bob")
    assert add(bob, "i25", ogg()) == 303
    one = listed(client_for("charlie"))["i25"]
    sound = client_for("charlie").get(f"/recordings/{one['sha256']}")
    assert sound.data == ogg()
    assert sound.content_type == one["type"] == "audio/ogg"
    assert "3 seconds" in bob.get(PAGE).get_data(as_text=True)


def test_a_recording_is_no_public_file(client_for: ClientFor, app: Flask) -> None:
    add(client_for("bob"), "i25", ogg())
    sha256 = listed(client_for("bob"))["i25"]["sha256"]
    nobody = app.test_client()
    for path in ("/recordings/ar.json", f"/recordings/{sha256}", PAGE):
        assert nobody.get(path, headers={"Accept": "application/json"}).status_code == 401


def test_who_does_not_speak_the_language_cannot_record_it(client_for: ClientFor) -> None:
    assert add(client_for("charlie"), "i25", ogg()) == 403
    assert add(client_for("hugo"), "i25", ogg()) == 403
    assert listed(client_for("bob")) == {}
    assert (
        "<input"
        not in client_for("charlie").get(PAGE).get_data(as_text=True).split("recordings")[1]
    )


@pytest.mark.parametrize(
    "octets",
    [b"", b"ID3\x03 an mp3", b"OggS" + bytes(24) + b"\x01vorbis", b"\x1a\x45\xdf\xa3 webm V_VP8", ogg(filler=b"long")],
    ids=["nothing", "mp3", "vorbis", "video", "too large"],
)  # fmt: skip
def test_a_refused_recording_leaves_the_old_one_in_use(
    client_for: ClientFor, octets: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recordings, "BYTES_MAX", 150)
    bob = client_for("bob")
    assert add(bob, "i25", ogg()) == 303
    answer = bob.post(f"{PAGE}/i25", data={"file": (BytesIO(octets), "x")})
    assert answer.status_code in (400, 413, 415)
    assert 'role="alert"' in answer.get_data(as_text=True)
    assert bob.get(f"/recordings/{listed(bob)['i25']['sha256']}").data == ogg()


def test_a_new_recording_replaces_the_old_one_whose_bytes_are_deleted(
    client_for: ClientFor, services: Services
) -> None:
    bob = client_for("bob")
    add(bob, "i25", ogg(3))
    old = listed(bob)["i25"]["sha256"]
    add(bob, "i25", ogg(5))
    assert listed(bob)["i25"]["sha256"] != old
    assert bob.get(f"/recordings/{old}").status_code == 404
    assert bob.post(f"{PAGE}/i25/remove").status_code == 303
    assert listed(bob) == {}
    with services.databases.reading() as db:
        assert db.table("recording_bytes").count == 0
        # Who recorded what, and who took it away, stays.
        assert db.table("recordings").count_where("ended_by IS NOT NULL") == 2


def test_the_same_sound_for_two_texts_outlives_one_of_them(client_for: ClientFor) -> None:
    bob = client_for("bob")
    add(bob, "i25", ogg())
    add(bob, "i26", ogg())
    bob.post(f"{PAGE}/i25/remove")
    assert bob.get(f"/recordings/{listed(bob)['i26']['sha256']}").status_code == 200


def test_a_recording_never_plays_for_changed_words(
    client_for: ClientFor, services: Services
) -> None:
    """The text of i15 has the company's phone number in it."""
    bob = client_for("bob")
    key = next(
        key for key, item in services.guide.items.items()
        if "company.phone" in item.settings and f"{key}.explain" in services.guide.languages["ar"].texts
    )  # fmt: skip
    with services.databases.writing() as db:
        company.store_settings(db, {"company.phone": "021-00 00 00"})
    assert add(bob, key, ogg()) == 303
    before = listed(bob)[key]["facts"]
    assert isinstance(before, dict)
    assert before["company.phone"] == "021-00 00 00"
    with services.databases.writing() as db:
        company.store_settings(db, {"company.phone": "021-11 11 11"})
    assert listed(bob) == {}
    assert "has been changed since" in bob.get(PAGE).get_data(as_text=True)
    with services.databases.writing() as db:
        company.store_settings(db, {"company.phone": "021-00 00 00"})
    assert key in listed(bob)


def test_a_pull_names_the_languages_with_recordings(client_for: ClientFor) -> None:
    bob = client_for("bob")
    assert bob.get("/sync/pull").get_json()["recordings"] == {}
    add(bob, "i25", ogg(3))
    first = bob.get("/sync/pull").get_json()["recordings"]
    assert list(first) == ["ar"]
    add(bob, "i25", ogg(4))
    assert bob.get("/sync/pull").get_json()["recordings"]["ar"] != first["ar"]
    bob.post(f"{PAGE}/i25/remove")
    assert bob.get("/sync/pull").get_json()["recordings"] == {}


def test_a_text_that_each_visit_fills_in_cannot_be_recorded(client_for: ClientFor) -> None:
    bob = client_for("bob")
    assert add(bob, "K1", ogg()) == 404  # names its recipient
    assert add(bob, "K9", ogg()) == 303
    assert add(bob, "i99", ogg()) == 404
    assert add(bob, "i25", ogg(), "/desk/guide/xx/recordings") == 404


def test_the_length_of_an_ogg_file_is_read_from_its_last_page() -> None:
    assert sniff(ogg(61)) == ("audio/ogg", 61)
    assert sniff(ogg(0)) == ("audio/ogg", 0)
