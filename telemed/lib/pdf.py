"""Documents on paper: the same words, dates and calm as the pages, in either direction.

Text is shaped by HarfBuzz, so Arabic letters join and marks stand where they belong; Latin and
Arabic fonts come from installed packages and fall back on each other inside one line.
Drawing takes some 0.2 s of pure Python: it is a task's work, never a request's.
"""

import os
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

import fontpkg
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont
from fpdf import FPDF
from fpdf.enums import Align, XPos, YPos

from telemed.lib import formats

_LATIN, _ARABIC = "latin", "arabic"
_WEIGHTS = {"": 400, "B": 650}
_INK, _SOFT, _ACCENT, _LINE = (30, 41, 43), (92, 103, 105), (18, 108, 92), (219, 214, 207)
_MARGIN_MM = 20.0
_BODY_PT, _SMALL_PT, _HEADING_PT, _TITLE_PT = 11, 9, 13, 20
_STAR = (
    (13.5, 0), (9.55, 3.95), (9.55, 9.55), (3.95, 9.55), (0, 13.5), (-3.95, 9.55), (-9.55, 9.55),
    (-9.55, 3.95), (-13.5, 0), (-9.55, -3.95), (-9.55, -9.55), (-3.95, -9.55), (0, -13.5),
    (3.95, -9.55), (9.55, -9.55), (9.55, -3.95),
)  # fmt: skip


class Document(FPDF):
    """One A4 document in one language, written from the top down.

    ``made_at`` is printed nowhere: it is the file's creation date, so that the same content gives
    the same bytes.
    """

    def __init__(self, language: str, title: str, *, reference: str, made_at: datetime) -> None:
        super().__init__(format="A4")
        self.language = language
        self.reference = reference
        self._mirrored = formats.is_mirrored(language)
        self._start = Align.R if self._mirrored else Align.L
        self._add_fonts()
        self.set_margin(_MARGIN_MM)
        self.c_margin = 0
        self.set_auto_page_break(auto=True, margin=_MARGIN_MM + 5)
        self.set_title(title)
        self.set_lang(language)
        self.set_creator("Telemed")
        self.set_creation_date(made_at)
        self.add_page()
        self._text(title, _TITLE_PT, "B")
        self.ln(3)

    def _add_fonts(self) -> None:
        for family, name in ((_LATIN, "noto-sans"), (_ARABIC, "noto-sans-arabic")):
            for style, weight in _WEIGHTS.items():
                self.add_font(family, style, _font_file(name, weight))
        self.set_fallback_fonts([_ARABIC if not self._mirrored else _LATIN], exact_match=True)
        self._family = _ARABIC if self._mirrored else _LATIN
        self.set_text_shaping(use_shaping_engine=True, direction="rtl" if self._mirrored else "ltr")

    def header(self) -> None:
        """The mark and the name; fpdf2 calls it for each page."""
        centre = self.w - _MARGIN_MM - 4 if self._mirrored else _MARGIN_MM + 4
        self.set_draw_color(*_ACCENT)
        self.set_fill_color(*_ACCENT)
        self.set_line_width(0.45)
        self.polygon([(centre + x * 0.28, 14 + y * 0.28) for x, y in _STAR], style="D")
        self.ellipse(centre - 0.9, 13.1, 1.8, 1.8, style="F")
        self.set_xy(_MARGIN_MM, 10.5)
        self.set_font(_LATIN, "B", 12)
        self.set_text_color(*_INK)
        inset = 10.0
        self.set_x(_MARGIN_MM if self._mirrored else _MARGIN_MM + inset)
        self.cell(self.epw - inset, 7, "Telemed", align=self._start)
        self.set_xy(_MARGIN_MM, 26)

    def footer(self) -> None:
        """Reference and page number; fpdf2 calls it for each page."""
        self.set_y(-15)
        with translation.override(self.language):
            words = gettext("Reference %(reference)s · page %(page)s of %(pages)s") % {
                "reference": self.reference,
                "page": self.page_no(),
                "pages": "{nb}",
            }
        self.set_font(self._family, "", _SMALL_PT)
        self.set_text_color(*_SOFT)
        self.cell(0, 5, words, align=Align.C)

    def section(self, heading: str) -> None:
        self.ln(3)
        self._text(heading, _HEADING_PT, "B", colour=_ACCENT)
        self._rule()

    def paragraph(self, text: str) -> None:
        """Line breaks in the text are kept."""
        self._text(text, _BODY_PT)
        self.ln(1.5)

    def small(self, text: str) -> None:
        self._text(text, _SMALL_PT, colour=_SOFT)

    def facts(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Terms on the starting side, their values beside them."""
        term_width, gap = self.epw * 0.32, 4.0
        for term, value in pairs:
            top = self.get_y()
            value_x = _MARGIN_MM if self._mirrored else _MARGIN_MM + term_width + gap
            term_x = self.w - _MARGIN_MM - term_width if self._mirrored else _MARGIN_MM
            bottom = self._column(term, term_x, top, term_width, _SOFT)
            bottom = max(bottom, self._column(value, value_x, top, self.epw - term_width - gap))
            self.set_xy(_MARGIN_MM, bottom + 1)

    def listing(self, items: Sequence[str]) -> None:
        for item in items:
            self._text(f"•  {item}", _BODY_PT)

    def as_bytes(self) -> bytes:
        return bytes(self.output())

    def _column(
        self, text: str, x: float, y: float, width: float, colour: tuple[int, int, int] = _INK
    ) -> float:
        self.set_xy(x, y)
        self._write(text, _BODY_PT, "", colour, width)
        return self.get_y()

    def _text(
        self, text: str, size: int, style: str = "", colour: tuple[int, int, int] = _INK
    ) -> None:
        self.set_x(_MARGIN_MM)
        self._write(text, size, style, colour, self.epw)

    def _write(
        self, text: str, size: int, style: str, colour: tuple[int, int, int], width: float
    ) -> None:
        self.set_font(self._family, style, size)
        self.set_text_color(*colour)
        self.multi_cell(
            width, size * 0.56, text, align=self._start, new_x=XPos.LMARGIN, new_y=YPos.NEXT
        )

    def _rule(self) -> None:
        self.set_draw_color(*_LINE)
        self.set_line_width(0.2)
        y = self.get_y() + 0.8
        self.line(_MARGIN_MM, y, self.w - _MARGIN_MM, y)
        self.ln(3)


def _font_file(family: str, weight: int) -> Path:
    """One weight cut out of the variable font: seconds of work, kept in VAR_DIR/fonts."""
    version = fontpkg.families()[family].version
    kept: Path = settings.VAR_DIR / "fonts" / f"{family}-{version}-{weight}.ttf"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        font = instantiateVariableFont(
            TTFont(fontpkg.path(family)), {"wght": weight, "wdth": 100}, inplace=True
        )
        # Two workers may cut at once: each writes its own file, the last one stays.
        fresh = kept.with_suffix(f".{os.getpid()}")
        font.save(fresh)
        fresh.replace(kept)
    return kept
