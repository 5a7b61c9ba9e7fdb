// What changed in how an image runs.

import type { ImageConfig } from "@waybill/oci";

export interface ConfigChange {
  /** "user", "entrypoint", "env PATH", "label x", "port 8080/tcp", … */
  field: string;
  /** As a person would write it; absent where there was none. */
  from?: string;
  to?: string;
}

/** By field, in the order in which they matter. */
export function diffConfig(from: ImageConfig, to: ImageConfig): ConfigChange[] {
  const before = fieldsOf(from);
  const after = fieldsOf(to);
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((field) => before.get(field) !== after.get(field))
    .map((field) => ({
      field,
      ...(before.has(field) ? { from: before.get(field) as string } : {}),
      ...(after.has(field) ? { to: after.get(field) as string } : {}),
    }));
}

function fieldsOf({ config }: ImageConfig): Map<string, string> {
  const { User, Entrypoint, Cmd, WorkingDir, StopSignal, Healthcheck, ExposedPorts, Volumes, Env, Labels } =
    config ?? {};
  const fields = new Map<string, string>();
  const put = (field: string, value: string | null | undefined): void => {
    if (value) fields.set(field, value);
  };
  put("user", User);
  put("entrypoint", argv(Entrypoint));
  put("cmd", argv(Cmd));
  put("working directory", WorkingDir);
  put("stop signal", StopSignal);
  put("health check", argv(Healthcheck?.Test));
  for (const port of Object.keys(ExposedPorts ?? {})) put(`port ${port}`, "exposed");
  for (const volume of Object.keys(Volumes ?? {})) put(`volume ${volume}`, "declared");
  for (const pair of Env ?? []) {
    const at = pair.indexOf("=");
    put(`env ${pair.slice(0, at)}`, pair.slice(at + 1));
  }
  for (const [label, value] of Object.entries(Labels ?? {})) put(`label ${label}`, value);
  return fields;
}

const argv = (words: readonly string[] | null | undefined): string | undefined =>
  words?.length ? JSON.stringify(words) : undefined;
