"""An HTTP server that breaks connections, is busy and sends the wrong part."""

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server(ThreadingHTTPServer):
    """Serves ``files`` (path: content), with parts of them where ``ranges`` is true.

    Each entry (end of a path, kind, value) of ``faults`` spoils one answer: "break" after so many
    bytes, "busy" for so many seconds, "shift" to a part that was not asked for. ``asked`` lists
    (file name, first byte) of every request.
    """

    def __init__(self, files):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.faults, self.asked, self.ranges = files, [], [], True
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def handle_error(self, *_):
        pass


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        server, path = self.server, self.path[1:]
        start = int(re.sub(r"\D", "", self.headers.get("Range", "0")))
        server.asked.append((path.split("/")[-1], start))
        fault = next((f for f in server.faults if path.endswith(f[0])), None)
        if fault:
            server.faults.remove(fault)
        kind, value = fault[1:] if fault else ("", 0)
        content = server.files.get(path)
        if kind == "busy":
            self.answer(429, b"", {"Retry-After": str(value)})
        elif content is None:
            self.answer(404, b"nothing here")
        elif start and server.ranges and start >= len(content):
            self.answer(416, b"", {"Content-Range": f"bytes */{len(content)}"})
        elif kind == "shift":
            self.answer(206, content[start + 1 :], {"Content-Range": f"bytes {start + 1}-"})
        elif start and server.ranges:
            head = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
            self.answer(206, content[start:], head)
        else:
            self.answer(200, content, stop=value if kind == "break" else None)

    def answer(self, status, content, head=None, stop=None):
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(content))} | (head or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content[:stop])
        self.close_connection = stop is not None
