"""Who decides, and what they may."""

from __future__ import annotations

from dataclasses import dataclass


class NotAllowed(PermissionError):
    """The actor may not do this; the text says which permission it takes."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who decides, from where, through what."""

    id: str
    name: str
    network: str = ""
    via: str = "admin"
    request_id: str = ""
    # Codenames of ip_tracking. None: everything, for whoever has a shell on this machine.
    permissions: frozenset[str] | None = None

    def may(self, permission: str) -> bool:
        return self.permissions is None or permission in self.permissions

    def require(self, permission: str, to_do_what: str) -> None:
        if not self.may(permission):
            raise NotAllowed(f"To {to_do_what} takes the permission ip_tracking.{permission}.")
