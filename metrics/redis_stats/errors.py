"""Why a Redis server gave no numbers, in words that tell a person what to do."""

from __future__ import annotations

import redis

# What asking a server may raise: redis-py lets the socket's errors through, and its own over what is no Redis' answer.
FAILURES = (redis.RedisError, OSError, ValueError, TypeError, AttributeError)


class BadAddress(ValueError):
    """No address of a Redis server. The text holds nothing of it: a password may be in there."""


class NoAnswer(Exception):
    """A server, or a whole cluster, gave no numbers; the text says why, for people."""


def reason(error: Exception) -> str:
    """Returns one line without control characters: a stranger may answer at that address."""
    said = "".join(character if character.isprintable() else "?" for character in str(error)[:200])
    return _SAYS.get(type(error), "{said}").format(said=said or type(error).__name__)


# The first two are of redis-py's ConnectionError too, so the exact class decides.
_SAYS: dict[type[Exception], str] = {
    redis.AuthenticationError: "it refuses the user or password of the address, or wants one: {said}",
    redis.exceptions.NoPermissionError: "{said}; what is needed: ACL SETUSER <user> +info +ping +cluster|slots",
    redis.BusyLoadingError: "it is still loading its data",
    redis.TimeoutError: "no answer in time: {said}",
    redis.ConnectionError: "it cannot be reached: {said}",
    redis.InvalidResponse: "what answers is not Redis: {said}",
    **dict.fromkeys((ValueError, UnicodeDecodeError, TypeError, AttributeError), "what answers is not Redis: {said}"),
}
