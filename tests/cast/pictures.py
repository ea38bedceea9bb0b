"""Pictures as cameras and attackers make them, for the tests of blobs."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

from PIL import Image, PngImagePlugin

SECRETS = (b"SERIAL-4711", b"Test Testsson's phone", b"COMMENT-0815", b"XMP-0815", b"PROFILE-0815")
"""What `photo` hides in the file beside the pixels, apart from the position."""
POSITION = b"".join(struct.pack(">II", *part) for part in ((59, 1), (20, 1), (4321, 100)))
"""The latitude in `photo`, as EXIF writes it."""


def photo(
    width: int = 320, height: int = 240, *, orientation: int = 1, noise: bool = False
) -> bytes:
    """A JPEG as a phone's camera writes it, red in its upper left corner as the sensor saw it."""
    picture = Image.new("RGB", (width, height), "white")
    if noise:
        picture = Image.effect_noise((width, height), 90).convert("RGB")
    picture.paste("red", (0, 0, width // 2, height // 2))
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = SECRETS[1].decode()
    exif.get_ifd(0x8769)[0xA431] = SECRETS[0].decode()
    exif.get_ifd(0x8825).update({1: "N", 2: (59.0, 20.0, 43.21), 3: "E", 4: (18.0, 4.0, 5.0)})
    out = BytesIO()
    picture.save(
        out,
        "JPEG",
        exif=exif,
        comment=SECRETS[2],
        xmp=b"<x:xmpmeta>" + SECRETS[3] + b"</x:xmpmeta>",
        icc_profile=SECRETS[4] * 30,
    )
    return out.getvalue()


def drawn(format: str, width: int = 300, height: int = 200) -> bytes:
    """A plain picture in `format` with a text hidden beside the pixels where the format has room."""
    picture = Image.new("RGBA", (width, height), (0, 0, 255, 255))
    out = BytesIO()
    if format == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_text("Comment", SECRETS[2].decode())
        picture.save(out, "PNG", pnginfo=text)
    else:
        picture.convert("RGB").save(out, format, comment=SECRETS[2], xmp=SECRETS[3])
    return out.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A small PNG that unpacks to `width` × `height` white pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    packer = zlib.compressobj(9)
    line = b"\x00" + b"\xff" * (-(-width // 8))
    rows = b"".join(packer.compress(line) for _ in range(min(height, 2000))) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def pixel(picture: Image.Image, place: tuple[int, int]) -> tuple[int, int, int]:
    """Red, green and blue at `place`."""
    found = picture.convert("RGB").getpixel(place)
    assert isinstance(found, tuple)
    red, green, blue = (int(level) for level in found)
    return red, green, blue


def opened(octets: bytes) -> Image.Image:
    """The picture in `octets`, decoded whole."""
    picture = Image.open(BytesIO(octets))
    picture.load()
    return picture
