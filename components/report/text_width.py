"""How wide a text will be, for boxes that are drawn before a browser has chosen the font.

The widths are those of DejaVu Sans, which with Verdana is the widest of the sans-serif fonts that systems come with: in
another font a text is narrower, and still fits.
"""

_WIDTHS = {  # of an em
    0.30: "'ijlIJ",
    0.36: " ,.-/:;\\|f",
    0.42: "()[]t!r",
    0.50: '"*_`sz',
    0.56: "?cL",
    0.60: "FkvxyP",
    0.64: "TYaoeESbdghnpqu$0123456789{}",
    0.70: "KAVBRXZC",
    0.78: "UHNDG&OQ",
    0.86: "w#+<=>^~M",
    1.00: "%mW@",
}
_EM = {character: width for width, characters in _WIDTHS.items() for character in characters}


def text_width(text: str, size: float) -> float:
    """Return the width of a line of text that it will not exceed, in the unit of the font's size."""
    return size * sum(_EM.get(character, 1.0) for character in text)
