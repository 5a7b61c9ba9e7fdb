// Who may do what: users, tokens, rules, TLS.

import { createHash } from "node:crypto";
import { request } from "node:https";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import bcrypt from "bcryptjs";
import { describe, expect, it } from "vitest";
import { run } from "@waybill/oci";
import { startTestRegistry, temporaryFolder, upstreamAt } from "./harness.ts";
import { ask, imageOf, pullImage, pushBlob, pushImage } from "./image.ts";
import { startUpstream } from "./upstream.ts";

const TOKEN = "t0ken-of-the-robot";
const basic = (pair: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(pair).toString("base64")}`,
});
const ANN = basic("ann:secret");
const ROBOT = { authorization: `Bearer ${TOKEN}` };

async function withUsers(rules: object[] = [], more: object = {}): Promise<string> {
  const folder = await temporaryFolder();
  await writeFile(
    join(folder, "htpasswd"),
    `# people\nann:${await bcrypt.hash("secret", 4)}\nbob:${await bcrypt.hash("other", 4)}\n`,
  );
  await writeFile(join(folder, "tokens"), `robot:${createHash("sha256").update(TOKEN).digest("hex")}\n`);
  const { url } = await startTestRegistry(
    { access: { htpasswd: "htpasswd", tokens: "tokens", rules }, ...more },
    folder,
  );
  return url;
}

describe("with users", () => {
  it("anyone may read, and users write", async () => {
    const url = await withUsers();
    const image = imageOf("a");
    expect(await pushBlob(url, "team/api", image.config)).toBe(401);
    await pushImage(url, "team/api", image, "1.0", ANN);
    expect(await pullImage(url, "team/api", "1.0")).toBe(image.manifest.digest);
  });

  it.each([
    ["a name and password", ANN, 200],
    ["a token", ROBOT, 200],
    ["a token as a password, whatever the name", basic(`anything:${TOKEN}`), 200],
    ["nothing", {}, 401],
    ["an empty pair, as podman sends without credentials", basic(":"), 401],
    ["a wrong password", basic("ann:wrong"), 401],
    ["another's password", basic("ann:other"), 401],
    ["a name that isn't there", basic("eve:secret"), 401],
    ["a wrong token", { authorization: "Bearer wrong" }, 401],
    ["a scheme of its own", { authorization: "Digest x" }, 401],
    ["no base64", { authorization: "Basic ***" }, 401],
  ])("%s", async (_what, headers, status) => {
    const url = await withUsers();
    const answer = await ask(url, "/v2/", { headers });
    expect([answer.status, answer.headers.get("www-authenticate")]).toEqual([
      status,
      status === 401 ? 'Basic realm="waybill"' : null,
    ]);
  });

  it("a wrong password is refused where none would be needed", async () => {
    const url = await withUsers();
    expect((await ask(url, "/v2/team/api/tags/list", { headers: basic("ann:wrong") })).status).toBe(401);
    expect((await ask(url, "/v2/team/api/tags/list", { headers: basic(":") })).status).toBe(404);
  });
});

describe("rules", () => {
  const RULES = [
    { repositories: "secret/**", read: ["ann"], write: ["ann"] },
    { repositories: "ci/**", read: ["users"], write: ["robot"] },
    { repositories: "**", read: ["anyone"], write: ["ann"] },
  ];

  it.each([
    ["secret/x", {}, 401, 401],
    ["secret/x", ROBOT, 403, 403],
    ["secret/x", ANN, 404, 201],
    ["ci/x", {}, 401, 401],
    ["ci/x", ANN, 404, 403],
    ["ci/x", ROBOT, 404, 201],
    ["other", {}, 404, 401],
    ["other", ROBOT, 404, 403],
    ["other", ANN, 404, 201],
  ])("for %s and %o: reading answers %i, writing %i", async (name, headers, read, write) => {
    const url = await withUsers(RULES);
    const sent = headers as Record<string, string>;
    expect((await ask(url, `/v2/${name}/manifests/1.0`, { headers: sent })).status).toBe(read);
    expect(await pushBlob(url, name, imageOf("a").config, sent)).toBe(write);
  });

  it("hold for mounts, lists and the page too: who may not read a repository learns nothing of it", async () => {
    const url = await withUsers(RULES);
    const image = imageOf("a");
    await pushImage(url, "secret/x", image, "1.0", ANN);
    const mount = `/v2/ci/x/blobs/uploads/?mount=${image.config.digest}&from=secret/x`;
    expect((await ask(url, mount, { method: "POST", headers: ROBOT })).status).toBe(202);
    for (const path of ["/v2/_catalog", "/"]) {
      expect((await ask(url, path, { headers: ROBOT })).body.toString()).not.toContain("secret");
      expect((await ask(url, path, { headers: ANN })).body.toString()).toContain("secret/x");
    }
  });

  it("hold for what comes from upstreams", async () => {
    const upstream = await startUpstream();
    upstream.hold("team/api", imageOf("a"), "1.0");
    const url = await withUsers([{ repositories: "example.com/**", read: ["ann"] }], upstreamAt(upstream.url));
    for (const path of ["/v2/example.com/team/api/manifests/1.0", "/v2/team/api/manifests/1.0?ns=example.com"]) {
      expect((await ask(url, path)).status).toBe(401);
      expect((await ask(url, path, { headers: ANN })).status).toBe(200);
    }
  });
});

describe("without users", () => {
  it("this machine may write", async () => {
    const { url } = await startTestRegistry();
    expect(await pushBlob(url, "a", imageOf("a").config)).toBe(201);
  });

  it("others may not, where they can reach it", async () => {
    const { server } = await startTestRegistry({ listen: "0.0.0.0:0" });
    const url = server.url.replace("0.0.0.0", "127.0.0.1");
    expect(await pushBlob(url, "a", imageOf("a").config)).toBe(401);
    expect((await ask(url, "/v2/")).status).toBe(200);
  });
});

describe("users' files", () => {
  it.each([
    ["htpasswd", "ann:plain"],
    ["htpasswd", "ann:$apr1$x$y"],
    ["tokens", "robot:short"],
  ])("%s with the line %s are refused, with file and line and without the secret", async (kind, line) => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, kind), `\n${line}\n`);
    const started = startTestRegistry({ access: { [kind]: kind } }, folder);
    await expect(started).rejects.toThrow(new RegExp(`^not a user's line, .*${kind}:2: `));
    await expect(started).rejects.not.toThrow(line.split(":")[1] ?? "");
  });
});

describe("TLS", () => {
  it("is spoken with the certificate given", async () => {
    const folder = await temporaryFolder();
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"];
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "key.pem"];
    await run("openssl", ["req", "-x509", ...key, "-out", "cert.pem", "-days", "1", ...subject], {
      cwd: folder,
      check: true,
    });
    const { server } = await startTestRegistry({ tls: { certificate: "cert.pem", key: "key.pem" } }, folder);
    expect(server.url).toMatch(/^https:/);
    const asked = request(`${server.url}/v2/`, { ca: await readFile(join(folder, "cert.pem")) }).end();
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    expect(response.statusCode).toBe(200);
    response.resume();
    await once(response, "end");
  });
});
