import socket

import pytest

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.serve.server import bound


def test_a_port_in_use_is_said_in_one_line() -> None:
    with bound("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(CatalogError, match=f"127.0.0.1:{port} cannot be served: address alr"):
            bound("127.0.0.1", port)
    with bound("127.0.0.1", port) as again:
        assert again.type == socket.SOCK_STREAM


@pytest.mark.parametrize("host", ["no-such-host.invalid", "192.0.2.1"])
def test_an_address_that_is_not_here_is_said(host: str) -> None:
    with pytest.raises(CatalogError, match="cannot be served"):
        bound(host, 0)
