"""Which addresses may be asked, how redirects are followed, how an address is shown."""

from typing import IO, Any
from urllib.parse import urlsplit
from urllib.request import (
    HTTPRedirectHandler,
    OpenerDirector,
    Request,
    build_opener,
    getproxies,
    proxy_bypass,
)

from deepmoji.errors import HubError

MAX_REDIRECTS = 8  # file sharing services take four or five
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


def check(address: str) -> str:
    """Return the address if it may be asked: HTTPS, or HTTP to this machine.

    Raises:
        HubError: if it may not, or is no address.
    """
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise HubError(f"{address!r} is no address: {error}") from error
    if not host or any(each.isspace() or not each.isprintable() for each in address):
        raise HubError(f"{address!r} is no address; wanted https://HOST/PATH")
    if parts.username or parts.password:
        raise HubError(f"{shown(address)}: a password in an address would be seen by others")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOCAL):
        raise HubError(
            f"{shown(address)} is not encrypted, so anyone on the way could change the file; "
            "give an https:// address"
        )
    return address


def shown(address: str) -> str:
    """Return the address as messages show it: without passwords and signatures."""
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"


def proxy_of(address: str) -> str:
    """Return the proxy that an address is asked through, as messages show it, or ""."""
    parts = urlsplit(address)
    proxy = getproxies().get(parts.scheme, "")
    if not proxy or proxy_bypass(parts.netloc):
        return ""
    return shown(proxy) if "://" in proxy else proxy.rpartition("@")[2]


class _Redirects(HTTPRedirectHandler):
    max_redirections = MAX_REDIRECTS
    max_repeats = 2

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        try:
            check(newurl)
            if req.full_url.startswith("https:") and not newurl.startswith("https:"):
                raise HubError(f"{shown(newurl)} is not encrypted")
        except HubError as error:
            fp.close()
            raise HubError(f"{shown(req.full_url)} redirects; {error}") from error
        request = super().redirect_request(req, fp, code, msg, headers, newurl)
        if request is not None and _origin(req.full_url) == _origin(newurl):
            # Credentials are "unredirected": only the server that they are for gets them.
            for name, value in req.unredirected_hdrs.items():
                if name.lower() == "authorization":
                    request.add_unredirected_header(name, value)
        return request


def _origin(address: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(address)
    return parts.scheme, parts.hostname, parts.port


def opener() -> OpenerDirector:
    """Return what opens addresses: through the environment's proxies, redirects checked."""
    return build_opener(_Redirects())
