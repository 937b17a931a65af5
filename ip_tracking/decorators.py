"""`@limited("name")`: puts policies on one view, plain or of REST framework, sync or async."""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import lru_cache, wraps
from typing import Any, TypeVar

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest

from ip_tracking.gate import limiter, passage
from ip_tracking.gate.plan import plan_named
from ip_tracking.refused import Refused
from ip_tracking.steps import adrive, drive
from ip_tracking.visit import current

View = TypeVar("View", bound=Callable[..., Any])

MARK = "limited_by"
FREE = "free_of_limits"
NO_MARKS: frozenset[str] = frozenset()
METHODS = ("get", "head", "post", "put", "patch", "delete", "options", "trace")

# The policies that any view names, wherever the mark stands: known once the URLconf has imported the views.
used: set[str] = set()


def limited(*names: str) -> Callable[[View], View]:
    """Counts each call of a view, or of a method of a class of views, under these policies.

    The door sees the mark where the route leads straight to the view, and counts it in the same round trip as all
    else. Where it stands deeper (behind another decorator, in a viewset's action) the call itself passes the gate.
    """

    used.update(names)

    def decorate(view: Any) -> Any:
        if iscoroutinefunction(view):

            @wraps(view)
            async def wrapper(*args: Any, **kwargs: Any) -> Any:
                await adrive(pass_gate(frozenset(names), _request(args), kwargs))
                return await view(*args, **kwargs)
        else:

            @wraps(view)
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                drive(pass_gate(frozenset(names), _request(args), kwargs))
                return view(*args, **kwargs)

        setattr(wrapper, MARK, frozenset(names) | getattr(view, MARK, NO_MARKS))
        return wrapper

    return decorate


def pass_gate(names: frozenset[str], request: HttpRequest, arguments: dict[str, Any]) -> Generator[Any, Any, None]:
    """Takes a place under those policies that the door did not ask already; raises Refused.

    Outside a request that came through the door (a test of the view alone) everybody passes.
    """
    visit = current.get()
    if visit is None or visit.exempt or names <= visit.policies:
        return
    plan = plan_named(names - visit.policies)
    ask = limiter.Ask(request=request, arguments=arguments)
    verdict = yield from passage.admit(visit, visit.user, plan, ask)
    if verdict.refused:
        raise Refused(verdict)
    visit.policies |= plan.policies
    visit.quotas += verdict.quotas


@lru_cache(maxsize=4_096)
def marks_of(view: Any, method: str) -> frozenset[str]:
    """Returns the policies that a resolved view names, itself or by its class' method."""
    found: frozenset[str] = getattr(view, MARK, NO_MARKS)
    of_class = getattr(view, "view_class", None) or getattr(view, "cls", None)
    name = (getattr(view, "actions", None) or {}).get(method.lower(), method.lower())
    return found | getattr(getattr(of_class, name, None), MARK, NO_MARKS)


def every_mark_of(view: Any) -> frozenset[str]:
    """Returns the policies that a view names for any method."""
    return frozenset().union(*(marks_of(view, method) for method in METHODS))


@lru_cache(maxsize=4_096)
def is_free(view: Any) -> bool:
    """Does a view, or its class, say `free_of_limits = True`? No policy counts it then; decisions still bind it."""
    of_class = getattr(view, "view_class", None) or getattr(view, "cls", None)
    return bool(getattr(view, FREE, False) or getattr(of_class, FREE, False))


def _request(args: tuple[Any, ...]) -> HttpRequest:
    """A view's first argument, a method's second; REST framework wraps Django's."""
    request = args[0] if hasattr(args[0], "META") else args[1]
    found: HttpRequest = getattr(request, "_request", request)
    return found
