"""The address that a request comes from. A header counts only when a proxy that we trust has added to it."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from litestar import Request

from pgcredits.networks import Address, Networks

# Networks whose last 32 bits are an IPv4 address.
_NAT64 = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")
_SITE = 64  # bits of an IPv6 address that one subscriber cannot change at will


def client_address(request: Request[Any, Any, Any], trusted: Networks) -> Address | None:
    """The client's address. None when the connection shows none, as on a Unix socket.

    Each proxy appends the address that it was called from to X-Forwarded-For. So the client is the first
    address from the right that is not a proxy of ours. The client may have written everything left of it.
    When an address that a proxy should have written cannot be read, the client is the peer.
    """
    peer = _address(request.client.host) if request.client else None
    if peer is None or peer not in trusted:
        return peer
    found = peer
    for text in reversed(",".join(request.headers.getall("x-forwarded-for", [])).split(",")):
        address = _address(_without_port(text.strip()))
        if address is None:
            return peer
        found = address
        if address not in trusted:
            break
    return found


def network_of(address: Address) -> str:
    """The network that an address belongs to: the IPv4 address itself, or the /64 of an IPv6 address."""
    if isinstance(address, IPv4Address):
        return str(address)
    return str(ip_network((int(address) >> (128 - _SITE) << (128 - _SITE), _SITE)))


def _address(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (_ipv4_within(address) if isinstance(address, IPv6Address) else None) or address


def _ipv4_within(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address whose holder has this one: mapped, translated (RFC 6052), 6to4 or Teredo."""
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]


def _without_port(text: str) -> str:
    """Some proxies write 192.0.2.1:4711 and [2001:db8::1]:4711."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
