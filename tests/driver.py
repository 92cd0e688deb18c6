"""Starts the service's binary and calls it over gRPC-web, for the programs here that measure. Needs Python alone; for calls over
gRPC, curl."""

import http.client
import os
import pathlib
import platform
import re
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
# As `make release` builds it.
BINARY = ROOT / "target/released/countersign"
PASSWORD = "correct horse battery staple"


class Service:
    """The service in `folder`, with the development profile's settings and `settings` over them, on SQLite."""

    def __init__(self, folder, settings=(), binary=BINARY):
        command = [binary, "serve", "--listen", "127.0.0.1:0"]
        self.started = time.perf_counter()
        environ = environment(settings)
        self.process = subprocess.Popen(command, cwd=folder, env=environ, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if found := re.fullmatch(r"listening on http://(\S+)\n", line):
                break
        else:
            sys.exit("the service ended before it listened")
        self.listening = time.perf_counter()
        # Somebody has to take its log, or it waits for that.
        threading.Thread(target=self.process.stderr.read, daemon=True).start()
        self.connection = http.client.HTTPConnection(found[1])

    def get(self, path):
        self.connection.request("GET", path)
        self.connection.getresponse().read()

    def ask(self, method, fields=(), token=None, service="AuthService"):
        """Calls an RPC whose request has these texts in its first fields, but for each None. Gives the seconds until
        the whole answer was there, its gRPC status and its bytes."""
        headers = {"content-type": "application/grpc-web+proto", "x-grpc-web": "1"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        started = time.perf_counter()
        self.connection.request("POST", f"/countersign.v1.{service}/{method}", frame(fields), headers)
        answer = self.connection.getresponse()
        body = answer.read()
        took = time.perf_counter() - started
        # A refusal has no body, and its status among the headers.
        in_body = re.search(rb"grpc-status: ?(\d+)", body)
        status = int(in_body[1]) if in_body else int(answer.getheader("grpc-status", "2"))
        return took, status, body

    def call(self, method, fields=(), token=None, service="AuthService"):
        """The same for a call that must succeed. Gives its seconds and its bytes."""
        took, status, body = self.ask(method, fields, token, service)
        if status != 0:
            sys.exit(f"{method} failed with {status}: {body!r}")
        return took, body

    def call_over_grpc(self, method, fields=(), token=None, service="AuthService"):
        """The same over gRPC. Gives its bytes."""
        url = f"http://{self.connection.host}:{self.connection.port}/countersign.v1.{service}/{method}"
        headers = ["content-type: application/grpc", "te: trailers"] + ([f"authorization: Bearer {token}"] if token else [])
        command = ["curl", "--silent", "--show-error", "--fail", "--http2-prior-knowledge", "--data-binary", "@-", url]
        command += [argument for header in headers for argument in ("--header", header)]
        answer = subprocess.run(command, input=frame(fields), check=True, capture_output=True).stdout
        if not answer:  # as a refusal has none
            sys.exit(f"{method} over gRPC failed")
        return answer

    def memory(self):
        """What it holds of the machine's memory now, in bytes."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)[1]) * 1024

    def processor_time(self):
        """What it has had of the processors so far, in hundredths of a second."""
        stat = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return int(stat[11]) + int(stat[12])

    def stop(self):
        self.connection.close()
        self.process.terminate()
        self.process.wait()
        if self.process.returncode != 0:
            sys.exit(f"the service ended with {self.process.returncode}")


def environment(settings):
    """With these settings of the service and none of the caller's."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("COUNTERSIGN_")}
    return clean | {f"COUNTERSIGN_{name}": value for name, value in dict(settings).items()}


def frame(fields):
    """A message that has these texts in its first fields, but for each None, as gRPC sends it."""
    message = b"".join(field(number, text) for number, text in enumerate(fields, start=1) if text is not None)
    return b"\0" + len(message).to_bytes(4, "big") + message


def field(number, text):
    return bytes([number << 3 | 2]) + varint(len(text)) + text.encode()


def varint(number):
    return bytes([number]) if number < 128 else bytes([number & 127 | 128, number >> 7])


def token(kind, answer):
    return re.search(kind + rb"[A-Za-z0-9_.-]+", answer)[0].decode()


def access_token(answer):
    return token(rb"v4\.public\.", answer)


def refresh_token(answer):
    return token(rb"cs_rt_", answer)


def device_token(answer):
    # Followed by what could be taken for more of it.
    return re.search(rb"cs_dt_[A-Za-z0-9_-]{66}", answer)[0].decode()


def processor():
    found = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return f"{found[1] if found else platform.machine()}, {os.cpu_count()} processors, Linux {platform.release()}"


def commit():
    found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    return found or "unknown"
