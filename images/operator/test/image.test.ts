// What is true of the image without a cluster; the other tests run the program in it, with a read-only root file system.

import { builtImage, freePort, until } from "@waybill/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { IMAGES, statusOf } from "./support/operator.ts";

let image: Awaited<ReturnType<typeof builtImage>>;
beforeAll(async () => {
  image = await builtImage("operator");
});

const run = async (options: Parameters<typeof image.run>[0]): Promise<{ exitCode: number; said: string }> => {
  const container = await image.run({ network: "none", ...options });
  const { exitCode } = await container.exited();
  return { exitCode, said: container.stdout + container.stderr };
};

test("it runs as 65532, listens on 8080 and 8081, and checks its own health", () => {
  expect(image.record.platforms[0]).toMatchObject({
    user: "65532:65532",
    entrypoint: ["/usr/local/bin/operator"],
    exposedPorts: ["8080/tcp", "8081/tcp"],
    healthcheck: ["CMD", "/usr/local/bin/operator", "healthcheck"],
  });
});

describe("modes", () => {
  test("the argument wins over WAYBILL_MODE, which wins over manager", async () => {
    expect(await run({ env: { WAYBILL_MODE: "version" } })).toMatchObject({ exitCode: 0 });
    expect((await run({ args: ["crds"], env: { WAYBILL_MODE: "version" } })).said).toContain("agents.kaos.tools");
    expect((await run({})).said).toContain("DEFAULT_AGENT_IMAGE");
  });

  test.each([
    [
      { args: ["dance"] },
      'unknown mode "dance", first argument: the modes are manager, explorer, crds, healthcheck, version',
    ],
    [{ env: { WAYBILL_MODE: "sing" } }, 'unknown mode "sing", WAYBILL_MODE: the modes are manager, explorer'],
    [{ args: ["manager", "now"] }, 'manager takes no argument "now"'],
    [{ args: ["--leader-elekt"] }, "flag provided but not defined: -leader-elekt"],
    [{ args: ["--leader-elect"], env: IMAGES }, "--leader-elect needs SYSTEM_NAMESPACE"],
    [
      {},
      "lacks the images of DEFAULT_AGENT_IMAGE, DEFAULT_LITELLM_IMAGE, DEFAULT_MCP_SERVER_IMAGE, DEFAULT_OLLAMA_IMAGE",
    ],
  ])("%o makes no sense: exit 2", async (options, reason) => {
    const { exitCode, said } = await run(options);
    expect(said).toContain(reason);
    expect(exitCode).toBe(2);
  });

  test("without a cluster to be found it ends with 1", async () => {
    const { exitCode, said } = await run({ env: IMAGES });
    expect(said).toContain("can't go on");
    expect(exitCode).toBe(1);
  });

  test("the health check finds nobody where nobody is", async () => {
    expect((await run({ args: ["healthcheck"] })).exitCode).toBe(1);
  });
});

test("it runs as any user, and has no shell", async () => {
  expect((await run({ args: ["version"], user: "1000:1000" })).said).toContain("sigs.k8s.io/controller-runtime v0.");
  expect((await run({ entrypoint: "/bin/sh", args: ["-c", "true"] })).exitCode).not.toBe(0);
});

describe("the explorer", () => {
  test("serves Swagger UI and the kinds' OpenAPI, and stops at SIGTERM", async () => {
    const port = await freePort();
    const container = await image.run({ args: ["explorer", `--explorer-bind-address=127.0.0.1:${port}`] });
    const base = `http://127.0.0.1:${port}`;
    await until("the explorer", async () => (await statusOf(`${base}/explorer/`)) === 200);

    const page = await fetch(`${base}/`);
    expect(page.url).toBe(`${base}/explorer/`);
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
    const named = [...(await page.text()).matchAll(/(?:src|href)="([a-z][^":]*)"/g)].map(([, file]) => file);
    expect(named).toEqual(["swagger-ui.css", "openapi.json", "swagger-ui-bundle.js", "explorer.js"]);
    for (const file of named) expect(await statusOf(`${base}/explorer/${file}`), file).toBe(200);

    const document = (await (await fetch(`${base}/explorer/openapi.json`)).json()) as {
      paths: object;
      components: { schemas: Record<string, { properties: { spec: { required: string[] } } }> };
    };
    expect(Object.keys(document.components.schemas).sort()).toEqual(["Agent", "MCPServer", "ModelAPI"]);
    expect(document.components.schemas["Agent"]?.properties.spec.required).toEqual(["model", "modelAPI"]);
    expect(Object.keys(document.paths)).toContain("/apis/kaos.tools/v1alpha1/namespaces/{namespace}/agents");
    expect(await statusOf(`${base}/explorer/../../etc/passwd`)).toBe(404);
    expect(await container.stop()).toMatchObject({ exitCode: 0 });
  });
});

describe("the variant debug", () => {
  test("has bash, tini, curl, kubectl and jq, and runs the operator as its modes", async () => {
    const debug = await builtImage("operator", "debug");
    const script = `set -e
      bash --version | head -n 1; tini --version; curl --version | head -n 1; jq --version; ls / >/dev/null
      kubectl version --client -o json | jq -r .clientVersion.gitVersion
      operator version | head -n 1; id -u`;
    const container = await debug.run({ entrypoint: "/usr/bin/bash", args: ["-c", script], network: "none" });
    const { exitCode } = await container.exited();
    expect(container.stdout + container.stderr).toMatch(
      /^GNU bash, .+\ntini version .+\ncurl \d.+\njq-\d.+\nv1\.\d+\.\d+\noperator of Waybill.+\n65532\n$/,
    );
    expect(exitCode).toBe(0);
    const refused = await debug.run({ args: ["dance"], network: "none" });
    expect((await refused.exited()).exitCode).toBe(2);
  });
});
