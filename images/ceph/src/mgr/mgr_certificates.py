"""mgr_util's functions for certificates, in a process of their own.

They need python3-cryptography, which like python3-bcrypt (see bcrypt.py) can be loaded once in a process: the module restful
could not be run, the dashboard could not serve TLS. mgr_util calls `replace` in the mgr; this file run as a program is the
other end: a JSON array of name, arguments, named arguments on standard input, the answer on standard output.
"""

import json
import subprocess
import sys

NAMES = ("create_self_signed_cert", "get_cert_issuer_info", "verify_cacrt_content", "verify_tls", "verify_tls_files")


def replace(mgr_util: dict) -> None:
    """Puts callers of the other process in place of the functions. Takes the namespace of mgr_util."""
    for name in NAMES:
        if name not in mgr_util:
            raise ImportError(f"mgr_util has no {name} any more")
        mgr_util[name] = _caller(name, {"ValueError": ValueError, "ServerConfigException": mgr_util["ServerConfigException"]})


def _caller(name: str, errors: dict):
    def call(*args, **kwargs):
        # sys.executable is ceph-mgr here.
        command = ["/usr/bin/python3", __file__]
        done = subprocess.run(command, input=json.dumps([name, args, kwargs]), capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{name} failed in its process: {done.stderr}")
        answer = json.loads(done.stdout)
        if "error" in answer:
            raise errors[answer["error"]](answer["message"])
        value = answer["value"]
        return tuple(value) if isinstance(value, list) else value

    call.__name__ = name
    return call


def main() -> None:
    import mgr_util

    name, args, kwargs = json.load(sys.stdin)
    if name not in NAMES:
        raise ValueError(f"unknown function {name}")
    try:
        answer = {"value": getattr(mgr_util, name)(*args, **kwargs)}
    except (ValueError, mgr_util.ServerConfigException) as error:
        kind = "ServerConfigException" if isinstance(error, mgr_util.ServerConfigException) else "ValueError"
        answer = {"error": kind, "message": str(error)}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
