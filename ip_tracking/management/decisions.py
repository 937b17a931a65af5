"""What the commands about decisions share: who runs them, which networks they name, what to say when it cannot be."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.management.base import CommandError, CommandParser

from ip_tracking.review.actions import Actor, NotPossible
from ip_tracking.review.networks import read_network


def add_network_arguments(parser: CommandParser) -> None:
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help="an address or a CIDR")
    parser.add_argument("--from", dest="file", metavar="FILE", help="a file with one network on each line, # comments")
    parser.add_argument("--reason", required=True, help="why; kept with your name and the time")
    parser.add_argument("--actor", default=None, help="who decides (default: your user name here)")


def named_networks(networks: list[str], file: str | None) -> list[str]:
    """Returns the networks of the command line and the file; raises CommandError listing every one that is none."""
    places = [(text, text) for text in networks]
    if file is not None:
        places += [(f"{file}:{number}", text) for number, text in _lines(file)]
    if not places:
        raise CommandError("Name a network, or a file with --from.")
    found, wrong = [], []
    for place, text in places:
        try:
            found.append(read_network(text))
        except NotPossible as error:
            wrong.append(f"{place}: {error}" if place != text else str(error))
    if wrong:
        raise CommandError("Nothing was done.\n" + "\n".join(wrong))
    return found


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
