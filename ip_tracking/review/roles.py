"""What each role of the review desk may do. A migration made the groups; here is what they are held to."""

from __future__ import annotations

VIEW, VIEW_DECISIONS, VIEW_AUDIT = "view_suspiciousip", "view_decision", "view_reviewaction"
REVIEW, BLOCK, EXPORT = "review_suspiciousip", "block_suspiciousip", "export_suspiciousip"
BLOCK_LONG, ALLOW, BULK = "block_long_suspiciousip", "allow_suspiciousip", "bulk_suspiciousip"
UNDO, SWITCH = "undo_suspiciousip", "switch_gate"

# Longer blocks, and more cases at once, are a lead's.
SHORT_BLOCK_HOURS = 7 * 24
FEW_CASES = 100

_VIEWER = (VIEW, VIEW_DECISIONS)
_ANALYST = (*_VIEWER, REVIEW, BLOCK, EXPORT, VIEW_AUDIT)

ROLES: dict[str, tuple[str, ...]] = {
    "Security viewer": _VIEWER,
    "Security analyst": _ANALYST,
    "Security lead": (*_ANALYST, BLOCK_LONG, ALLOW, BULK, UNDO, SWITCH),
}
