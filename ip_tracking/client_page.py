"""The admin's page about who is calling: this very request step by step, and how any one address stands."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.http import HttpRequest
from django.template.response import TemplateResponse

from ip_tracking import identity_checks
from ip_tracking.review.derivation import derivation
from ip_tracking.review.order import NotPossible
from ip_tracking.review.standing import read_client, standing
from ip_tracking.visible import visible


class AddressForm(forms.Form):
    """An address to look at, in place of the viewer's own."""

    address = forms.CharField(max_length=64, help_text="Such as 203.0.113.7 or 2001:db8::7, which stands for its /64.")

    def clean_address(self) -> str:
        try:
            return read_client(self.cleaned_data["address"])
        except NotPossible as error:
            raise forms.ValidationError(str(error)) from error


def client_page(request: HttpRequest, context: dict[str, Any]) -> TemplateResponse:
    """`context`: the admin's own. Who may look was asked before."""
    now = datetime.now(UTC)
    typed = request.GET.get("address")
    form = AddressForm(None if typed is None else {"address": visible(typed)})
    seen = derivation(request)
    asked = form.is_valid()
    return TemplateResponse(
        request,
        "ip_tracking/client.html",
        context
        | {
            "title": "Who is calling?",
            "form": form,
            "derivation": seen,
            "standing": standing(form.cleaned_data["address"] if asked else seen.network, now),
            "asked": asked,
            "warnings": identity_checks.found(now),
        },
    )
