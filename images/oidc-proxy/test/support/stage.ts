// Everything around a proxy: an authority, an OpenID provider and an API server, gone again after the tests of the file.

import { afterAll, vi } from "vitest";
import { ApiServer } from "./api-server.ts";
import { Authority } from "@waybill/testing";
import { Issuer } from "./issuer.ts";

export interface Stage {
  authority: Authority;
  issuer: Issuer;
  api: ApiServer;
}

const open = new Set<{ close(): void }>();

export async function setStage(): Promise<Stage> {
  // oidc-provider warns on the console of what a deployment of it must change.
  for (const level of ["info", "warn"] as const) vi.spyOn(console, level).mockReturnValue();
  const authority = await Authority.create();
  const issuer = await Issuer.start(authority);
  const api = await ApiServer.start(await authority.issue("api-server"));
  open.add(issuer).add(api);
  return { authority, issuer, api };
}

afterAll(() => {
  for (const server of open) server.close();
});
