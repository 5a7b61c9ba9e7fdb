import { builtImage } from "@waybill/testing";
import { beforeAll, describe, expect, it } from "vitest";

let image: Awaited<ReturnType<typeof builtImage>>;
beforeAll(async () => {
  image = await builtImage("python");
}, 120_000);

async function python(program: string) {
  const container = await image.run({ args: ["-c", program] });
  const { exitCode } = await container.exited();
  return { exitCode, stdout: container.stdout.trim(), stderr: container.stderr };
}

describe("the python image", () => {
  it("runs Python 3.13 as 65532, on a read-only root", async () => {
    const { stdout } = await python(
      "import os, sys; print(*sys.version_info[:2], os.getuid(), os.path.expanduser('~'), sys.getfilesystemencoding())",
    );
    expect(stdout).toBe("3 13 65532 /home/nonroot utf-8");
  });

  it("imports every module of its standard library that has a C library behind it", async () => {
    const { exitCode, stderr } = await python(
      "import asyncio, bz2, ctypes, curses, decimal, hashlib, lzma, multiprocessing, readline, sqlite3, ssl, uuid, xml.etree.ElementTree, zlib, zoneinfo",
    );
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  });

  it("has the C++ libraries that wheels expect of a system", async () => {
    const { exitCode } = await python("import ctypes; ctypes.CDLL('libstdc++.so.6'); ctypes.CDLL('libgcc_s.so.1')");
    expect(exitCode).toBe(0);
  });

  it("trusts the public CAs and knows time zones", async () => {
    const { stdout } = await python(
      "import ssl, zoneinfo; print(len(ssl.create_default_context().get_ca_certs()) > 100, zoneinfo.ZoneInfo('Europe/Berlin'))",
    );
    expect(stdout).toBe("True Europe/Berlin");
  });

  it("starts from byte code that clamped time stamps can't make stale", async () => {
    const { stdout } = await python(
      "import importlib.util, json; print(open(importlib.util.cache_from_source(json.__file__), 'rb').read(8)[4:].hex())",
    );
    // PEP 552: flags 1 is hash-based and unchecked.
    expect(stdout).toBe("01000000");
  });

  it("has no shell, no pip and no package manager", async () => {
    const { stdout } = await python(
      "import importlib.util, os; print([n for n in ['/bin/sh', '/usr/bin/dpkg', '/usr/bin/apt-get'] if os.path.exists(n)], importlib.util.find_spec('pip'))",
    );
    expect(stdout).toBe("[] None");
  });
});
