"""`{% load charts %}`: the charts of ip_tracking.review.charts in a template."""

from __future__ import annotations

from django import template

from ip_tracking.review import charts

register = template.Library()
register.simple_tag(charts.sparkline)
register.simple_tag(charts.timeline_svg, name="timeline")
