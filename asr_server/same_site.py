"""Whether a request comes from where it says: pages that change the server are not for other sites' scripts.

A browser on the operator's machine sends what any web page asks it to, also to 127.0.0.1. It tells whose
page that is (Origin, Sec-Fetch-Site), and a name that was rebound to this address shows in Host.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from websockets.datastructures import MultipleValuesError

if TYPE_CHECKING:
    from websockets.datastructures import Headers

OWN_NAMES = ("localhost", "localhost.localdomain", "ip6-localhost")
OWN_SITES = ("same-origin", "none")
"""Values of Sec-Fetch-Site: a page of this server's, or an address that somebody typed."""


def why_foreign(headers: Headers) -> str | None:
    """Say in one line why a request is refused; None for one that is not."""
    try:
        host, origin = headers.get("Host"), headers.get("Origin")
        site = headers.get("Sec-Fetch-Site", "none")
    except MultipleValuesError as error:
        return f"{error.args[0]} was sent twice"
    if host is None or not _is_own(host):
        return f"Host must be an IP address or localhost, not {_shown(host)}"
    if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
        return f"the request is of another origin: {_shown(origin)}"
    if site.strip().lower() not in OWN_SITES:
        return f"the request is of another site: Sec-Fetch-Site is {_shown(site)}"
    return None


def _is_own(host: str) -> bool:
    """Whether a Host header names an address, which no name server can point elsewhere."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if name in OWN_NAMES:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _shown(value: str | None) -> str:
    return "nothing" if value is None else ascii(value[:80])
