"""Where this machine can be reached, and sockets to be reached by."""

import ipaddress
import socket

import ifaddr


def network_addresses() -> list[str]:
    """This machine's IPv4 addresses in its networks, loopback and link-local left out."""
    found = {
        address.ip
        for adapter in ifaddr.get_adapters()
        for address in adapter.ips
        if isinstance(address.ip, str)
    }
    usable = (ipaddress.IPv4Address(text) for text in found)
    return [str(a) for a in sorted(usable) if not (a.is_loopback or a.is_link_local)]


def listen(port: int) -> list[socket.socket]:
    """Listening sockets for IPv4 and, where the machine has it, IPv6, on one port.

    Port 0 takes a free one. Raises OSError (EADDRINUSE) for a taken one.
    """
    first = _listener(socket.AF_INET, "0.0.0.0", port)  # noqa: S104 - phones come in by the network
    try:
        second = _listener(socket.AF_INET6, "::", first.getsockname()[1])
    except OSError:
        return [first]
    return [first, second]


def free_port() -> int:
    """A TCP port of the loopback interface that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _listener(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener
