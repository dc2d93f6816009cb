"""Moving pictures that cost a camera's bits, for Chromium's file-fed capture.

Chromium's built-in test pattern compresses to some 190 kbit/s; a face before a real wall does not.
"""

from pathlib import Path

import numpy as np


def write_y4m(
    path: Path, width: int = 640, height: int = 360, fps: int = 30, seconds: int = 4
) -> Path:
    """A textured picture that pans with a brighter disc moving over it, as raw YUV4MPEG2 4:2:0.

    The loop closes without a jump: the pan covers a whole period of the texture. A path that
    exists already is taken as it is.
    """
    if path.exists():
        return path
    frames = fps * seconds
    rng = np.random.default_rng(20261124)
    coarse = rng.integers(40, 200, (height // 8, width // 8), dtype=np.uint8)
    texture = np.kron(coarse, np.ones((8, 8), np.uint8)).astype(np.int16)
    texture += rng.integers(-6, 7, texture.shape, dtype=np.int16)
    ys, xs = np.mgrid[0:height, 0:width]
    chroma = np.full((height // 2) * (width // 2), 128, np.uint8).tobytes()
    fresh = path.with_suffix(".part")
    with fresh.open("wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F{fps}:1 Ip A1:1 C420jpeg\n".encode())
        for number in range(frames):
            turn = number / frames
            luma = np.roll(texture, round(turn * width), axis=1)
            centre_x = width * (0.5 + 0.3 * np.sin(2 * np.pi * turn))
            disc = (xs - centre_x) ** 2 + (ys - height / 2) ** 2 < (height / 4) ** 2
            luma = np.clip(luma + np.where(disc, 45, 0), 0, 255).astype(np.uint8)
            file.write(b"FRAME\n" + luma.tobytes() + chroma + chroma)
    return fresh.replace(path)
