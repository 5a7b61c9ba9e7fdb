// What an upstream can do to us, and what our clients see of it. "Not there" and "can't be asked" are told apart: clients end at the
// first, and go to the upstream themselves at the second.

import type { ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { settled, startTestRegistry, upstreamAt } from "./harness.ts";
import { ask, imageOf, OCI_MANIFEST, pullImage } from "./image.ts";
import { startUpstream } from "./upstream.ts";
import type { FakeUpstream, Fault } from "./upstream.ts";

const NAME = "example.com/team/api";
const status =
  (code: number, headers: Record<string, string> = {}): Fault =>
  (_asked, response) => {
    response.writeHead(code, headers).end();
    return true;
  };
const hang: Fault = () => true;
const hangUp: Fault = (_asked, response) => {
  response.socket?.destroy();
  return true;
};
const trickle: Fault = (_asked, response) => {
  response.writeHead(200, { "content-type": OCI_MANIFEST, "content-length": 500 });
  response.write("{");
  return true;
};
const send =
  (body: string | Buffer, headers: Record<string, string> = {}): Fault =>
  (_asked, response) => {
    response.writeHead(200, { "content-type": OCI_MANIFEST, ...headers }).end(body);
    return true;
  };

/** What a client without a copy is told, and what one gets whose tag is here. */
const FAULTS: { fault: string; does: Fault | "refused"; cold: number; stale: number }[] = [
  { fault: "refuses connections", does: "refused", cold: 502, stale: 200 },
  { fault: "hangs", does: hang, cold: 502, stale: 200 },
  { fault: "hangs up", does: hangUp, cold: 502, stale: 200 },
  { fault: "stops in the middle", does: trickle, cold: 502, stale: 200 },
  { fault: "answers 401", does: status(401), cold: 403, stale: 200 },
  { fault: "answers 403", does: status(403), cold: 403, stale: 200 },
  { fault: "answers 404", does: status(404), cold: 404, stale: 404 },
  { fault: "answers 429", does: status(429, { "retry-after": "17" }), cold: 429, stale: 200 },
  { fault: "answers 500", does: status(500), cold: 502, stale: 200 },
  { fault: "answers 503", does: status(503), cold: 502, stale: 200 },
  { fault: "sends no manifest", does: send("<html>welcome</html>"), cold: 502, stale: 200 },
  {
    fault: "sends another manifest than it says",
    does: send("{}", { "docker-content-digest": `sha256:${"0".repeat(64)}` }),
    cold: 502,
    stale: 200,
  },
  { fault: "sends a manifest without end", does: send(Buffer.alloc(5_000_000, " ")), cold: 502, stale: 200 },
  {
    fault: "redirects in circles",
    does: status(302, { location: "/v2/team/api/manifests/1.0" }),
    cold: 502,
    stale: 200,
  },
  { fault: "redirects to no URL", does: status(307, { location: "file:///etc/passwd" }), cold: 502, stale: 200 },
  {
    fault: "wants a token of a server that isn't there",
    does: status(401, { "www-authenticate": 'Bearer realm="http://127.0.0.1:1/token"' }),
    cold: 502,
    stale: 200,
  },
];

async function misbehave(upstream: FakeUpstream, does: Fault | "refused"): Promise<void> {
  if (does === "refused") await upstream.close();
  else upstream.fault = does;
}

describe.each(FAULTS)("an upstream that $fault", ({ does, cold, stale }) => {
  it(`makes a cold tag answer ${cold}, and soon`, async () => {
    const upstream = await startUpstream();
    const { url } = await startTestRegistry(upstreamAt(upstream.url));
    await misbehave(upstream, does);
    const answer = await ask(url, `/v2/${NAME}/manifests/1.0`);
    expect(answer.status).toBe(cold);
    expect(answer.headers.get("retry-after")).toBe(cold === 429 ? "17" : null);
  });

  it(`makes a tag that is here answer ${stale}`, async () => {
    const upstream = await startUpstream();
    const registry = await startTestRegistry(upstreamAt(upstream.url));
    const image = imageOf("a");
    upstream.hold("team/api", image, "1.0");
    await pullImage(registry.url, NAME, "1.0");
    await settled(registry);
    await misbehave(upstream, does);
    const answer = await ask(registry.url, `/v2/${NAME}/manifests/1.0`);
    expect(answer.status).toBe(stale);
    if (stale !== 200) return;
    expect(answer.headers.get("warning")).toMatch(/^110 /);
    expect(await pullImage(registry.url, NAME, "1.0")).toBe(image.manifest.digest);
  });
});

// From a megabyte on, a body is read straight from the socket.
describe.each([400_000, 3_000_000])("a blob of %d bytes whose upstream", (length) => {
  const image = imageOf("a", length);
  const layer = image.layers[1] as (typeof image.layers)[number];
  const bytes = layer.bytes;
  const head = (response: ServerResponse, length: number): ServerResponse =>
    response.writeHead(200, { "content-length": length });

  /** "none": the client must not get a whole answer; a number: it must get that status. */
  const BLOB_FAULTS: { fault: string; does: Fault | "refused"; expected: "none" | number }[] = [
    { fault: "refuses connections", does: "refused", expected: 502 },
    { fault: "hangs", does: hang, expected: 502 },
    { fault: "answers 404", does: status(404), expected: 404 },
    { fault: "answers 401", does: status(401), expected: 403 },
    { fault: "answers 429", does: status(429, { "retry-after": "5" }), expected: 429 },
    { fault: "answers 500", does: status(500), expected: 502 },
    {
      fault: "sends other bytes",
      does: (_, response) => Boolean(head(response, bytes.length).end(Buffer.alloc(bytes.length))),
      expected: "none",
    },
    {
      fault: "sends one bit wrong",
      does: (_, response) => Boolean(head(response, bytes.length).end(flipped(bytes))),
      expected: "none",
    },
    {
      fault: "sends less than it says, whenever asked",
      does: (_, response) => {
        head(response, bytes.length).write(bytes.subarray(0, 1000), () => response.destroy());
        return true;
      },
      expected: "none",
    },
    {
      fault: "says less than there is",
      does: (_, response) => Boolean(head(response, 1000).end(bytes.subarray(0, 1000))),
      expected: "none",
    },
    {
      fault: "sends a longer blob",
      does: (_, response) => Boolean(head(response, bytes.length + 5).end(Buffer.concat([bytes, Buffer.alloc(5)]))),
      expected: "none",
    },
    {
      fault: "sends other bytes and no length",
      does: (_, response) => Boolean(response.writeHead(200).end(Buffer.alloc(5000))),
      expected: "none",
    },
  ];

  it.each(BLOB_FAULTS)("$fault is not served as if it were right, nor kept", async ({ does, expected }) => {
    const upstream = await startUpstream();
    const registry = await startTestRegistry(upstreamAt(upstream.url));
    upstream.hold("team/api", image, "1.0");
    if (does === "refused") await upstream.close();
    else
      upstream.fault = (asked, response) =>
        asked.path.includes(layer.digest) && asked.method === "GET" && does(asked, response);
    const answer = ask(registry.url, `/v2/${NAME}/blobs/${layer.digest}`);
    if (expected === "none") expect([undefined, 502]).toContain((await answer.catch(() => undefined))?.status);
    else expect((await answer).status).toBe(expected);
    await settled(registry);
    upstream.fault = undefined;
    if (does === "refused") await upstream.reopen();
    // It was no one's fault but the upstream's: once that is well, so is the blob.
    await expect
      .poll(async () => (await ask(registry.url, `/v2/${NAME}/blobs/${layer.digest}`)).body.equals(bytes), {
        timeout: 40_000,
        interval: 500,
      })
      .toBe(true);
  });

  it("breaks off, again and again, comes whole: each time from where it stopped", async () => {
    const upstream = await startUpstream();
    const { url } = await startTestRegistry(upstreamAt(upstream.url));
    upstream.hold("team/api", image, "1.0");
    let breaks = 0;
    upstream.fault = ({ path, method }, response) => {
      if (!path.includes(layer.digest) || method !== "GET" || breaks === 3) return false;
      breaks++;
      if (breaks > 1) return false;
      head(response, bytes.length).write(bytes.subarray(0, length / 4), () => response.destroy());
      return true;
    };
    expect((await ask(url, `/v2/${NAME}/blobs/${layer.digest}`)).body.equals(bytes)).toBe(true);
    expect(upstream.count("GET", layer.digest)).toBe(2);
  });

  it("falls silent in the middle is asked again", async () => {
    const upstream = await startUpstream();
    const { url } = await startTestRegistry(upstreamAt(upstream.url));
    upstream.hold("team/api", image, "1.0");
    let asked = 0;
    upstream.fault = ({ path, method }, response) => {
      if (!path.includes(layer.digest) || method !== "GET" || asked++ > 0) return false;
      head(response, bytes.length).write(bytes.subarray(0, length / 4));
      return true;
    };
    expect((await ask(url, `/v2/${NAME}/blobs/${layer.digest}`)).body.equals(bytes)).toBe(true);
  });
});

describe("an upstream that fails again and again", () => {
  it("is left alone for a while: nobody waits for it any more, and it is tried again later", async () => {
    const upstream = await startUpstream();
    const { url, server } = await startTestRegistry(upstreamAt(upstream.url));
    upstream.fault = hang;
    for (let i = 0; i < 3; i++) await ask(url, `/v2/${NAME}/manifests/t${i}`);
    const before = upstream.asked.length;
    const answer = await ask(url, `/v2/${NAME}/manifests/t4`);
    expect([answer.status, Number(answer.headers.get("retry-after"))]).toEqual([503, expect.closeTo(3, -1)]);
    expect(upstream.asked).toHaveLength(before);
    expect(server.registry.upstreams.health()[0]).toMatchObject({ host: "example.com", state: "open" });
    upstream.fault = undefined;
    upstream.hold("team/api", imageOf("a"), "1.0");
    await expect
      .poll(async () => (await ask(url, `/v2/${NAME}/manifests/1.0`)).status, { timeout: 40_000, interval: 500 })
      .toBe(200);
  });

  it("is no reason not to start", async () => {
    const upstream = await startUpstream();
    await upstream.close();
    const { url } = await startTestRegistry(upstreamAt(upstream.url));
    expect((await ask(url, "/v2/")).status).toBe(200);
  });
});

describe("credentials for an upstream", () => {
  const password = "p4ssw0rd";
  const right = `Basic ${Buffer.from(`me:${password}`).toString("base64")}`;

  async function withPassword(upstream: FakeUpstream): Promise<string> {
    const { writeFile } = await import("node:fs/promises");
    const { join } = await import("node:path");
    const { temporaryFolder } = await import("./harness.ts");
    const passwordFile = join(await temporaryFolder(), "password");
    await writeFile(passwordFile, `${password}\n`);
    const { url } = await startTestRegistry(
      upstreamAt(upstream.url, { credentials: { username: "me", passwordFile } }),
    );
    return url;
  }

  it("open what is private", async () => {
    const upstream = await startUpstream();
    const image = imageOf("private");
    upstream.hold("team/api", image, "1.0");
    upstream.fault = ({ authorization }, response) =>
      authorization !== right && Boolean(response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end());
    expect(await pullImage(await withPassword(upstream), NAME, "1.0")).toBe(image.manifest.digest);
  });

  it("are not sent to another origin that a download redirects to", async () => {
    const [upstream, storage] = [await startUpstream(), await startUpstream()];
    const image = imageOf("private");
    for (const each of [upstream, storage]) each.hold("team/api", image, "1.0");
    upstream.fault = ({ authorization, path, method }, response) => {
      if (authorization !== right)
        return Boolean(response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end());
      if (!path.includes("/blobs/") || method !== "GET") return false;
      return Boolean(response.writeHead(307, { location: `${storage.url}${path}` }).end());
    };
    expect(await pullImage(await withPassword(upstream), NAME, "1.0")).toBe(image.manifest.digest);
    expect(storage.asked.length).toBeGreaterThan(0);
    expect(storage.asked.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
  });

  it("are not sent to a token realm of strangers (CVE-2026-33540)", async () => {
    const [upstream, stranger] = [await startUpstream(), await startUpstream()];
    const realm = stranger.url.replace("127.0.0.1", "localhost");
    stranger.fault = (_asked, response) =>
      Boolean(response.writeHead(200, { "content-type": "application/json" }).end('{"token":"t"}'));
    upstream.fault = status(401, { "www-authenticate": `Bearer realm="${realm}/token",service="x"` });
    expect((await ask(await withPassword(upstream), `/v2/${NAME}/manifests/1.0`)).status).toBe(403);
    expect(stranger.asked.length).toBeGreaterThan(0);
    expect(stranger.asked.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
  });
});

function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy[1234] = (copy[1234] ?? 0) ^ 1;
  return copy;
}
