"""Makes the pictures that show the project elsewhere: docs/images/explorer.gif, and the card.

    make site && .venv/bin/python -m tools.site_pictures

The picture in the README is the convolution explorer at work, as it is on the first page of the
site. The card is what a link to the site shows where it is shared.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from PIL import Image

from tools.lab import ROOT, chromium
from tools.site import HTML, served

MOVING = ROOT / "docs" / "images" / "explorer.gif"
CARD = ROOT / "docs" / "site" / "static" / "card.png"
CARD_SIZE = (1200, 630)
CARD_PAGE = """
<style>
  body { margin: 0; font-family: sans-serif; background: #10222e; color: #fff; }
  div { display: grid; grid-template-columns: 560px 1fr; gap: 50px; align-items: center;
        box-sizing: border-box; height: 630px; padding: 60px; }
  h1 { margin: 0 0 24px; font-size: 54px; line-height: 1.15; }
  p { margin: 0; font-size: 27px; line-height: 1.4; color: #bcd9ea; }
</style>
<div><section><h1>Convolutional networks and transfer learning</h1>
<p>A Jupyter course that computes every number it shows,
with an autograder that can be trusted.</p></section>SVG</div>
"""
CELL = 62
WINDOW = "#e69f00"


def _grid() -> str:
    """A 6×6 grid with a 3×3 window on it, as SVG."""
    cells = "".join(
        f'<rect x="{CELL * column}" y="{CELL * row}" width="{CELL - 4}" height="{CELL - 4}" '
        f'fill="{WINDOW if 1 <= row <= 3 and 2 <= column <= 4 else "#56b4e9"}"/>'
        for row in range(6)
        for column in range(6)
    )
    frame = f'x="{2 * CELL - 5}" y="{CELL - 5}" width="{3 * CELL + 6}" height="{3 * CELL + 6}"'
    return (
        f'<svg width="{6 * CELL + 10}" height="{6 * CELL + 10}">{cells}'
        f'<rect {frame} fill="none" stroke="#fff" stroke-width="6"/></svg>'
    )


def _moving(address: str, steps: int = 14) -> list[Image.Image]:
    """The explorer of the first page, step by step."""
    frames = []
    with chromium(width=900, height=900) as context:
        page = context.new_page()
        page.set_default_timeout(300_000)
        page.add_init_script("localStorage.mode = localStorage.theme = 'light'")
        page.goto(address)
        explorer = page.locator(".interactive[data-ready] .ce")
        explorer.locator("[data-preset='dilated']").click()
        for _ in range(steps):
            explorer.locator("[data-step='1']").click()
            page.evaluate(
                "() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))"
            )
            shot = explorer.screenshot(animations="disabled")
            frames.append(Image.open(io.BytesIO(shot)).convert("RGB"))
    return frames


def _card(path: Path) -> None:
    with chromium(width=CARD_SIZE[0], height=CARD_SIZE[1]) as context:
        page = context.new_page()
        page.set_content(CARD_PAGE.replace("SVG", _grid()))
        path.write_bytes(page.screenshot())


def main() -> int:
    """Make both pictures. Return 1 if there is no site yet."""
    if not (HTML / "index.html").exists():
        print("There is no site yet: run make site first.", file=sys.stderr)
        return 1
    _card(CARD)
    with served() as address:
        frames = _moving(address)
    small = [frame.quantize(48, dither=Image.Dither.NONE) for frame in frames]
    small[0].save(
        MOVING, save_all=True, append_images=small[1:], duration=700, loop=0, optimize=True
    )
    for path in (CARD, MOVING):
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
