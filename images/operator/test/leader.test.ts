// Of two operators one works; when it is killed the other takes over, and when it stops, at once.

import { until } from "@waybill/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Cluster, SYSTEM, startCluster } from "./support/cluster.ts";
import { object } from "./support/objects.ts";
import { type Operator, metric, startOperator } from "./support/operator.ts";

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster.stop());

const leads = async (operator: Operator): Promise<boolean> =>
  (await metric(operator, "leader_election_master_status")) === 1;
const works = async (name: string): Promise<void> => {
  await cluster.apply(object("MCPServer", name, { runtime: "custom", container: { image: "x:1" } }));
  await until("its Deployment", () => cluster.get("deployment", `mcpserver-${name}`));
};

test("hand-over", { timeout: 240_000 }, async () => {
  const first = await startOperator(cluster, ["--leader-elect"]);
  await until("a leader", () => leads(first));
  const second = await startOperator(cluster, ["--leader-elect"]);
  await works("one");
  expect(await leads(second)).toBe(false);
  expect(await metric(second, "controller_runtime_reconcile_total")).toBe(0);

  await first.container.stop("SIGKILL");
  await until("the second to lead", () => leads(second), 120_000);
  await works("two");

  const third = await startOperator(cluster, ["--leader-elect"]);
  expect(await second.container.stop()).toMatchObject({ exitCode: 0 });
  const lease = await cluster.get<{ spec: { holderIdentity: string } }>("lease", "kaos-operator.kaos.tools", SYSTEM);
  expect(lease).toBeDefined();
  await until("the third to lead", () => leads(third));
  await works("three");
});
