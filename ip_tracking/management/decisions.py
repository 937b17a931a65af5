"""What the commands about decisions share: who runs them, which networks they name, what to say when it cannot be."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.management.base import CommandError, CommandParser

from ip_tracking.review.actor import Actor
from ip_tracking.review.networks import read_network
from ip_tracking.review.order import NotPossible


def add_network_arguments(parser: CommandParser) -> None:
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help="an address or a CIDR")
    parser.add_argument("--from", dest="file", metavar="FILE", help="a file with one network on each line, # comments")
    parser.add_argument("--reason", required=True, help="why; kept with your name and the time")
    parser.add_argument("--actor", default=None, help="who decides (default: your user name here)")


def named_networks(networks: list[str], file: str | None) -> dict[str, str]:
    """Returns the networks of the command line and the file, each with where it stands, such as "bad.txt:3: ".

    Raises CommandError listing every line that is no network.
    """
    places = [("", text) for text in networks]
    if file is not None:
        places += [(f"{file}:{number}: ", text) for number, text in _lines(file)]
    if not places:
        raise CommandError("Name a network, or a file with --from.")
    found: dict[str, str] = {}
    wrong = []
    for place, text in places:
        try:
            found.setdefault(read_network(text), place)
        except NotPossible as error:
            wrong.append(f"{place}{error}")
    refuse_all(wrong)
    return found


def refuse_all(wrong: list[str]) -> None:
    """Raises CommandError with a line for each that cannot be, if there is any."""
    if wrong:
        raise CommandError("Nothing was done.\n" + "\n".join(wrong))


def actor(name: str | None) -> Actor:
    return Actor(id="", name=name or getpass.getuser(), via="command")


@contextmanager
def refusals_as_errors() -> Iterator[None]:
    try:
        yield
    except NotPossible as error:
        raise CommandError(str(error)) from error


def _lines(file: str) -> Iterator[tuple[int, str]]:
    try:
        text = Path(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(
            f"{file} cannot be read ({error}); name a text file with one network on each line"
        ) from error
    for number, line in enumerate(text.splitlines(), start=1):
        network = line.partition("#")[0].strip()
        if network:
            yield number, network
