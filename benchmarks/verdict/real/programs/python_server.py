"""Servers that are started in code: `python -m …programs.python_server FRAMEWORK PORT`.

Each answers a POST, or a gRPC call, with the length of the body. Each needs the package of its name.
"""

# ruff: noqa: PLC0415  - only one of the packages is needed

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from benchmarks.verdict.real.programs.wsgi_app import app

if TYPE_CHECKING:
    from collections.abc import Callable

HOST = "127.0.0.1"


def serve_aiohttp(port: int) -> None:
    """Serve by aiohttp."""
    from aiohttp import web

    async def answer(request: Any) -> Any:
        return web.Response(text=str(len(await request.read())))

    server = web.Application()
    server.router.add_post("/{key}", answer)
    web.run_app(server, host=HOST, port=port, print=None)


def serve_gevent(port: int) -> None:
    """Serve the WSGI application by gevent's server."""
    from gevent.pywsgi import WSGIServer

    WSGIServer((HOST, port), app, log=None).serve_forever()


def serve_grpc(port: int) -> None:
    """Serve by gRPC's synchronous server, with four threads."""
    import grpc

    def answer(request: bytes, _context: Any) -> bytes:
        return str(len(request)).encode()

    server = grpc.server(ThreadPoolExecutor(4))
    methods = {"Say": grpc.unary_unary_rpc_method_handler(answer)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Echo", methods),))
    server.add_insecure_port(f"{HOST}:{port}")
    server.start()
    server.wait_for_termination()


def serve_sanic(port: int) -> None:
    """Serve by Sanic, in one process."""
    from sanic import Sanic, text

    async def answer(request: Any, key: str) -> Any:  # noqa: ARG001 - the route has it
        return text(str(len(request.body)))

    server = Sanic("server", configure_logging=False)
    server.add_route(answer, "/<key>", methods=["POST"])
    server.run(host=HOST, port=port, single_process=True, access_log=False, motd=False)


def serve_tornado(port: int) -> None:
    """Serve by Tornado."""
    from tornado.httpserver import HTTPServer
    from tornado.httputil import HTTPHeaders, ResponseStartLine

    def answer(request: Any) -> None:
        text = str(len(request.body)).encode()
        head = HTTPHeaders({"Content-Length": str(len(text))})
        request.connection.write_headers(ResponseStartLine("HTTP/1.1", 200, "OK"), head, text)
        request.connection.finish()

    async def serve() -> None:
        HTTPServer(answer).listen(port, HOST)
        await asyncio.Event().wait()

    asyncio.run(serve())


SERVERS: dict[str, Callable[[int], None]] = {
    "aiohttp": serve_aiohttp,
    "gevent": serve_gevent,
    "grpc": serve_grpc,
    "sanic": serve_sanic,
    "tornado": serve_tornado,
}

if __name__ == "__main__":
    SERVERS[sys.argv[1]](int(sys.argv[2]))
