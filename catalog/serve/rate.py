"""How often one address may ask: so many requests a second, and some at once."""

import time
from collections import OrderedDict

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.serve.errors import error_response

_AT_ONCE = 5.0  # seconds' worth of requests that may come in one moment
_MOST = 100_000  # addresses that are remembered


class Rate:
    """A service that one address may ask `most` times a second, and five seconds' worth at once.

    Who asks more is answered 429, and how many seconds to wait.
    """

    def __init__(self, app: ASGIApp, most: float) -> None:
        self._app, self._most = app, most
        self._burst = max(1.0, most * _AT_ONCE)
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # requests, and when

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] == "http" and not self._may(str((scope.get("client") or [""])[0])):
            await self._refusal()(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _may(self, address: str) -> bool:
        now = time.monotonic()
        left, before = self._left.pop(address, (self._burst, now))
        left = min(self._burst, left + (now - before) * self._most)
        self._left[address] = (left - 1 if left >= 1 else left, now)
        if len(self._left) > _MOST:
            self._left.popitem(last=False)  # whoever has not asked for longest
        return left >= 1

    def _refusal(self) -> Response:
        said = error_response(
            CatalogError(f"more than {self._most:g} requests a second; ask more slowly")
        )
        said.status_code = 429
        said.headers["Retry-After"] = str(max(1, round(1 / self._most)))
        return said
