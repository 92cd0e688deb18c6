"""Builds the service as Cargo's release profile says, and by a profile of what runs (docs/decisions/0023); with its symbols. Linux
alone."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import usual
from driver import ROOT, Service

CARGO = ["cargo", "build", "--release", "--locked", "--bin", "countersign"]
# So many sign-ins of each kind, with so many questions to each, and so long without any, in seconds.
SIGN_INS, QUESTIONS, QUIET = 60, 5, 5


def as_cargo_does():
    return build("plain")


def by_profile():
    profile, merge = ROOT / "target/profile", profile_merger()
    merged = profile / "merged.profdata"
    binary = build("instrumented", f"-Cprofile-generate={profile}")
    if not merged.exists() or merged.stat().st_mtime < binary.stat().st_mtime:
        # Cargo would not see that another profile makes another program.
        for folder in profile, ROOT / "target/optimized":
            shutil.rmtree(folder, ignore_errors=True)
        train(binary)
        subprocess.run([merge, "merge", "-o", merged, *profile.glob("*.profraw")], check=True)
    return build("optimized", f"-Cprofile-use={merged}", *packed())


def packed():
    """What has the places that are set when a program is loaded take a thirtieth of their half MiB, which glibc can read since
    2.36."""
    if host().endswith("-gnu") and version(os.confstr("CS_GNU_LIBC_VERSION")) >= (2, 36):
        return ["-Clink-arg=-Wl,-z,pack-relative-relocs"]
    return []


def version(text):
    return tuple(int(number) for number in re.findall(r"\d+", text)[:2])


def build(name, *flags):
    """In a folder of its own. Flags are for what is built for the target alone, so the target is named."""
    target, folder = host(), ROOT / "target" / name
    command = [*CARGO, "--target", target, "--target-dir", folder]
    flags = {"CARGO_ENCODED_RUSTFLAGS": "\x1f".join([*flags, "-Cstrip=none"])}
    subprocess.run(command, cwd=ROOT, env=os.environ | flags, check=True)
    return folder / target / "release/countersign"


def train(binary):
    """Has the binary do what it does all the time, on both databases; it writes what ran when it ends."""
    for settings in usual.databases():
        with tempfile.TemporaryDirectory() as folder:
            service = Service(folder, settings, binary=binary)
            callers = usual.Callers(service, folder, settings, binary)
            for _ in range(SIGN_INS):
                callers.call(service, QUESTIONS)
            time.sleep(QUIET)
            service.stop()


def profile_merger():
    """The one that belongs to the compiler, whose format no other need know."""
    tools = pathlib.Path(compiler("--print=sysroot", "(.*)")) / "lib/rustlib" / host() / "bin"
    merger = tools / "llvm-profdata"
    if not merger.exists() and shutil.which("rustup"):
        subprocess.run(["rustup", "component", "add", "llvm-tools"], cwd=ROOT, check=True)
    return merger if merger.exists() else sys.exit(f"the compiler's llvm-tools are missing: there is no {merger}")


def host():
    return compiler("-vV", r"^host: (.*)$")


def compiler(question, answer):
    said = subprocess.run(["rustc", question], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return re.search(answer, said, re.MULTILINE)[1]
