// The values' schema: what makes no sense is refused, by name, before anything is rendered.

import { type Kubernetes, startKubernetes } from "@waybill/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { render } from "./support/chart.ts";

let kubernetes: Kubernetes;
beforeAll(async () => {
  kubernetes = await startKubernetes();
});
afterAll(() => kubernetes.stop());

const REFUSED: [flag: string, names: RegExp][] = [
  ["controllerManager.replicas=-1", /controllerManager[/.]replicas/],
  ["controllerManager.manager.image.tag=", /controllerManager[/.]manager[/.]image[/.]tag/],
  ["controllerManager.manager.image.digest=sha256:abc", /image[/.]digest/],
  ["controllerManager.manager.images.tag=1", /images/],
  ["defaultImages.agentRuntime=Not An Image", /defaultImages[/.]agentRuntime/],
  ["webhook.tls.source=letsencrypt", /webhook[/.]tls[/.]source/],
  ["webhook.tls.source=secret", /webhook[/.]tls/],
  ["api.replicas=2", /api[/.]database[/.]existingSecret/],
  ["api.persistence.size=big", /persistence[/.]size/],
  ["ml.resources.limits.memory=lots", /memory/],
  ["oidcProxy.enabled=true", /oidcProxy/],
  ["oidcProxy.issuerUrl=http://insecure.example", /issuerUrl/],
  ["networkPolicy.apiServer.ports={0}", /ports/],
  ["podDisruptionBudget.maxUnavailable=0", /maxUnavailable/],
  ["surprise=true", /surprise/],
];

describe.each([3, 4] as const)("Helm %i", (version) => {
  test.each(REFUSED)("refuses %s", async (flag, names) => {
    await expect(render(kubernetes, version, ["--set", flag])).rejects.toThrow(names);
  });

  test("takes the values of the documentation", async () => {
    const flags = ["controllerManager.manager.image.tag=v1.0.0", "defaultImages.agentRuntime=myregistry/agent:v1.0.0"];
    expect(
      await render(
        kubernetes,
        version,
        flags.flatMap((flag) => ["--set", flag]),
      ),
    ).toContain("operator:v1.0.0");
  });
});
