"""Which addresses messages may go to.

An operator registers a name, and what it stands for can change. So the sender looks it up before each try,
refuses addresses that are not public, and connects to the address that it has checked.
"""

from __future__ import annotations

import asyncio
import socket
from ipaddress import IPv6Address, IPv6Network, ip_address

from pgcredits.networks import Address, Networks

_LOOKUP_SECONDS = 5.0
# IPv4 behind a translator: the address that is meant is the last part.
_TRANSLATED = IPv6Network("64:ff9b::/96")


class RefusedAddressError(Exception):
    """Nothing is sent there. The message says why."""


async def find_address(host: str, port: int, allowed: Networks) -> Address:
    """An address of the host that messages may go to. Raises RefusedAddressError.

    One address that is refused refuses the host: nobody should learn by trying which is used.
    """
    try:
        found = await asyncio.wait_for(
            asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM), _LOOKUP_SECONDS
        )
    except (OSError, UnicodeError, TimeoutError):
        raise RefusedAddressError(f"{host} has no address") from None
    addresses = [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    for address in addresses:
        if not is_public(address) and address not in allowed:
            raise RefusedAddressError(
                f"{host} is not a public address: PGCREDITS_WEBHOOK_NETWORKS allows some"
            )
    return addresses[0]


def is_public(address: Address) -> bool:
    """Can anybody have this address? Addresses that wrap another are judged by that one."""
    if isinstance(address, IPv6Address):
        if address in _TRANSLATED:
            return is_public(ip_address(int(address) & 0xFFFFFFFF))
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1])
        if inner:
            return is_public(inner)
        # ::/96, IPv4 as it was once written, and fec0::/10, local networks as they once were.
        if int(address) < 2**32 or address.is_site_local:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved
