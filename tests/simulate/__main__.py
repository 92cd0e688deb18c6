"""python3 tests/simulate [PEOPLE_A_DAY | --write]

Prints, as Markdown, what so many people a day (10,000,000 unless said) take of which resource, on an ordinary evening and when
something goes wrong, and which of them is the bottleneck. With --write it goes into docs/capacity.md. Needs Python and nothing
else, takes some seconds, and says the same every time.
"""

import sys

from assumptions import People, Rules
from page import write
from report import report

MOST = 100_000_000  # beyond which one database is no fleet's


def main(arguments: list[str]) -> None:
    """The command."""
    match arguments:
        case []:
            print(report(People(), Rules()), end="")
        case ["--write"]:
            write(report(People(), Rules()))
        case [text] if text.isdecimal() and 0 < (daily := int(text)) <= MOST:
            print(report(People(daily=daily), Rules()), end="")
        case _:
            sys.exit(f"usage: python3 tests/simulate [PEOPLE_A_DAY | --write], of {MOST:,} people at most")


if __name__ == "__main__":
    main(sys.argv[1:])
