// The units we write, read by systemd itself.

import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { systemdFiles } from "@waybill/mirror/systemd";
import { type RunResult, run } from "@waybill/oci";
import { serverProcess } from "@waybill/registry";
import { type TestContext, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../registry/test/harness.ts";

const REPO = join(import.meta.dirname, "../../..");

function planOf(folder: string, user = false): Parameters<typeof systemdFiles>[0] {
  const argv = [process.execPath, join(REPO, "tools/cli/src/waybill.ts"), "mirror", "sync", "--dir", folder];
  return { folder, user, server: serverProcess(folder), sync: { argv, cwd: REPO } };
}

/** Writes them as `waybill mirror systemd --out` does. @returns the folder with the units */
async function write({ files }: ReturnType<typeof systemdFiles>): Promise<string> {
  const out = await temporaryFolder();
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(out, path)), { recursive: true });
    await writeFile(join(out, path), text);
  }
  const unit = Object.keys(files).find((path) => path.endsWith("waybill-mirror-sync.timer")) ?? "";
  return join(out, dirname(unit));
}

/** Skipped, out loud, where there is no systemd. */
async function analyze({ skip }: TestContext, ...args: string[]): Promise<RunResult> {
  const result = await run("systemd-analyze", args, {
    env: { SYSTEMD_PAGER: "cat", XDG_RUNTIME_DIR: await temporaryFolder() },
  }).catch(() => undefined);
  if (result === undefined) console.warn("SKIPPED: no systemd-analyze here (apt-get install systemd)");
  skip(result === undefined, "needs systemd-analyze");
  return result as RunResult;
}

describe.each([
  ["the machine's systemd", false],
  ["a user's systemd", true],
])("units for %s", { timeout: 60_000 }, (_whose, user) => {
  it.for(["/srv/mirror", '/srv/a mirror/100%/"quoted" $HOME'])(
    "pass systemd-analyze verify: %s",
    async (folder, context) => {
      const units = await write(systemdFiles(planOf(folder, user)));
      const files = (await readdir(units)).map((name) => join(units, name));
      expect(files).toHaveLength(3);
      const { exitCode, stderr } = await analyze(context, "verify", ...(user ? ["--user"] : []), "--man=no", ...files);
      expect([exitCode, stderr]).toEqual([0, ""]);
    },
  );
});

describe("units for the machine's systemd", { timeout: 60_000 }, () => {
  it.for(["waybill-mirror.service", "waybill-mirror-sync.service"])(
    "leave %s little to do harm with",
    async (unit, context) => {
      const units = await write(systemdFiles(planOf("/srv/mirror")));
      // Tenths: 1.3 is what is reached, and a service that needs the network can't come much lower.
      const { exitCode, stdout } = await analyze(
        context,
        "security",
        "--offline=true",
        "--threshold=15",
        join(units, unit),
      );
      expect(exitCode, stdout.slice(-500)).toBe(0);
    },
  );

  it("sync at two in the night, with jitter, and make up for what was missed", async (context) => {
    const units = await write(systemdFiles(planOf("/srv/mirror")));
    const timer = await readFile(join(units, "waybill-mirror-sync.timer"), "utf8");
    const when = /^OnCalendar=(.*)$/m.exec(timer)?.[1] ?? "";
    expect((await analyze(context, "calendar", when)).stdout).toMatch(/Next elapse: .* 02:00:00/);
    expect(timer).toMatch(/^RandomizedDelaySec=30min$/m);
    expect(timer).toMatch(/^Persistent=true$/m);
  });

  it("keep logs for thirty days, in a journal of the mirror's own", async (context) => {
    const { files } = systemdFiles(planOf("/srv/mirror"));
    const kept = /^MaxRetentionSec=(.*)$/m.exec(files["etc/systemd/journald@waybill-mirror.conf"] ?? "")?.[1] ?? "";
    expect((await analyze(context, "timespan", kept)).stdout).toContain(`${30 * 86_400}000000`);
    for (const unit of ["waybill-mirror", "waybill-mirror-sync"])
      expect(files[`etc/systemd/system/${unit}.service`]).toMatch(/^LogNamespace=waybill-mirror$/m);
  });

  it("log under their own names, and try for ever to serve", () => {
    const { files } = systemdFiles(planOf("/srv/mirror"));
    const units = Object.entries(files).filter(([path]) => path.endsWith(".service"));
    for (const [, text] of units) expect(text).toMatch(/^SyslogIdentifier=%N$/m);
    expect(files["etc/systemd/system/waybill-mirror.service"]).toMatch(/^StartLimitIntervalSec=0$/m);
  });

  it("run from a checkout in a home, of which they see nothing else", () => {
    const plan = { ...planOf("/srv/mirror"), sync: { argv: ["/root/waybill/node"], cwd: "/root/waybill" } };
    expect(systemdFiles(plan).files["etc/systemd/system/waybill-mirror.service"]).toMatch(
      /^ProtectHome=tmpfs\nBindReadOnlyPaths=\/root\/waybill$/m,
    );
  });

  it("don't keep a store in a home, which they couldn't see", () => {
    expect(() => systemdFiles(planOf("/home/alice/mirror"))).toThrow(/services see no homes.*--dir \/var\/lib/);
  });

  it("sync alone, where another registry is the mirror", () => {
    const { files, next } = systemdFiles({ ...planOf("/srv/mirror"), server: undefined });
    expect(Object.keys(files).filter((path) => path.endsWith(".service"))).toEqual([
      "etc/systemd/system/waybill-mirror-sync.service",
    ]);
    expect(next.join("\n")).not.toContain("waybill-mirror.service ");
  });
});
