"""What is kept: the request log, the cases, the decisions, the reviews."""

from ip_tracking.models.cases import CaseFinding, SuspiciousIP
from ip_tracking.models.decisions import Decision
from ip_tracking.models.headers import HeaderHour
from ip_tracking.models.log import Batch, RequestLog, SweepMark
from ip_tracking.models.policies import PolicyHour
from ip_tracking.models.review import ReviewAction, ReviewText
from ip_tracking.models.switch import GateSwitch

__all__ = [
    "Batch",
    "CaseFinding",
    "Decision",
    "GateSwitch",
    "HeaderHour",
    "PolicyHour",
    "RequestLog",
    "ReviewAction",
    "ReviewText",
    "SuspiciousIP",
    "SweepMark",
]
