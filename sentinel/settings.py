"""How Sentinel is wired. The only place that reads the environment; `.env.example` lists each variable."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import environ
import pymysql
from corsheaders.defaults import default_headers
from django.core.exceptions import ImproperlyConfigured

from ip_tracking import schedule

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
# `make run` and the tests set ENV_FILE to nothing: what was meant for another installation must not reach them.
if env.str("ENV_FILE", ".env"):
    env.read_env(BASE_DIR / env.str("ENV_FILE", ".env"))

TRUE, FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    """Returns the variable, refusing by name a value that is none of the allowed ones."""
    value: str = env.str(name, default)
    if value not in allowed:
        raise ImproperlyConfigured(f"{name}={value!r} is not one of {', '.join(allowed)}.")
    return value


def flag(name: str, default: bool) -> bool:
    """Returns whether the variable says yes. django-environ would read any unknown word as no."""
    value: str = env.str(name, "").lower()
    if value and value not in TRUE + FALSE:
        raise ImproperlyConfigured(f"{name}={value!r} is not one of {', '.join(TRUE + FALSE)}.")
    return value in TRUE if value else default


def days(name: str, default: int) -> int:
    """Returns a number of days; which ones make sense, IP_TRACKING's own check says."""
    value: str = env.str(name, "")
    if value and not (value.isascii() and value.isdigit()):
        raise ImproperlyConfigured(f"{name}={value!r} is not a number of days.")
    return int(value) if value else default


def megabytes(name: str, default: int) -> int:
    """Returns a number of MiB as bytes."""
    value: str = env.str(name, "")
    if value and not (value.isascii() and value.isdigit() and 0 < int(value) <= 1024):
        raise ImproperlyConfigured(f"{name}={value!r} is not a number of MiB from 1 to 1024.")
    return int(value or default) * 2**20


def address(name: str, default: str, schemes: tuple[str, ...]) -> str:
    """Returns a URL, refusing by name one of another scheme. The value is not shown: it may hold a password."""
    value: str = env.str(name, "") or default
    if not value.startswith(tuple(f"{scheme}://" for scheme in schemes)):
        raise ImproperlyConfigured(f"{name} is not a URL that begins with {', '.join(f'{s}://' for s in schemes)}.")
    try:
        hosts = urlsplit(value).netloc.rpartition("@")[2].split(",")  # a cluster's URL names several nodes
        _ = value == IN_MEMORY or [urlsplit(f"//{host}").port for host in hosts]
    except ValueError:
        raise ImproperlyConfigured(
            f"{name} is not a URL: its port must be a number, and a password's special characters percent-encoded."
        ) from None
    return value


def watched_servers() -> list[str]:
    """Returns METRICS_REDIS_URLS: commas stand between addresses, and within a cluster's between its nodes."""
    urls: list[str] = []
    for part in env.list("METRICS_REDIS_URLS", default=[REDIS_URL]):
        if urls and "://" not in part and "+cluster://" in urls[-1]:
            urls[-1] += f",{part}"
        else:
            urls.append(part)
    return urls


def secret_key() -> str:
    key: str = env.str("SECRET_KEY", "")
    if not key and not DEBUG:
        raise ImproperlyConfigured("SECRET_KEY is not set: give a random string of 50 characters or more.")
    return key or "insecure-development-key-" + "0" * 40


def database() -> dict[str, Any]:
    """Returns Django's settings for DATABASE_URL."""
    url = address("DATABASE_URL", f"sqlite:///{quote(str(VAR_DIR / 'sentinel.sqlite3'))}", DATABASE_SCHEMES)
    return dict(env.db_url_config(url))


IN_MEMORY = "sqlite://:memory:"  # what django-environ takes for it, though a URL has no such port
DATABASE_SCHEMES = ("postgres", "postgresql", "mysql", "sqlite")
REDIS_SCHEMES = ("redis", "rediss", "unix")
STORE_SCHEMES = (*REDIS_SCHEMES, "redis+cluster", "rediss+cluster")
MAIL_SCHEMES = ("smtp", "smtp+tls", "smtp+ssl", "consolemail")
BROKER_SCHEMES = ("amqp", "amqps", "redis", "rediss", "redis+socket")


# Django

DEBUG = flag("DEBUG", default=False)
# Everything an installation on one machine writes: database, spool, collected static files.
VAR_DIR = Path(env.str("VAR_DIR", "") or BASE_DIR / "var").absolute()
SECRET_KEY = secret_key()
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
ROOT_URLCONF = "sentinel.urls"
WSGI_APPLICATION = "sentinel.wsgi.application"
ASGI_APPLICATION = "sentinel.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
USE_TZ = True
TIME_ZONE = "UTC"

