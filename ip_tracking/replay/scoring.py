"""How much of what is known about labelled logs the rules find: the engine of every replay, case by case."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import NamedTuple

from ip_tracking.replay.engine import Replay
from ip_tracking.replay.formats import Parse
from ip_tracking.replay.labelled import Case
from ip_tracking.replay.log_file import opened


class Named(NamedTuple):
    """An address of a case, as the case spells it."""

    case: str
    address: str


@dataclass(slots=True)
class Score:
    """What was found, in one case or in many."""

    attackers: int = 0
    benign: int = 0
    parsable: int = 0
    parsed: int = 0
    lines: int = 0
    missed: list[Named] = field(default_factory=list)  # attackers
    wrong: list[Named] = field(default_factory=list)  # benign, but flagged

    @property
    def found(self) -> int:
        return self.attackers - len(self.missed)

    def __add__(self, other: Score) -> Score:
        return Score(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(Score)))


def score(case: Case, parse: Parse) -> Score:
    """Raises UnreadableLog."""
    replay = Replay(parse=parse)
    with opened(str(case.log)) as log:
        replay.read(log.lines(), case.name)
    flagged = {suspect.network for suspect in replay.suspects() if suspect.is_flagged}
    parsable = case.parsable_lines or 0
    return Score(
        attackers=len(case.attackers),
        benign=len(case.benign),
        parsable=parsable,
        parsed=min(replay.parsed, parsable),  # what one case has above its number makes up for no other
        lines=replay.lines,
        missed=[Named(case.name, spelt) for source, spelt in case.attackers.items() if source.network not in flagged],
        wrong=[Named(case.name, spelt) for source, spelt in case.benign.items() if source.network in flagged],
    )
