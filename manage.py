#!/usr/bin/env python
"""Django's command line for Sentinel."""

import os
import secrets
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

# These read logs and sign nothing: somebody who only wants to know about a log needs no secret of their own.
SIGN_NOTHING = ("analyze_log", "evaluate_detection")

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sentinel.settings")
    if "".join(sys.argv[1:2]) in SIGN_NOTHING:
        os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(50))
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(str(error))  # it names the setting; a traceback would hide that
