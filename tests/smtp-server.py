"""A real mail server (aiosmtpd) that tests send to, and whose moods they choose.

    .tools/bin/python tests/smtp-server.py [--security tls|starttls|none] [--certificate PEM --key PEM] [--user NAME:PASSWORD]

Says `port N` first. Takes lines on standard input, and says each back once it has done what it says and has told of every
letter before it. `mood NAME` changes how it behaves from the next connection on:

    well        takes every letter, but not those to absent@…, and is busy for those to busy@…
    refusing    nobody listens
    silent      accepts connections and never says a word
    busy        answers RCPT with 451
    strict      answers MAIL with 550
    full        answers DATA, once it has the letter, with 452
    cutting     hangs up in the middle of DATA
    forgetful   takes the letter and hangs up instead of saying so

Each letter that it takes is one line, `letter {json}`. Ends when its standard input does.
"""

import argparse
import asyncio
import json
import logging
import ssl
import sys
import warnings

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

mood = "well"
held = set()


def say(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class Handler:
    async def handle_MAIL(self, server, session, envelope, address, options):
        if mood == "strict":
            return "550 5.7.1 the sender is not welcome"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if mood == "busy" or address.startswith("busy@"):
            return f"451 4.3.0 <{address}> later"
        if address.startswith("absent@"):
            return f"550 5.1.1 <{address}> is nobody here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if mood == "full":
            return "452 4.3.1 no room left"
        login = session.auth_data.login.decode() if session.auth_data else None
        letter = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "options": envelope.mail_options,
            "data": envelope.original_content.decode("latin-1"),
            "tls": session.ssl is not None or isinstance(server.transport.get_extra_info("sslcontext"), ssl.SSLContext),
            "user": login,
        }
        say("letter " + json.dumps(letter))
        if mood == "forgetful":
            server.transport.abort()
            await asyncio.Event().wait()
        return "250 OK"


class Server(SMTP):
    async def smtp_DATA(self, arg):
        if mood == "cutting":
            await self.push("354 go ahead")
            await self._reader.read(64)
            self.transport.abort()
            await asyncio.Event().wait()
        await super().smtp_DATA(arg)


class Silence(asyncio.Protocol):
    def connection_made(self, transport):
        held.add(transport)

    def connection_lost(self, error):
        pass


def authenticator(user):
    name, password = user.split(":", 1)
    expected = LoginPassword(name.encode(), password.encode())
    return lambda server, session, envelope, mechanism, given: AuthResult(
        success=given == expected, handled=False, auth_data=given
    )


def protocol(arguments, context):
    starttls = context if arguments.security == "starttls" else None

    def make():
        if mood == "silent":
            return Silence()
        return Server(
            Handler(),
            hostname="mail.example.com",
            tls_context=starttls,
            require_starttls=starttls is not None,
            auth_required=arguments.user is not None,
            auth_require_tls=arguments.security == "starttls",
            authenticator=authenticator(arguments.user) if arguments.user else None,
        )

    return make


async def main(arguments):
    global mood
    context = None
    if arguments.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(arguments.certificate, arguments.key)
    loop = asyncio.get_running_loop()
    make = protocol(arguments, context)
    # A server that never says a word does not shake hands either.
    over_tls = lambda: context if arguments.security == "tls" and mood != "silent" else None
    server = await loop.create_server(make, "127.0.0.1", 0, ssl=over_tls())
    port = server.sockets[0].getsockname()[1]
    say(f"port {port}")

    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := (await reader.readline()).decode().strip():
        if line.startswith("mood "):
            mood = line.removeprefix("mood ")
            if server:
                server.close()
                server = None
            while held:
                held.pop().abort()
            if mood != "refusing":
                server = await loop.create_server(make, "127.0.0.1", port, ssl=over_tls())
        say(line)


if __name__ == "__main__":
    # That TLS from the first byte is TLS, aiosmtpd does not know.
    warnings.simplefilter("ignore")
    logging.disable()
    parser = argparse.ArgumentParser()
    parser.add_argument("--security", choices=["tls", "starttls", "none"], default="none")
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    parser.add_argument("--user")
    asyncio.run(main(parser.parse_args()))
