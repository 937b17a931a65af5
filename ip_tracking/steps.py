"""Runs generators that yield what needs waiting, each with `run()` and `arun()`: sync and async differ here."""

from __future__ import annotations

import asyncio
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
            step = steps.send(reply)
            try:
                reply = step.run()
            except asyncio.CancelledError as left:  # in a thread that asgiref started: its event loop was told
                steps.throw(left)
    except StopIteration as done:
        result: Result = done.value
        return result


async def adrive(steps: Generator[Any, Any, Result]) -> Result:
    reply = None
    try:
        while True:
            step = steps.send(reply)
            try:
                reply = await step.arun()
            except asyncio.CancelledError as left:
                steps.throw(left)
    except StopIteration as done:
        result: Result = done.value
        return result