INSTALLED_APPS = [
    "sentinel",  # first: its templates stand before those of the same name
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework_simplejwt.token_blacklist",
    "django_celery_beat",
    "django_ratelimit",
    "shop.accounts",
    "shop.catalogue",
    "shop.orders",
    "shop.imports",
    "shop.failures",
    "shop.graphql",
    "ip_tracking",
    "metrics",
]

MIDDLEWARE = [
    "metrics.middleware.MetricsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "ip_tracking.middleware.SentinelMiddleware",
    "sentinel.csp.ContentSecurityPolicyMiddleware",
    "sentinel.lengths.length_required",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

STATIC_URL = "static/"
STATIC_ROOT = env.path("STATIC_ROOT", default=str(VAR_DIR / "static"))

# Behind TLS: on unless said otherwise; `make run` speaks plain HTTP on the loopback.
HTTPS = flag("HTTPS", default=not DEBUG)
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
# Only nginx, the trusted proxy of docker-compose.yml, may say that the client spoke TLS.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if flag("BEHIND_TLS_PROXY", default=False) else None
X_FRAME_OPTIONS = "DENY"
# Nothing but our own files, and nothing written into a page: what an attacker sent is shown there (sentinel/csp.py).
SECURE_CSP = {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'"],
    "connect-src": ["'self'"],
    "form-action": ["'self'"],
    "base-uri": ["'none'"],
    "frame-ancestors": ["'none'"],
}

# Who is who

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "ip_tracking.auth.GateBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
# Argon2 for new hashes; the others are read, and replaced when their owner signs in.
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
# The links of new accounts and of forgotten passwords: a mail may be found the next morning.
PASSWORD_RESET_TIMEOUT = 86_400
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticatedOrReadOnly"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["shop.parsers.BoundedJSONParser"],
    "EXCEPTION_HANDLER": "shop.errors.render_problem",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=7),
    # shop/accounts/sessions.py renews by these rules itself; the API's description reads them.
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    # A changed password ends every token. What they carry for it is a digest of the salted hash, not of the password.
    "CHECK_REVOKE_TOKEN": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Shop API",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # No picture from validator.swagger.io, which would be told our address. Deep links would be links within buttons.
    "SWAGGER_UI_SETTINGS": {"deepLinking": False, "validatorUrl": None},
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "shop.openapi.connect",
        "shop.deprecation.describe_deprecations",
        "ip_tracking.openapi.describe_limits",
    ],
}

# Pages of other origins: which may call the API, and what their scripts may read (ip_tracking.W007 holds the list)

LEGACY_FIELDS = flag("LEGACY_FIELDS", default=False)
CORS_ALLOWED_ORIGINS = env.list("CORS_ALLOWED_ORIGINS", default=[])
CORS_URLS_REGEX = r"^/(api|graphql)/"
CORS_ALLOW_HEADERS = [*default_headers, "idempotency-key", "if-match", "if-none-match", "x-cart-token"]
CORS_EXPOSE_HEADERS = [
    *("Retry-After", "RateLimit", "RateLimit-Policy", "X-Request-ID"),
    *("ETag", "Location", "Idempotent-Replayed", "Deprecation", "Sunset", "Link"),
]
if LEGACY_FIELDS:
    CORS_EXPOSE_HEADERS += ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"]

# django-ratelimit's decorator, where a view carries it, refuses as the gate does (ip_tracking/ratelimit.py)

RATELIMIT_IP_META_KEY = "ip_tracking.ratelimit.client_address"
RATELIMIT_USE_CACHE = "default"
RATELIMIT_EXCEPTION_CLASS = "ip_tracking.ratelimit.Limited"
# Its cache may be away, as the gate's store may be for what is only browsed.
RATELIMIT_FAIL_OPEN = True
# It knows two memcached clients and django-redis by name. Ours adds and increments in Redis as those do.
SILENCED_SYSTEM_CHECKS = ["django_ratelimit.W001"]

# What the application says (sentinel/logs.py)

