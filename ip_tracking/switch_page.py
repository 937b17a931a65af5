"""The admin's page to switch the whole gate off, into shadow, or on again: for leads, for hours, with a reason."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from ip_tracking import conf
from ip_tracking.act_page import actor_of
from ip_tracking.gate import switch
from ip_tracking.models import GateSwitch
from ip_tracking.review.order import REASON_CHARS, NotPossible
from ip_tracking.review.roles import SWITCH
from ip_tracking.review.switch import MOST_HOURS, turn

MODES = (
    (GateSwitch.Mode.SHADOW.value, "Shadow: count, and refuse nobody"),
    (GateSwitch.Mode.OFF.value, "Off: count nothing, and refuse nobody"),
    (GateSwitch.Mode.ON.value, "On: as the setting says"),
)


class SwitchForm(forms.Form):
    """Which mode, for how long, and why. No mode is chosen before: a slip must not switch a shop's guard off."""

    mode = forms.ChoiceField(choices=MODES, widget=forms.RadioSelect)
    hours = forms.IntegerField(
        min_value=1,
        max_value=MOST_HOURS,
        initial=1,
        required=False,
        help_text=f"1 to {MOST_HOURS}; then what the setting says holds again. For On nothing is needed.",
    )
    reason = forms.CharField(
        min_length=REASON_CHARS.start,
        max_length=REASON_CHARS.stop - 1,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept with your name and the time.",
    )


def may_switch(request: HttpRequest) -> bool:
    return request.user.has_perm(f"ip_tracking.{SWITCH}")


def switch_page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """`context`: the admin's own."""
    if not may_switch(request):
        raise PermissionDenied
    now = datetime.now(UTC)
    form = SwitchForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            return _turn(request, form.cleaned_data, now)
        except NotPossible as error:
            form.add_error("hours", str(error))
    stands = switch.sentence(GateSwitch.objects.held(now))
    shown = {"title": "Switch the gate", "form": form, "stands": stands, "setting": conf.get().mode}
    return TemplateResponse(request, "ip_tracking/switch.html", {**context, **shown})


def _turn(request: HttpRequest, said: dict[str, Any], now: datetime) -> HttpResponse:
    turn(GateSwitch.Mode(said["mode"]), said["hours"], actor=actor_of(request), reason=said["reason"], now=now)
    told = switch.sentence(GateSwitch.objects.held(now))
    messages.success(request, f"{told}. Every process knows within two seconds.")
    return HttpResponseRedirect(reverse("admin:ip_tracking_gateswitch_changelist"))
