"""A vendor's API for the proxy in the VM: answers chat requests, records the keys it is shown.

python3 upstream.py PORT FILE      one line a request: model, tab, Authorization header
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PORT, RECORD = int(sys.argv[1]), Path(sys.argv[2])


class Vendor(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with RECORD.open("a") as record:
            record.write(f"{request['model']}\t{self.headers['Authorization']}\n")
        message = {"role": "assistant", "content": "from the vendor"}
        answer = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": request["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        }
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("0.0.0.0", PORT), Vendor).serve_forever()
