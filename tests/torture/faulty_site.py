"""What the host's process gets from the suite: names that resolve slowly or not at all, and a count of its tasks."""

from __future__ import annotations

from pathlib import Path

from plugin_site import Site

__all__ = ["TASKS_PATH", "install_resolver"]

TASKS_PATH = "/torture/tasks"

# No setting and no variable tells a process of a nameserver on another port, and uvloop resolves names outside Python:
# so a plugin slows the one resolver that aiohttp has, for names below .test, which exist nowhere (RFC 6761).
_PLUGIN = '''
import asyncio
import ctypes
import gc
import json
import socket

from aiohttp.resolver import ThreadedResolver

from jackfield import hookimpl

_resolve = ThreadedResolver.resolve


async def resolve(self, host, port=0, family=socket.AF_INET):
    """`after-0.3.test` is this machine after 0.3 s; `gone.test` isn't known."""
    if not host.endswith(".test"):
        return await _resolve(self, host, port, family)
    if host == "gone.test":
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    await asyncio.sleep(float(host.removeprefix("after-").removesuffix(".test")))
    found = await _resolve(self, "127.0.0.1", port, socket.AF_INET)
    return [{**one, "hostname": host} for one in found]


async def tasks(scope, receive, send):
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # glibc keeps what is free after a large reply, now more and now less
    body = json.dumps({"tasks": len(asyncio.all_tasks())}).encode()
    head = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": body})


@hookimpl
def register_routes(register):
    ThreadedResolver.resolve = resolve
    register.route("/torture/tasks", tasks)
'''


def install_resolver(folder: Path) -> Path:
    """Install the plugin into a folder of its own, which goes on the host's PYTHONPATH."""
    folder.mkdir()
    Site(folder).install("resolver", _PLUGIN)
    return folder
