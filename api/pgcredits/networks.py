"""Networks that a setting names."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address


class Networks:
    """Addresses that belong together, given as networks in CIDR notation."""

    __slots__ = ("_networks",)

    def __init__(self, texts: Iterable[str] = ()) -> None:
        """Raises ValueError for a text that is not a network, and for a network that holds every address."""
        self._networks: tuple[IPv4Network | IPv6Network, ...] = tuple(map(ip_network, texts))
        for network in self._networks:
            if not network.prefixlen:
                raise ValueError(f"{network} is everybody")

    def __contains__(self, address: Address) -> bool:
        return any(address in network for network in self._networks)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Networks) and self._networks == other._networks

    def __hash__(self) -> int:
        return hash(self._networks)
