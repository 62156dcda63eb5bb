"""The ASGI app: HTTP and live sockets on one side, hubs on the other."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from ..remote.messages import SUBPROTOCOL, TENSOR_BODY, TENSORS, UPLOAD, VERSION, RemoteError
from .answers import CALLS
from .bodies import Body
from .live import Live, client_of, same_origin
from .serving import Model, Serving
from .telling import said, told
from .uploads import picture_of

NOTICE = 2.0
"""Seconds after which a server that goes down is expected back."""
TIDY = 30.0
BODY_SECONDS = 60.0
"""For a body to arrive."""

_CLIENT = re.compile(r"[A-Za-z0-9_-]{16,64}")
Handler = Callable[[Request], Awaitable[Response]]


class App(Starlette):
    """The app of a `Serving`; any ASGI server runs it.

    Args:
        serving: what is served. It is started and stopped with the app.
    """

    def __init__(self, serving: Serving) -> None:
        self.serving = serving
        self._sockets: set[Live] = set()
        super().__init__(
            routes=[
                Route("/v1/health", self._health),
                Route("/v1/models", self._guarded(self._models)),
                Route("/v1/models/{model}", self._guarded(self._about)),
                Route("/v1/models/{model}/directions", self._guarded(self._directions)),
                Route("/v1/models/{model}/targets", self._guarded(self._targets), methods=["POST"]),
                WebSocketRoute("/v1/models/{model}/live", self._live),
                WebSocketRoute("/v1/live", self._live),
                Route("/v1/models/{model}/{call}", self._guarded(self._call), methods=["POST"]),
                Route("/v1/results/{name}", self._guarded(self._result)),
            ],
            lifespan=self._lifespan,
        )

    async def go_down(self) -> None:
        """Tell every client that the server goes down, close its socket, and take no more."""
        self.serving.going = True
        ending = [socket.going(NOTICE) for socket in self._sockets]
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.gather(*ending), NOTICE)  # one that reads nothing holds up nobody

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        self.serving.start()
        tidying = asyncio.ensure_future(self._tidy())
        yield
        tidying.cancel()
        await self.go_down()
        await asyncio.to_thread(self.serving.stop)

    async def _tidy(self) -> None:
        while True:
            await asyncio.sleep(TIDY)
            self.serving.tidy()

    # -- who and what --------------------------------------------------------------------------------------------------
    def _guarded(self, handler: Handler) -> Handler:
        """Lets in who may, and says errors as JSON."""

        async def guarded(request: Request) -> Response:
            try:
                if not same_origin(request.headers):
                    raise RemoteError("pages of other sites may not use this server", 403)
                scheme, _, token = request.headers.get("authorization", "").partition(" ")
                owner = self.serving.tokens.owner(token if scheme.lower() == "bearer" else "")
                if owner is None:
                    raise RemoteError("a valid token is needed: Authorization: Bearer …", 401)
                request.state.owner = owner
                version = request.headers.get("x-version", str(VERSION))
                if version != str(VERSION):
                    raise RemoteError(f"this server speaks version {VERSION}; the client speaks {version[:20]!r}", 426)
                name = request.headers.get("x-client", "")
                if name and not _CLIENT.fullmatch(name):
                    raise RemoteError("a client's name has 16 to 64 of A-Z a-z 0-9 - _", 422)
                # Who does not say is known by the address; such a client has neither jobs nor results.
                host = request.client.host if request.client else ""
                request.state.client = client_of(owner, name or f"at {host}")
                return await handler(request)
            except RemoteError as error:
                return refused(error)
            except ClientDisconnect:
                return Response(status_code=499)

        return guarded

    async def _health(self, request: Request) -> Response:
        return JSONResponse(self.serving.health(), 200 if self.serving.healthy else 503)

    async def _models(self, request: Request) -> Response:
        return JSONResponse({"models": list(self.serving.models), "version": VERSION})

    async def _about(self, request: Request) -> Response:
        return JSONResponse(self._model(request).about)

    async def _directions(self, request: Request) -> Response:
        return Response(self._model(request).directions, media_type=TENSORS)

    def _model(self, request: Request) -> Model:
        return self.serving.model(request.path_params["model"])

    # -- work ------------------------------------------------------------------------------------------------------------
    async def _call(self, request: Request) -> Response:
        name = request.path_params["call"]
        if name not in CALLS:
            raise RemoteError(f"there is no call {name[:40]!r}, but {', '.join(CALLS)} and targets", 404)
        model, client = self._model(request), request.state.client
        if self.serving.going:
            raise RemoteError("the server is going down", 503, NOTICE)
        data = await body_of(request, TENSOR_BODY)
        try:
            body = await asyncio.to_thread(Body.read, data, media_type(request))
            steps = await asyncio.to_thread(CALLS[name], model.desk, client, body)
            answer = await asyncio.wrap_future(model.hub.call(client, self.serving.purse(request.state.owner), steps))
            made, kind = await asyncio.to_thread(answer)
        except Exception as error:
            raise told(error) from error
        return Response(made, media_type=kind)

    async def _targets(self, request: Request) -> Response:
        model, client = self._model(request), request.state.client
        kind = media_type(request)
        data = await body_of(request, TENSOR_BODY if kind == TENSORS else UPLOAD)
        picture = await asyncio.to_thread(picture_of, data, kind, model.session)
        name = await asyncio.wrap_future(model.hub.ask(partial(model.session.put, picture)))
        self.serving.uploads.keep(client, name, picture)
        return JSONResponse({"target": name})

    async def _result(self, request: Request) -> Response:
        kept = self.serving.held.get(request.state.client, request.path_params["name"])
        return Response(kept.data, media_type="application/octet-stream", headers={"X-Suffix": kept.suffix})

    async def _live(self, socket: WebSocket) -> None:
        if not same_origin(socket.headers):
            await socket.send_denial_response(refused(RemoteError("pages of other sites may not use this server", 403)))
            return
        offered = [name.strip() for name in socket.headers.get("sec-websocket-protocol", "").split(",")]
        if SUBPROTOCOL not in offered:
            words = f"this server speaks {SUBPROTOCOL}; the client offers {', '.join(offered)[:80] or 'nothing'}"
            await socket.send_denial_response(refused(RemoteError(words, 426)))
            return
        live = Live(self.serving, socket, socket.path_params.get("model", ""))
        self._sockets.add(live)
        try:
            await live.run()
        finally:
            self._sockets.discard(live)


def refused(error: RemoteError) -> JSONResponse:
    """An error as an answer."""
    headers = {"Retry-After": str(max(1, round(error.after)))} if error.after else {}
    if error.code == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if error.code == 413:
        headers["Connection"] = "close"  # the rest of the body is not wanted
    return JSONResponse({"error": said(error)}, error.code, headers)


def media_type(request: Request) -> str:
    """That of the body."""
    return request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()


async def body_of(request: Request, limit: int) -> bytes:
    """The body. `RemoteError` 413 as soon as it is known to have more bytes than the limit, 408 where it does not come."""
    claimed = request.headers.get("content-length", "")
    if claimed.isdecimal() and int(claimed[:20]) > limit:
        raise RemoteError(f"a body may have {limit:,} bytes here; this one has {int(claimed[:20]):,}", 413)
    data = bytearray()

    async def arrive() -> None:
        async for part in request.stream():
            data.extend(part)
            if len(data) > limit:
                raise RemoteError(f"a body may have {limit:,} bytes here; this one has more", 413)

    try:
        await asyncio.wait_for(arrive(), BODY_SECONDS)
    except asyncio.TimeoutError:
        raise RemoteError(f"the body did not come within {BODY_SECONDS:g} s", 408) from None
    return bytes(data)
