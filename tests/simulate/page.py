"""The part of docs/capacity.md that is printed."""

import pathlib

PAGE = pathlib.Path(__file__).parents[2] / "docs/capacity.md"
BEGIN, END = "<!-- what `make simulate` prints -->\n", "<!-- the end of that -->\n"


def read() -> str:
    """What stands there."""
    return PAGE.read_text().split(BEGIN)[1].split(END)[0]


def write(printed: str) -> None:
    """Puts this there."""
    before, rest = PAGE.read_text().split(BEGIN)
    PAGE.write_text(before + BEGIN + printed + END + rest.split(END)[1])
