"""What is asked of the service all the time, for the programs here that look at what of it runs."""

import itertools
import os
import subprocess
import sys
import time

from driver import PASSWORD, access_token, device_token, environment, refresh_token

EMAIL = "ada@example.com"
NUMBERS = itertools.count()


def databases():
    """The settings for both, which are empty: SQLite, and a database of the PostgreSQL that `tests/with-postgres` started."""
    server, name = os.environ["COUNTERSIGN_TEST_POSTGRES"], f"usual_{next(NUMBERS)}"
    subprocess.run(["psql", "--quiet", "--command", f"CREATE DATABASE {name}", server], check=True)
    return [{}, {"DATABASE__URL": f"{server.rpartition('/')[0]}/{name}"}]


class Callers:
    """Somebody who signs in from a device that is known, and a service that asks about the tokens."""

    def __init__(self, service, folder, settings, binary):
        create = [binary, "backend", "create", "--name", "api"]
        created = subprocess.run(create, cwd=folder, env=environment(settings), check=True, capture_output=True, text=True)
        self.key = created.stdout.strip()
        service.call("SignUp", [EMAIL, PASSWORD, "Ada"])
        self.device = None
        token, _ = self.sign_in(over_grpc_web(service))
        for _ in range(200):  # until the service has learnt of the key, which takes a moment
            if service.ask("VerifyToken", [token], self.key, "TokenService")[1] == 0:
                return
            time.sleep(0.05)
        sys.exit("the service does not know the key that was made for another service")

    def sign_in(self, call):
        """Gives the tokens for access and refreshing."""
        answer = call("Login", [EMAIL, PASSWORD, None, self.device])
        self.device = device_token(answer)
        return access_token(answer), refresh_token(answer)

    def call(self, service, times=1):
        """Over gRPC-web and over gRPC: a sign-in, so many questions about the token, and a new one."""
        for call in over_grpc_web(service), service.call_over_grpc:
            access, refresh = self.sign_in(call)
            for _ in range(times):
                call("WhoAmI", (), access)
                call("VerifyToken", [access], self.key, "TokenService")
            call("Refresh", [refresh])


def over_grpc_web(service):
    return lambda *call: service.call(*call)[1]
