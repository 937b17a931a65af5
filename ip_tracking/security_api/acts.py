"""Doing: one action on one case, one on several, and taking a batch back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import ClassVar
from uuid import UUID

from django.utils.http import parse_etags
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from ip_tracking.models import ReviewAction
from ip_tracking.review.actions import apply
from ip_tracking.review.order import Action, NotPossible
from ip_tracking.review.rails import PERMISSIONS, Refused
from ip_tracking.review.roles import REVIEW
from ip_tracking.review.undo import undo
from ip_tracking.security_api import examples
from ip_tracking.security_api.access import SecurityView
from ip_tracking.security_api.cases import case_with, etag
from ip_tracking.security_api.orders import BODIES, BulkSerializer
from ip_tracking.security_api.problem import Problem, problems
from ip_tracking.security_api.shapes import ActedSerializer, ResultSerializer, result_shown

ANY = "*"

IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    required=True,
    description='The case\'s `ETag` as you saw it, such as `"3"`; `*` for whatever it is by now.',
)


class ActView(SecurityView):
    """One action on one case; each of those below names its own."""

    action: ClassVar[Action]

    def post(self, request: Request, pk: int) -> Response:
        self.actor.require(*PERMISSIONS.get(self.action, (REVIEW, "review cases")))
        seen = _version_seen(request)
        body = BODIES[self.action](data=request.data)
        body.is_valid(raise_exception=True)
        order, now = body.order(self.action, self.actor.id), datetime.now(UTC)
        result = apply(order, {pk: seen}, actor=self.actor, now=now)
        if result.refused:
            raise _refusal(result.refused[0])
        case = case_with(pk)
        shown = ActedSerializer({"batch": result.batch, "case": case}).data
        return Response(shown, headers={"ETag": etag(case.version)})


def _version_seen(request: Request) -> int | None:
    """Returns the one version that If-Match names, None for any."""
    given = request.headers.get("If-Match", "")
    tags = parse_etags(given)
    if not given.strip():
        raise Problem(
            HTTPStatus.PRECONDITION_REQUIRED,
            "version-required",
            "Version required",
            "Say in If-Match which version of the case you saw: its ETag, or * for whatever it is by now.",
        )
    if tags == [ANY]:
        return None
    number = tags[0].strip('"') if len(tags) == 1 else ""
    # What was no ETag of ours matches no version, as a weak one does.
    return int(number) if number.isascii() and number.isdigit() and len(number) < 19 else -1


def _refusal(refused: Refused) -> Problem:
    if refused.stale:
        version = refused.case.version
        return Problem(HTTPStatus.PRECONDITION_FAILED, "changed", "Changed meanwhile", refused.why, version=version)
    return Problem(HTTPStatus.CONFLICT, "not-done", "Left as it is", refused.why)


def _described(action: Action, summary: str, description: str) -> Callable[[type[ActView]], type[ActView]]:
    """Tells the OpenAPI document of a view's one action and its body."""
    described: Callable[[type[ActView]], type[ActView]] = extend_schema_view(
        post=extend_schema(
            operation_id=f"security_case_{action}",
            summary=summary,
            description=description,
            parameters=[IF_MATCH],
            request=BODIES[action],
            responses={200: ActedSerializer, **problems(400, 404, 409, 412, 428)},
            examples=examples.act(action),
        )
    )
    return described


@_described(Action.ASSIGN, "Assign", "Gives the case to somebody who may review, or back.")
class AssignView(ActView):
    action = Action.ASSIGN


@_described(Action.COMMENT, "Comment", "Changes nothing else; it cannot be undone.")
class CommentView(ActView):
    action = Action.COMMENT


@_described(Action.SNOOZE, "Snooze", "Until a time, until it gets worse, or whichever comes first.")
class SnoozeView(ActView):
    action = Action.SNOOZE


@_described(Action.REOPEN, "Reopen", "Nothing of the verdict stays.")
class ReopenView(ActView):
    action = Action.REOPEN


@_described(Action.JUDGE, "Judge", "Closes the case. What stands against the network stays.")
class JudgeView(ActView):
    action = Action.JUDGE


@_described(Action.BLOCK, "Block", "For up to 7 days with block_suspiciousip, longer with block_long_suspiciousip.")
class BlockView(ActView):
    action = Action.BLOCK


@_described(Action.UNBLOCK, "Unblock", "Ends a block, a throttle or an allow.")
class UnblockView(ActView):
    action = Action.UNBLOCK


@_described(Action.ALLOW, "Allow-list", "Ends what stands against the network and lets it pass.")
class AllowView(ActView):
    action = Action.ALLOW


class BulkView(SecurityView):
    @extend_schema(
        operation_id="security_cases_bulk",
        summary="One action on several cases",
        description="Done as one batch. Each case that is not done says why, and the others are done all the same: the "
        "answer is 200 even where none was. More than a hundred take bulk_suspiciousip.",
        request=BulkSerializer,
        responses={200: ResultSerializer, **problems(400)},
        examples=examples.BULK,
    )
    def post(self, request: Request) -> Response:
        bulk = BulkSerializer(data=request.data)
        bulk.is_valid(raise_exception=True)
        asked = bulk.validated_data
        action = Action(asked["action"])
        self.actor.require(*PERMISSIONS.get(action, (REVIEW, "review cases")))
        body = BODIES[action](data=request.data)
        body.is_valid(raise_exception=True)
        versions = {case["id"]: case["version"] for case in asked["cases"]}
        order, dry_run = body.order(action, self.actor.id), asked["dry_run"]
        result = apply(order, versions, actor=self.actor, now=datetime.now(UTC), dry_run=dry_run)
        met = {case.pk for case in result.done} | {one.case.pk for one in result.refused}
        unknown = tuple(pk for pk in versions if pk not in met)
        return Response(result_shown(result, dry_run=dry_run, unknown=unknown))


class UndoView(SecurityView):
    @extend_schema(
        operation_id="security_batch_undo",
        summary="Take a batch back",
        description="Within ten minutes. Cases that somebody changed since are left as they are. Another's batch takes "
        "undo_suspiciousip.",
        request=None,
        responses={200: ResultSerializer, **problems(404, 409)},
        examples=examples.UNDO,
    )
    def post(self, request: Request, batch: UUID) -> Response:
        self.actor.require(REVIEW, "undo")
        if not ReviewAction.objects.filter(batch=batch).exclude(case_id=None).exists():
            raise NotFound("There is no such batch.")
        try:
            result = undo(batch, actor=self.actor, now=datetime.now(UTC))
        except NotPossible as error:
            raise Problem(HTTPStatus.CONFLICT, "not-undone", "Not undone", str(error)) from error
        return Response(result_shown(result))
