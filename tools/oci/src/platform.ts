// A platform is what an image runs on (image-spec, "image index": platform); as text "os/architecture[/variant]".

import { z } from "zod";
import { WaybillError } from "./error.ts";

export const platformSchema = z.object({
  os: z.string(),
  architecture: z.string(),
  variant: z.string().optional(),
  "os.version": z.string().optional(),
  "os.features": z.array(z.string()).optional(),
});
export type Platform = z.infer<typeof platformSchema>;

/** @throws {WaybillError} anything but os/architecture[/variant] */
export function parsePlatform(text: string): Platform {
  const [os, architecture, variant, ...rest] = text.split("/");
  if (!os || !architecture || variant === "" || rest.length > 0) {
    throw new WaybillError(`"${text}" is not a platform`, { mend: "write os/architecture, as in linux/amd64" });
  }
  return variant === undefined ? { os, architecture } : { os, architecture, variant };
}

export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, variant].filter((part) => part !== undefined && part !== "").join("/");
}

/** BuildKit stores attestations in an index as manifests for unknown/unknown: they are no image. */
export function isAttestation(platform: Platform | undefined): boolean {
  return platform?.os === "unknown" && platform.architecture === "unknown";
}
