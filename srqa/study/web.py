"""What browsers fetch and send beside the pages: stimuli, answers, events. Starlette routes.

Every request that changes something carries a signed token. Answers are acknowledged after the
commit. No answer names a path of the server.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from srqa.study.intake import RefusedError, take_answer, take_event
from srqa.study.limits import Limiter
from srqa.study.study import Study
from srqa.study.trials import ANSWER_PATH, EVENT_PATH, STIMULUS_PATH

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 4096
"""Of a request's body."""
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "manifest-src 'self'",
        "media-src 'self' blob:",
        "form-action 'self'",
        "base-uri 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def routes(study: Study, base: str = "") -> list[Route]:
    """The routes of a study, for `streamlit.App(script, routes=...)`.

    Args:
        study: the study.
        base: path under which the pages stand, "" or "/prefix".
    """
    handlers = _Handlers(study)
    return [
        Route(f"{base}{STIMULUS_PATH}{{opaque}}", handlers.stimulus, methods=["GET"]),
        Route(f"{base}{ANSWER_PATH}", handlers.answer, methods=["POST"]),
        Route(f"{base}{EVENT_PATH}", handlers.event, methods=["POST"]),
    ]


def middleware() -> list[Middleware]:
    """Security headers on every answer of the server."""
    return [Middleware(SecurityHeaders)]


class SecurityHeaders:
    """Adds `HEADERS` to every HTTP answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [(k, v) for k, v in message.get("headers", []) if k.lower() not in _NAMES]
                message["headers"] = kept + _PAIRS
            await send(message)

        await self.app(scope, receive, with_headers)


_PAIRS = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
_NAMES = {name for name, _ in _PAIRS}


class _Handlers:
    def __init__(self, study: Study) -> None:
        self.study = study
        self.answers = Limiter(burst=40, per_second=5.0)
        self.events = Limiter(burst=40, per_second=2.0)
        self.mistakes = Limiter(burst=60, per_second=1.0)

    async def stimulus(self, request: Request) -> Response:
        """A stimulus by its opaque id."""
        opaque = request.path_params["opaque"].removesuffix(".png")
        path = await run_in_threadpool(self.study.stimulus_file, opaque)
        if path is None:
            return self._refuse(request, RefusedError(404, "unknown"))
        headers = {"cache-control": "private, max-age=31536000, immutable"}
        return FileResponse(path, media_type="image/png", headers=headers)

    async def answer(self, request: Request) -> Response:
        """An answer to a trial."""
        try:
            body = await _body(request)
            self._limit(self.answers, body)
            told = await run_in_threadpool(take_answer, self.study, body, _ip(request))
        except RefusedError as refused:
            return self._refuse(request, refused)
        return JSONResponse(told, headers={"cache-control": "no-store"})

    async def event(self, request: Request) -> Response:
        """What happened in a browser."""
        try:
            body = await _body(request)
            self._limit(self.events, body)
            await run_in_threadpool(take_event, self.study, body)
        except RefusedError as refused:
            return self._refuse(request, refused)
        return Response(status_code=204)

    def _limit(self, limiter: Limiter, body: Any) -> None:
        token = str(body.get("token", "")) if isinstance(body, dict) else ""
        if not limiter.take(token.partition(".")[0][:64]):
            raise RefusedError(429, "busy")

    def _refuse(self, request: Request, refused: RefusedError) -> Response:
        """Say no; whoever does nothing but wrong is told to slow down."""
        status, reason = refused.status, refused.reason
        headers = {"cache-control": "no-store"}
        if status in (400, 401, 404, 413, 415) and not self.mistakes.take(_ip(request) or ""):
            status, reason = 429, "busy"
        if status == 429:
            headers["retry-after"] = str(self.answers.wait)
        told = {"error": reason}
        if refused.detail:
            told["detail"] = refused.detail
        return JSONResponse(told, status_code=status, headers=headers)


async def _body(request: Request) -> Any:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise RefusedError(415, "type", "The content type must be application/json.")
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > MOST_BYTES:
            raise RefusedError(413, "size", f"{MOST_BYTES} bytes are the most.")
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise RefusedError(400, "body", "It is no JSON.") from None


def _ip(request: Request) -> str | None:
    return request.client.host if request.client else None
