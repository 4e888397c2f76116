"""What went wrong on the network, in one line that says what to do, and whether to try again."""

import socket
import ssl
from http.client import HTTPException
from urllib.error import HTTPError, URLError

from deepmoji.errors import HubError
from deepmoji.files import is_disk_full
from deepmoji.hub.address import proxy_of, shown

_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})


class PassingTrouble(HubError):  # noqa: N818 - says what is wrong
    """Trouble that may be over at the next try."""

    wait: float = 0.0  # seconds that the server asks to wait


class Refused(HubError):  # noqa: N818 - says what is wrong
    """The server knows the answer, and it is no: the cache may not do instead."""


def explain(error: Exception, address: str) -> HubError:
    """Return the error to raise for what urllib, http.client or a socket raised.

    A ``PassingTrouble`` if another try may succeed.
    """
    if isinstance(error, HTTPError):
        return explain_status(error.code, address, _seconds(error.headers.get("Retry-After")))
    reason = error.reason if isinstance(error, URLError) else error
    where, proxy = shown(address), proxy_of(address)
    through = f" through the proxy {proxy}" if proxy else ""
    if isinstance(reason, ssl.SSLCertVerificationError):
        return HubError(
            f"{where}: its certificate is not valid ({reason.verify_message}); if a proxy of your "
            "network replaces certificates, name its authority's file in SSL_CERT_FILE"
        )
    if "Tunnel connection failed: 407" in str(reason):
        return explain_status(407, address)
    if isinstance(reason, TimeoutError):
        return PassingTrouble(f"{where} does not answer{through}; try again later")
    if isinstance(reason, socket.gaierror):
        return PassingTrouble(
            f"cannot find {where}{through}: is this machine offline? Behind a proxy, set "
            "HTTPS_PROXY; what is in the cache works without a network"
        )
    if isinstance(reason, HTTPException):
        return PassingTrouble(
            f"{where}: the connection broke ({type(reason).__name__}){through}; try again"
        )
    said = getattr(reason, "strerror", None) or str(reason)
    return PassingTrouble(
        f"cannot reach {where}{through}: {said}; is this machine offline? Behind a proxy, set "
        "HTTPS_PROXY"
    )


def explain_status(code: int, address: str, wait: float = 0.0) -> HubError:
    """Return the error for an answer that is no success."""
    where = shown(address)
    if code == 407:
        return HubError(
            f"{where}: the proxy {proxy_of(address) or 'of your network'} wants a name and a "
            "password (407); give them in HTTPS_PROXY, as http://NAME:PASSWORD@HOST:PORT"
        )
    if code in {401, 403}:
        return Refused(
            f"{where}: not there or not allowed ({code}); check the name. For what is private or "
            "gated on a hub, give a token that may use it in HF_TOKEN"
        )
    if code in {404, 410}:
        return Refused(f"{where}: not there ({code}); check the name, or it was withdrawn")
    if 300 <= code < 400:  # urllib followed as many as it may
        return HubError(f"{where} redirects in circles or nowhere ({code})")
    if code in _AGAIN:
        trouble = PassingTrouble(f"{where}: the server has trouble ({code}); try again later")
        trouble.wait = wait
        return trouble
    return HubError(f"{where}: the server answers {code} and no file")


def explain_disk(error: OSError, path: object) -> HubError:
    """Return the error for what a disk raised."""
    if is_disk_full(error):
        return HubError(
            f"the disk is full: {path} cannot be written; free some space and run it again, it "
            "goes on where it stopped"
        )
    return HubError(f"cannot write {path}: {error.strerror or error}")


def _seconds(value: str | None) -> float:
    return float(value) if value and value.isdecimal() else 0.0
