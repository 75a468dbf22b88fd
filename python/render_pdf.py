"""Turn SVG figures into PDFs of the same size with their text kept as text.

    render_pdf.py --fonts DIRECTORY A.svg A.pdf [B.svg B.pdf ...]

The SVG is the figure as Vega drew it with the shipped font, so that a PDF has the same line breaks and margins. Exit code 1
and one sentence on standard error if a figure cannot be drawn.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from pathlib import Path

import vl_convert

POINTS_PER_PIXEL = 72 / 96  # an SVG pixel is 1/96 in, a PDF unit 1/72 in


def in_points(svg: str) -> str:
    """The drawing with its outer width and height in PDF units; vl-convert takes a pixel for a point."""
    opening = re.search(r"<svg\b[^>]*>", svg)
    if opening is None:
        raise ValueError("it is not an SVG")
    root = opening.group()
    if "viewBox=" not in root:
        raise ValueError("its root has no viewBox")
    scaled = re.sub(r'(?<=\s)(width|height)="([\d.]+)(?:px)?"', lambda m: f'{m[1]}="{float(m[2]) * POINTS_PER_PIXEL:g}"', root)
    return svg.replace(root, scaled, 1)


def with_quoted_families(svg: str) -> str:
    """Font families in quotes: a name such as Source Sans 3 is no CSS identifier, and its text would be dropped without a word."""

    def quoted(match: re.Match[str]) -> str:
        names = [name.strip() for name in match[1].split(",")]
        return 'font-family="' + ", ".join(f"'{name}'" if re.search(r"\s\d", name) and name[0] != "'" else name for name in names) + '"'

    return re.sub(r'font-family="([^"]*)"', quoted, svg)


def draw(svg: str) -> bytes:
    pdf = vl_convert.svg_to_pdf(with_quoted_families(in_points(svg)))
    if "<text" in svg and b"/FontFile" not in pdf:
        raise ValueError("none of its fonts was found, so that its text would be missing")
    return pdf


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fonts", type=Path, action="append", default=[], help="folder of fonts; may be given again")
    parser.add_argument("files", nargs="+", type=Path, help="pairs of an SVG and the PDF to write")
    options = parser.parse_args()
    if len(options.files) % 2:
        parser.error("give pairs of an SVG and a PDF")
    for directory in options.fonts:
        vl_convert.register_font_directory(str(directory))
    for svg, pdf in zip(options.files[::2], options.files[1::2]):
        try:
            drawn = draw(svg.read_text(encoding="utf-8"))
            handle, temporary = tempfile.mkstemp(dir=pdf.parent, prefix=f".{pdf.name}.")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(drawn)
                os.chmod(temporary, 0o644)
                os.replace(temporary, pdf)
            except BaseException:
                os.unlink(temporary)
                raise
        except (OSError, ValueError, RuntimeError) as error:
            print(f"{svg}: {str(error).splitlines()[0]}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