LOG_FORMAT = choice("LOG_FORMAT", "text" if DEBUG else "json", ("json", "text"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"worth_a_line": {"()": "sentinel.logs.WorthALine"}},
    "formatters": {
        "json": {"()": "sentinel.logs.JsonFormatter"},
        "text": {"()": "sentinel.logs.TextFormatter"},
    },
    "handlers": {
        "stderr": {"class": "sentinel.logs.Lines", "filters": ["worth_a_line"], "formatter": LOG_FORMAT},
        "errors": {"class": "metrics.errors.CountErrors", "filters": ["worth_a_line"]},
    },
    "root": {"handlers": ["stderr", "errors"], "level": "INFO"},
    "loggers": {
        # Django's own handlers would write each 500 a second time, and mail it.
        "django": {"handlers": [], "level": "INFO"},
        # Those of the web servers would write past the formatters. Each request is in the request log; an access log
        # would be the same with addresses and queries, for longer.
        "gunicorn.error": {"handlers": [], "level": "INFO", "propagate": True},
        "gunicorn.access": {"handlers": [], "level": "CRITICAL", "propagate": False},
        "uvicorn": {"handlers": [], "level": "INFO", "propagate": True},
        "uvicorn.error": {"handlers": [], "level": "INFO", "propagate": True},
        "uvicorn.access": {"handlers": [], "level": "CRITICAL", "propagate": False},
        "django.server": {"handlers": [], "level": "CRITICAL", "propagate": False},
        # Says past every handler that a worker's process ended; of a task that was lost by it, Celery tells.
        "multiprocessing": {"handlers": [], "level": "CRITICAL", "propagate": False},
        # A line for each packet that no Agent was there to take.
        "datadog.dogstatsd": {"level": "ERROR"},
        # A line for each call of `datadog_sync`, which says itself what it does.
        "datadog.api": {"level": "WARNING"},
        # A line for each task received and another for each done: four a second for the events alone.
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
    },
}

# Engines

REDIS_URL = address("REDIS_URL", "redis://127.0.0.1:6379/0", REDIS_SCHEMES)
DATABASES = {"default": database()}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # IMMEDIATE: a read that turns into a write would otherwise fail at once instead of waiting its turn.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;",
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
if DATABASES["default"]["ENGINE"] == "django.db.backends.mysql":
    pymysql.install_as_MySQLdb()  # the one name under which Django looks for a driver
    # Django itself asks for utf8mb4 and READ COMMITTED. Without this a server may cut what is too long, in silence.
    DATABASES["default"]["OPTIONS"] = {"sql_mode": "TRADITIONAL", **DATABASES["default"].get("OPTIONS", {})}
