#!/usr/bin/env python
"""Django's command line for Sentinel."""

import os
import secrets
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

# Reads a log and signs nothing: somebody who only wants to know about a log needs no secret of their own.
SIGNS_NOTHING = ["analyze_log"]

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sentinel.settings")
    if sys.argv[1:2] == SIGNS_NOTHING:
        os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(50))
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(str(error))  # it names the setting; a traceback would hide that
