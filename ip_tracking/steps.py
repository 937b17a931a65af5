"""Runs generators that yield what needs waiting, each with `run()` and `arun()`: sync and async differ here."""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from typing import Any, Protocol, TypeVar

Result = TypeVar("Result")


class Step(Protocol):
    def run(self) -> Any: ...

    def arun(self) -> Awaitable[Any]: ...


def drive(steps: Generator[Any, Any, Result]) -> Result:
    reply = None
    try:
        while True:
            reply = steps.send(reply).run()
    except StopIteration as done:
        result: Result = done.value
        return result


async def adrive(steps: Generator[Any, Any, Result]) -> Result:
    reply = None
    try:
        while True:
            reply = await steps.send(reply).arun()
    except StopIteration as done:
        result: Result = done.value
        return result
