"""The sweep's rules: what no single client shows. A new one is a row here and a question in `population.py`."""

from __future__ import annotations

from ip_tracking.detection.finding import Rule, Severity

HOUR_S = 3_600

# All but the first only file: they accuse a network of what its neighbours did, or by comparison with others.

DISTRIBUTED_LOGIN = Rule(
    name="distributed-login",
    title="One account guessed from many networks",
    owasp="OAT-007",
    severity=Severity.MEDIUM,
    symptom="failed-login",
    threshold=10,
    window_s=HOUR_S,
    reason="A person fails from home, from the phone and from work: three networks. Ten within an hour share a list.",
    example="Twelve addresses, each with one or two wrong passwords for the same account within an hour.",
    nearest_benign="An owner on trains whose phone changes networks: a network that ever logged in to the account well "
    "is left out.",
)

NEIGHBOURS_GUESSING = Rule(
    name="neighbours-guessing",
    title="Neighbours guess passwords, a few each",
    owasp="OAT-007",
    severity=Severity.MEDIUM,
    symptom="failed-login",
    threshold=30,
    window_s=HOUR_S,
    also={"each": 9, "good_share": 0.5},
    reason="Each stays below ten in five minutes, so that no rule sees it alone. A network counts for nine at most, so "
    "that a loud one among three who mistype is no campaign: thirty take four that go on.",
    example="Six addresses of one /24, or of one IPv6 /48, each with six wrong passwords within an hour.",
    nearest_benign="A carrier that puts thousands of shoppers behind a /24: most of its logins are good ones.",
    decides=False,
)

NEIGHBOURS_PROBING = Rule(
    name="neighbours-probing",
    title="Neighbours share out a search",
    owasp="OAT-014",
    severity=Severity.MEDIUM,
    symptom="telling",
    threshold=40,
    window_s=HOUR_S,
    distinct="path",
    also={"each": 10, "paths": 20, "good_share": 0.5},
    reason="A search for holes that rotates through rented addresses lets each ask for few paths. Four times ten from "
    "one neighbourhood, twenty different ones among them, and hardly anything else, come from one list.",
    example="Eight addresses of one /24, each asking for ten pages that do not exist, a minute apart.",
    nearest_benign="A search engine's crawlers, which meet removed pages: most of what they ask for is there.",
    decides=False,
)

SHARED_AGENT_GUESSING = Rule(
    name="shared-agent-guessing",
    title="One user agent fails to log in from many networks",
    owasp="OAT-008",
    severity=Severity.MEDIUM,
    symptom="failed-login",
    threshold=10,
    window_s=HOUR_S,
    also={"good_share": 0.1},
    reason="A list of stolen passwords is tried from as many networks as can be rented, mostly by one program. Of "
    "people's logins nine in ten are good, of a list's one or two in a hundred.",
    example='Forty networks, one wrong password each, all from "python-requests/2.31".',
    nearest_benign="A browser that half the world uses: its good logins outnumber the failures. A release of your own "
    "app that can log in nobody is found: the case shows its agent.",
    decides=False,
)

SHARED_AGENT_PROBING = Rule(
    name="shared-agent-probing",
    title="One user agent searches from many networks",
    owasp="OAT-014",
    severity=Severity.MEDIUM,
    symptom="telling",
    threshold=10,
    window_s=HOUR_S,
    also={"paths": 20, "good_share": 0.2},
    reason="The same program at ten networks, twenty different paths that tell of a search, and next to nothing else.",
    example='Thirty networks, each asking for one of /.env, /.git/config, /backup.zip ..., all from "Mozilla/5.0".',
    nearest_benign="A browser that half the world uses: nearly all it asks for is there.",
    decides=False,
)

MACHINE_RHYTHM = Rule(
    name="machine-rhythm",
    title="As steady as a clock, for hours",
    owasp="OAT-007",
    severity=Severity.MEDIUM,
    symptom="telling",
    threshold=30,
    window_s=3 * HOUR_S,
    also={"hours": 2, "spread": 0.3},
    reason="Guessing slowly enough for no rule needs patience, which only machines have. People's pauses spread by "
    "more than their mean; a timer's, even shaken by half up or down, by less than a third.",
    example="A wrong password every minute, for two hours.",
    nearest_benign="A monitor or an old app that asks for a missing page each minute: that alone is not counted. An "
    "app that tries a stale password for ever is found: tell its owner.",
    decides=False,
)

STEADY_REQUESTS = Rule(
    name="steady-requests",
    title="Requests as steady as a clock",
    owasp="OAT-011",
    severity=Severity.LOW,
    symptom="request",
    threshold=30,
    window_s=3 * HOUR_S,
    also={"hours": 2, "spread": 0.3},
    reason="Says that a machine is at work. By itself that is no offence: it is told beside graver findings only.",
    example="One page every twenty seconds, for two hours.",
    nearest_benign="Every monitor.",
    decides=False,
)

MOSTLY_ERRORS = Rule(
    name="mostly-errors",
    title="Most of what it asks for is refused or missing",
    owasp="OAT-014",
    severity=Severity.MEDIUM,
    symptom="client-error",
    threshold=60,
    window_s=HOUR_S,
    also={"share": 0.5, "times_the_others": 3, "paths": 20},
    reason="One answer 4xx a minute for an hour, at twenty different paths, half of all it sent, and three times the "
    "share that the others have: so nobody is accused while a broken release fails everybody.",
    example="A walk through /api/orders/1/ to /api/orders/900/, each answered 403 or 404, six a minute.",
    nearest_benign="An app with a stale token that asks every few seconds: that is one path, or five.",
    decides=False,
)

WIDE_READING = Rule(
    name="wide-reading",
    title="Reads more pages than anybody",
    owasp="OAT-011",
    severity=Severity.MEDIUM,
    symptom="request",
    threshold=1_500,
    window_s=HOUR_S,
    distinct="path",
    also={"times_the_others": 20},
    reason="A page every two and a half seconds for a whole hour, none of them twice, by one user agent of one "
    "network, and twenty times what others send: somebody copies the catalogue.",
    example="/products/1/ to /products/3000/ within an hour.",
    nearest_benign="A search engine on a large shop: judge it benign, or allow its networks. An office behind one "
    "address: its browsers are counted apart.",
    decides=False,
)

TAKES_MOST_TIME = Rule(
    name="takes-most-time",
    title="Keeps the servers busy for itself",
    owasp="OAT-015",
    severity=Severity.MEDIUM,
    symptom="view-seconds",
    threshold=600,
    window_s=HOUR_S,
    also={"share": 0.3, "networks": 10},
    reason="Few requests can cost much. Ten minutes of the servers' time, a third of all they worked in that hour, "
    "went to one of at least ten networks.",
    example="A search over everything, three seconds each, every ten seconds.",
    nearest_benign="A partner's nightly export: judge it benign, or allow it.",
    decides=False,
)

HOURLY_RULES: tuple[Rule, ...] = (
    DISTRIBUTED_LOGIN,
    NEIGHBOURS_GUESSING,
    NEIGHBOURS_PROBING,
    SHARED_AGENT_GUESSING,
    SHARED_AGENT_PROBING,
    MACHINE_RHYTHM,
    STEADY_REQUESTS,
    MOSTLY_ERRORS,
    WIDE_READING,
    TAKES_MOST_TIME,
)