CACHES = {
    "default": {
        "BACKEND": "metrics.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "cache",
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"  # a session outlives an absent cache

CELERY_BROKER_URL = address("CELERY_BROKER_URL", REDIS_URL, BROKER_SCHEMES)
if CELERY_BROKER_URL.startswith("amqp"):
    # Without confirms an accepted message proves nothing.
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {"confirm_publish": True}
else:
    # What a killed worker had not acknowledged returns after so long; looked for every second, not every 100. A task
    # that takes longer runs twice: all of them may.
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "visibility_timeout": 60,
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
    }
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 300
CELERY_TASK_ROUTES = {"ip_tracking.tasks.store_events": {"queue": "events"}}
CELERY_WORKER_PREFETCH_MULTIPLIER = 4
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_TIMEOUT = 1

# Put into Beat's database by `migrate`; from then on the admin owns them.
SCHEDULE = {
    **schedule.ROWS,
    "Settle, refund and release orders": {
        "task": "shop.orders.tasks.settle_orders",
        "every_s": 60,
        "why": "Stock is held for 15 minutes: a minute more is little. A payment's fate is asked after two.",
    },
    "Send mails about orders": {
        "task": "shop.orders.tasks.send_mails",
        "every_s": 10,
        "why": "A customer looks for the confirmation as soon as the page says paid.",
    },
    "Remove old carts and keys": {
        "task": "shop.orders.tasks.remove_old",
        "hour": "3",
        "minute": "50",
        "why": "Once a night: carts that nobody came back to, and answers whose Idempotency-Key ran out.",
    },
    "Go on with imports": {
        "task": "shop.imports.tasks.go_on",
        "every_s": 30,
        "why": "Those whose worker was killed, or whose message was lost. A worker holds one for 30 seconds.",
    },
    "Remove old imports": {
        "task": "shop.imports.tasks.remove_old",
        "hour": "3",
        "minute": "55",
        "why": "Once a night: uploads that broke off, files of imports that failed, imports of a month ago.",
    },
    "Remove old failed tasks": {
        "task": "shop.failures.tasks.remove_old",
        "hour": "3",
        "minute": "58",
        "why": "Once a night: what failed a month ago.",
    },
    "Forget refresh tokens that are over": {
        "task": "shop.accounts.tasks.flush_expired_tokens",
        "hour": "3",
        "minute": "20",
        "why": "Once a night: each renewal, every quarter of an hour, leaves a row on simplejwt's two lists.",
    },
}

# The shop

# The dotted path of a class without arguments: shop/orders/payment.py says what it must answer.
PAYMENT_PROVIDER = env.str("PAYMENT_PROVIDER", "") or "shop.orders.fake_provider.FakeProvider"
# Of a file of products. It is kept in the database while it is worked on; nginx has a limit of its own.
IMPORT_MAX_BYTES = megabytes("IMPORT_MAX_MB", 32)
# What links in mails to customers begin with: the front end's address.
SHOP_URL = address("SHOP_URL", "http://localhost:8000", ("http", "https"))
MAIL = env.email_url_config(address("EMAIL_URL", "consolemail://" if DEBUG else "smtp://localhost:25", MAIL_SCHEMES))
EMAIL_BACKEND, EMAIL_HOST, EMAIL_PORT = MAIL["EMAIL_BACKEND"], MAIL["EMAIL_HOST"], MAIL["EMAIL_PORT"]
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = MAIL["EMAIL_HOST_USER"], MAIL["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS, EMAIL_USE_SSL = MAIL.get("EMAIL_USE_TLS", False), MAIL.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "shop@localhost")
# Strawberry would else print what no code caught, with all that was sent: sentinel/logs.py writes it as one line.
env.ENVIRON["STRAWBERRY_DISABLE_RICH_ERRORS"] = "true"
# Whoever guards the routes guards the mutations of these kinds too (docs/graphql.md).
SHOP_GRAPHQL = {"GUARD": "ip_tracking.kinds.pass_as"}

# The house

IP_TRACKING = {
    "STORE_URL": address("IP_TRACKING_STORE_URL", REDIS_URL, STORE_SCHEMES),
    "TRUSTED_PROXIES": env.list("TRUSTED_PROXIES", default=[]),
    "PROXY_HEADER": env.str("PROXY_HEADER", "X-Forwarded-For"),
    "MODE": choice("IP_TRACKING_MODE", "enforce", ("enforce", "shadow", "off")),
    "ENFORCE": choice("ENFORCE", "cases", ("cases", "throttle", "block")),
    "SPOOL_DIR": env.str("SPOOL_DIR", str(VAR_DIR / "spool")),
    "KEEP_LOG_DAYS": days("KEEP_LOG_DAYS", 30),
    "KEEP_EVIDENCE_DAYS": days("KEEP_EVIDENCE_DAYS", 180),
    "KEEP_CASE_DAYS": days("KEEP_CASE_DAYS", 730),
    "LEGACY_FIELDS": LEGACY_FIELDS,
    "SITE_URL": env.str("SITE_URL", ""),
    "WEBHOOK_URL": env.str("WEBHOOK_URL", ""),
    "WEBHOOK_SECRET": env.str("WEBHOOK_SECRET", ""),
    "WEBHOOK_NETWORKS": env.list("WEBHOOK_NETWORKS", default=[]),
    "KNOWN_CALLER": "shop.accounts.tokens.caller_id",
    "KINDS": {
        "shop:login": "login",
        "shop:token-refresh": "token",
        "admin:login": "login",
        "shop:cart": "cart",
        "shop:cart-items": "cart",
        "shop:cart-item": "cart",
        "shop:coupon": "coupon",
        "shop:password-change": "login",  # a password can be guessed there
        "shop:email-change": "login",
        "shop:account-close": "login",
        "shop:registration": "registration",
        "shop:registration-confirm": "confirmation",  # nothing to guess: its token is signed
        "shop:password-reset": "password-reset",
        "shop:password-reset-confirm": "confirmation",
        "shop:email-confirm": "confirmation",
        "shop:checkout": "payment",
        "shop:order-pay": "payment",
        "shop:category-list": "catalogue",
        "shop:category-detail": "catalogue",
        "shop:product-list": "catalogue",
        "shop:product-detail": "catalogue",
        "shop:product-search": "catalogue",
        # One address takes everything: what a document does, the shop says as it does it (SHOP_GRAPHQL).
        "graphql": "graphql",
        "healthz": "health",
        "readyz": "health",
    },
    "OUTCOMES": {
        "shop.orders.signals.payment_approved": "payment_ok",
        "shop.orders.signals.payment_declined": "payment_declined",
        "shop.orders.signals.coupon_refused": "coupon_refused",
    },
}
METRICS = {
    "NOTIFY": env.list("DATADOG_NOTIFY", default=[]),
    "RUNBOOKS_URL": env.str("RUNBOOKS_URL", ""),
    "MONITOR_SCOPE": env.str("DATADOG_SCOPE", "*"),
    "REDIS_URLS": watched_servers(),
    "CACHE_PREFIXES": [
        *("catalogue-list", "catalogue-detail", "catalogue-tree"),  # what shop/catalogue/cached.py keeps
        *("catalogue-generation", "catalogue-lock"),  # and by what it knows that it still holds
    ],
    "READY_NEEDS": env.list("READY_NEEDS", default=["database", "redis", "broker"]),
}
