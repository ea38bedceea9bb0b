"""Pictures made harmless: decoded under limits, turned upright, made small, encoded anew.

Invariant: what comes out is a JPEG this module drew from pixels alone: no position, no serial
number, no comment, no profile, nothing hidden behind the last pixel. It refuses, with a code
and before the pixels are unpacked, pictures larger than PIXELS_MAX, and every file that does not
decode to its end. It never believes a name or a media type.
"""

from __future__ import annotations

import threading
from io import BytesIO

from PIL import Image, ImageOps

SIDE_MAX = 1600
"""Longest side of what is kept, in pixels: enough to see a crack, too little to read a paper."""
PIXELS_MAX = 50_000_000
"""The largest phone cameras make 50 million; a bomb of 12 MiB unpacks to a thousand times that."""
QUALITY = 80
_FORMATS = ("JPEG", "PNG", "WEBP")  # Pillow would otherwise try each of its forty decoders

# The check of the size below comes before any pixel. Pillow's own limit only warns up to twice its
# value, and it is one for the whole process.
Image.MAX_IMAGE_PIXELS = None
# One unpacked picture takes up to 200 MB; eight threads at once would take all there is.
_decoding = threading.Lock()


class PictureRefused(ValueError):
    """`code`: picture_too_large or picture_broken."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def clean(octets: bytes) -> bytes:
    """The picture in `octets` (JPEG, PNG or WebP) as a new JPEG of at most SIDE_MAX pixels a side.

    Of an animation the first frame. Raises PictureRefused; MemoryError is let through, because
    the same picture may be taken in later.
    """
    with _decoding:
        try:
            with Image.open(BytesIO(octets), formats=_FORMATS) as picture:
                if picture.width * picture.height > PIXELS_MAX:
                    raise PictureRefused("picture_too_large")
                return _drawn(picture)
        except (PictureRefused, MemoryError):
            raise
        except Exception as error:
            # A decoder fed with hostile bytes raises whatever it stumbles over.
            raise PictureRefused("picture_broken") from error


def _drawn(picture: Image.Image) -> bytes:
    # A JPEG can be decoded at a half or a quarter of its size: less memory, and far quicker.
    picture.draft("RGB", (SIDE_MAX, SIDE_MAX))
    mode = "RGBA" if picture.has_transparency_data else "RGB"
    small = picture if picture.mode == mode else picture.convert(mode)
    small.thumbnail((SIDE_MAX, SIDE_MAX), reducing_gap=2.0)
    seen = ImageOps.exif_transpose(small)
    # On a new canvas: `save` would write the comment that came with the old one.
    canvas = Image.new("RGB", seen.size, "white")
    canvas.paste(seen, mask=seen if mode == "RGBA" else None)
    out = BytesIO()
    canvas.save(out, "JPEG", quality=QUALITY, optimize=True, progressive=True)
    return out.getvalue()
