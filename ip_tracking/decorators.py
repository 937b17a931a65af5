"""`@limited("name")`: puts policies on one view, plain or of REST framework, sync or async."""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import wraps
from typing import Any, TypeVar

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.http import HttpRequest

from ip_tracking.gate import limiter, passage
from ip_tracking.gate.plan import plan_named
from ip_tracking.steps import drive
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
    else. Where it stands deeper (behind a decorator that hides it, under @api_view) the call itself passes the gate.
    """
    if not names or not all(isinstance(name, str) for name in names):
        raise TypeError('@limited takes the names of policies: write @limited("exports").')
    used.update(names)

    def decorate(view: Any) -> Any:
        if isinstance(view, type):
            raise TypeError(f"@limited marks views and methods: write limited_by = {list(names)} in {view.__name__}.")
        if iscoroutinefunction(view):

            @wraps(view)
            async def wrapper(*args: Any, **kwargs: Any) -> Any:
                if _is_ahead(frozenset(names)):
                    # In a thread: under WSGI each async view has an event loop of its own, and would open a connection.
                    await sync_to_async(drive)(pass_gate(frozenset(names), _request(args), kwargs))
                return await view(*args, **kwargs)
        else:

            @wraps(view)
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                drive(pass_gate(frozenset(names), _request(args), kwargs))
                return view(*args, **kwargs)

        setattr(wrapper, MARK, frozenset(names) | named_by(view))
        return wrapper

    return decorate


def pass_gate(names: frozenset[str], request: HttpRequest, arguments: dict[str, Any]) -> Generator[Any, Any, None]:
    """Takes a place under those policies that the door did not ask already; raises Refused.

    Outside a request that came through the door (a test of the view alone) everybody passes.
    """
    visit = current.get()
    if visit is None or not _is_ahead(names):
        return
    plan = plan_named(names - visit.policies, request.method or "")
    if not plan.policies:
        return
    ask = limiter.Ask(inside=True, request=request, arguments=arguments)
    verdict = yield from passage.admit(visit, visit.user, plan, ask)
    if verdict.refused:
        raise passage.refusal(visit, verdict)
    visit.policies |= plan.policies
    visit.quotas += verdict.quotas


def _is_ahead(names: frozenset[str]) -> bool:
    """Is there a policy among these that this request was not counted under?"""
    visit = current.get()
    return visit is not None and not visit.exempt and not names <= visit.policies


def marks_of(view: Any, method: str) -> frozenset[str]:
    """Returns the policies that a resolved view names: itself, by its class or by the class' method."""
    of_class = getattr(view, "view_class", None) or getattr(view, "cls", None)
    if of_class is None:
        return named_by(view)
    name = (getattr(view, "actions", None) or {}).get(method.lower(), method.lower())
    return named_by(view) | named_by(of_class) | named_by(getattr(of_class, name, None))


def named_by(marked: Any) -> frozenset[str]:
    """Returns what `limited_by` of a view, a class or a method says: names, or one name."""
    names = getattr(marked, MARK, None)
    if not names:
        return NO_MARKS
    return frozenset([names]) if isinstance(names, str) else frozenset(names)


def every_mark_of(view: Any) -> frozenset[str]:
    """Returns the policies that a view names for any method."""
    return frozenset().union(*(marks_of(view, method) for method in METHODS))


def is_free(view: Any) -> bool:
    """Does a view, or its class, say `free_of_limits = True`? No policy counts it then; decisions still bind it."""
    of_class = getattr(view, "view_class", None) or getattr(view, "cls", None)
    return bool(getattr(view, FREE, False) or getattr(of_class, FREE, False))


def _request(args: tuple[Any, ...]) -> HttpRequest:
    """A view's first argument, a method's second; REST framework wraps Django's."""
    request = args[0] if hasattr(args[0], "META") else args[1]
    found: HttpRequest = getattr(request, "_request", request)
    return found
