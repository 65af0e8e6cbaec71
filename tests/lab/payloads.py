"""What a hostile peer may send, or call itself. In each, `XSS` is code that leaves its mark in the page."""

from __future__ import annotations

SCRIPT = [
    "<img src=x onerror=XSS>",
    "<svg onload=XSS><animate onbegin=XSS attributeName=x></svg>",
    "<script>XSS</script>",
    '<a href="javascript:XSS">click</a>',
    '<iframe srcdoc="<script>parent.XSS</script>"></iframe>',
    '<form action="javascript:XSS"><button autofocus onfocus=XSS>x</button></form>',
    '<button data-commandlinker-command="notebook:run-all-cells">x</button>',
    "<div id=MathJax-script class=jp-RenderedHTML>x</div>",
    "$\\href{javascript:XSS}{x}$ \\(\\href{javascript:XSS}{x}\\)",
    "<style>@import 'data:text/css,body{display:none}'</style>",
    "<base href=javascript:XSS//>",
    "<select><iframe></select><img src=x onerror=XSS>",
    "${XSS} #{XSS} {{XSS}} <%= XSS %>",
    "\"><img src=x onerror=XSS> '><img src=x onerror=XSS>",
    '" autofocus onfocus=XSS tabindex=1 x="',
    "</textarea></title></script></style></bdi>--><img src=x onerror=XSS>",
    "![x](javascript:XSS) [x](javascript:XSS) `<img src=x onerror=XSS>`",
    '{"text/html": "<img src=x onerror=XSS>"}',
]
"""Markup, templates and commands; all of it printable."""

BEACONS = [
    "<img src=URL/img>",
    "<style>@import 'URL/css'; body{background:url(URL/background)}</style>",
    "<link rel=stylesheet href=URL/link><link rel=preconnect href=URL>",
    "<link rel=dns-prefetch href=URL><link rel=prefetch href=URL/prefetch>",
    "<base href=URL/><img src=base>",
    "<iframe src=URL/frame></iframe><object data=URL/object></object>",
    "<svg><image href=URL/svg /></svg><video poster=URL/poster></video>",
    "<meta http-equiv=refresh content='0;url=URL/refresh'>",
    "![x](URL/markdown.png) URL/plain",
    "$\\includegraphics{URL/math}$",
]
"""What would make a page call another place, `URL`."""

TERMINAL = [
    "\x1b[2J\x1b[H",  # clears the screen
    "\x1b]0;owned\x07",  # sets the title
    "\x1b]2;owned\x1b\\",
    "\x9b2J\x9d0;owned\x9c",  # the same in one byte each
    "\x1bc",  # resets the terminal
    "\x1b[?1049h",  # another screen
    "\x1b[6n\x1b[c",  # has the terminal answer, as if it had been typed
    "\x1b]52;c;b3duZWQ=\x07",  # the clipboard
    "\x1b]8;;javascript:owned\x07link\x1b]8;;\x07",
    "\r\x1b[Kowned\x08\x08\x7f",  # over what stands there
    "\x0e\x1b(0lqk",  # another alphabet
    "one\u2028two\u2029three\x85four\x0bfive\x0csix",
]
"""What a terminal would obey."""

SPOOF = "admin\u202egnp.exe"
"""Shown raw, its end stands before its middle: ``adminexe.png``."""


def marking(code: str, payloads: list[str]) -> list[str]:
    """The payloads, with `code` in place of ``XSS``."""
    return [payload.replace("XSS", code) for payload in payloads]


def calling(url: str, payloads: list[str]) -> list[str]:
    """The payloads, with `url` in place of ``URL``."""
    return [payload.replace("URL", url) for payload in payloads]
