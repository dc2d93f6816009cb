"""JPEG files as cameras write them."""

import io

import numpy as np
from PIL import Image

PLACE = b"31.9519N 5.2783W Imilchil"


def photo(width: int = 640, height: int = 480, *, quality: int = 92, seed: int = 1) -> bytes:
    """With the place and the device in EXIF, a comment, and a second picture after its end."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 255, (height // 8, width // 8, 3), dtype=np.uint8))
    image = small.resize((width, height), Image.Resampling.BICUBIC)
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Telephone", "Model 7"
    exif[0x0112] = 6  # turned by a quarter
    exif.get_ifd(0x8825).update({1: "N", 2: (31.0, 57.0, 6.84), 3: "W", 4: (5.0, 16.0, 41.9)})
    exif.get_ifd(0x8769)[0x9286] = PLACE
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality, exif=exif, comment=PLACE, progressive=seed % 2 == 0)
    return file.getvalue() + b"MotionPhoto" + PLACE


def pixels(data: bytes) -> bytes:
    """As they are decoded, never turned."""
    return Image.open(io.BytesIO(data)).convert("RGB").tobytes()
