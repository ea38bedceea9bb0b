"""Pictures made harmless: only what can be seen is kept, and hostile files are refused."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from pwa.blobs.pictures import PIXELS_MAX, SIDE_MAX, PictureRefused, clean
from tests.cast.pictures import POSITION, SECRETS, bomb, drawn, opened, photo, pixel


def code_of(octets: bytes) -> str:
    with pytest.raises(PictureRefused) as refused:
        clean(octets)
    return refused.value.code


def test_no_metadata_of_a_camera_is_kept() -> None:
    octets = photo(orientation=6)
    hidden = (*SECRETS, POSITION, b"Exif\x00\x00", b"ICC_PROFILE", b"xmpmeta", b"ns.adobe.com")
    assert all(one in octets for one in (*SECRETS, POSITION))
    kept = clean(octets)
    assert [one for one in hidden if one in kept] == []
    picture = opened(kept)
    assert dict(picture.getexif()) == {}
    assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "progressive", "progression"}  # fmt: skip


@pytest.mark.parametrize("format", ["PNG", "WEBP", "JPEG"])
def test_every_format_comes_out_as_a_jpeg_without_its_texts(format: str) -> None:
    kept = clean(drawn(format))
    picture = opened(kept)
    assert (picture.format, picture.size) == ("JPEG", (300, 200))
    assert [one for one in SECRETS if one in kept] == []
    red, green, blue = pixel(picture, (150, 100))
    assert max(red, green) < 8 < 247 < blue


@pytest.mark.parametrize(
    ("orientation", "corner"), [(1, (0, 0)), (2, (1, 0)), (3, (1, 1)), (6, (1, 0)), (8, (0, 1))]
)
def test_a_picture_is_turned_upright(orientation: int, corner: tuple[int, int]) -> None:
    picture = opened(clean(photo(orientation=orientation)))
    assert picture.size == ((240, 320) if orientation >= 5 else (320, 240))
    x, y = (int(size * (0.25 + 0.5 * at)) for size, at in zip(picture.size, corner, strict=True))
    red, green, _ = pixel(picture, (x, y))
    assert green < 20 < 240 < red


def test_a_large_picture_is_scaled_down_in_proportion() -> None:
    assert opened(clean(photo(4000, 3000))).size == (SIDE_MAX, 1200)
    assert opened(clean(drawn("PNG", 10, 4000))).size == (4, SIDE_MAX)


def test_transparency_becomes_white() -> None:
    out = BytesIO()
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(out, "PNG")
    assert opened(clean(out.getvalue())).getpixel((10, 10)) == (255, 255, 255)


@pytest.mark.parametrize("size", [(60_000, 60_000), (PIXELS_MAX + 8, 1)])
def test_a_decompression_bomb_is_refused_before_it_is_unpacked(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unpacked(picture: Image.Image) -> None:
        raise AssertionError(f"{picture.size} was unpacked")

    octets = bomb(*size)
    assert len(octets) < 100_000
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", unpacked)
    assert code_of(octets) == "picture_too_large"


@pytest.mark.parametrize("format", ["PNG", "WEBP", "JPEG"])
def test_a_truncated_picture_is_refused(format: str) -> None:
    octets = photo() if format == "JPEG" else drawn(format)
    assert code_of(octets[: len(octets) * 2 // 3]) == "picture_broken"


@pytest.mark.parametrize(
    "octets",
    [
        b"\xff\xd8\xff" + b"\x00" * 5000,
        b"\x89PNG\r\n\x1a\n" + bytes(5000),
        b"RIFF\x00\x00\x00\x00WEBPVP8 ",
        b"%PDF-1.7\n%\xff\xd8\xff",
        b"<html><script>x</script>",
        b"GIF89a\x01\x00\x01\x00\x00\x00\x00;",
        b"",
    ],
)
def test_what_only_looks_like_a_picture_is_refused(octets: bytes) -> None:
    assert code_of(octets) == "picture_broken"


def test_data_behind_the_pixels_is_dropped() -> None:
    for octets in (photo(), drawn("PNG")):
        kept = clean(octets + b"<script>alert(1)</script>PK\x03\x04")
        assert [one for one in (b"<script", b"PK\x03\x04") if one in kept] == []
