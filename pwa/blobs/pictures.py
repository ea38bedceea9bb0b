"""Pictures made harmless: decoded within limits, turned upright, made smaller, encoded anew.

Invariant: the result is a JPEG made from pixels alone: no position, serial number, comment or colour
profile, and nothing behind the last pixel. Pictures larger than PIXELS_MAX are refused before their
pixels are unpacked, and so is every file that does not decode to its end. File names and declared
media types are ignored.
"""

from __future__ import annotations

import threading
from io import BytesIO

from PIL import Image, ImageOps

SIDE_MAX = 1600
"""Longest side of what is kept, in pixels: enough to see a crack, too little to read a document."""
PIXELS_MAX = 50_000_000
"""The largest phone cameras have 50 million; a decompression bomb of 12 MiB holds a thousand times that."""
QUALITY = 80
_FORMATS = ("JPEG", "PNG", "WEBP")  # otherwise Pillow would try each of its forty decoders

# `clean` checks the size before it reads any pixel. Pillow's own limit only warns up to twice its
# value, and holds for the whole process.
Image.MAX_IMAGE_PIXELS = None
# An unpacked picture takes up to 200 MB: eight threads at once would use up the memory.
_decoding = threading.Lock()


class PictureRefused(ValueError):
    """`code`: picture_too_large or picture_broken."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def clean(octets: bytes) -> bytes:
    """The picture in `octets` (JPEG, PNG or WebP) as a new JPEG of at most SIDE_MAX pixels a side.

    Of an animation the first frame. Raises PictureRefused; MemoryError is passed on, because a
    retry of the same picture may succeed.
    """
    with _decoding:
        try:
            with Image.open(BytesIO(octets), formats=_FORMATS) as picture:
                if picture.width * picture.height > PIXELS_MAX:
                    raise PictureRefused("picture_too_large")
                return _redraw(picture)
        except (PictureRefused, MemoryError):
            raise
        except Exception as error:
            # A decoder may raise anything for hostile bytes.
            raise PictureRefused("picture_broken") from error


def _redraw(picture: Image.Image) -> bytes:
    # A JPEG can be decoded at a half or a quarter of its size: less memory, and much faster.
    picture.draft("RGB", (SIDE_MAX, SIDE_MAX))
    mode = "RGBA" if picture.has_transparency_data else "RGB"
    small = picture if picture.mode == mode else picture.convert(mode)
    small.thumbnail((SIDE_MAX, SIDE_MAX), reducing_gap=2.0)
    upright = ImageOps.exif_transpose(small)
    # On a new canvas: `save` would write the comment of the picture that was sent.
    canvas = Image.new("RGB", upright.size, "white")
    canvas.paste(upright, mask=upright if mode == "RGBA" else None)
    out = BytesIO()
    canvas.save(out, "JPEG", quality=QUALITY, optimize=True, progressive=True)
    return out.getvalue()
