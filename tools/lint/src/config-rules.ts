// Rules for how an image runs, from its record: user and health check.

import type { ImageMetadata } from "@waybill/image";
import type { PlatformRecord } from "@waybill/oci";
import type { Finding } from "./finding.ts";

type Declared = Pick<ImageMetadata, "user" | "healthcheck">;

/** @param file the Dockerfile, as findings name it */
export function configFindings(image: PlatformRecord, declared: Declared, file: string): Finding[] {
  return [...user(image, declared, file), ...healthcheck(image, declared, file)];
}

/** True for `65532` and `65532:65532`. Kubernetes' runAsNonRoot can't judge a name, so a name isn't enough. */
function isNumericNonRoot(given: string): boolean {
  return /^[1-9]\d*(:\d+)?$/.test(given);
}

function user({ user: given }: PlatformRecord, declared: Declared, file: string): Finding[] {
  const base = { rule: "user", file } as const;
  if (isNumericNonRoot(given)) {
    if (declared.user === undefined) return [];
    const message = `project.json says the image runs as root, it runs as ${given}`;
    return [{ ...base, message, mend: "take metadata.image.user away", severity: "warning" }];
  }
  if (declared.user !== undefined) return [];
  const message = given === "" ? "the image has no USER, so it runs as root" : `the image's USER is ${given}`;
  const mend = 'end the Dockerfile with a number, USER 65532, or give the reason as metadata.image.user: "root: …"';
  return [{ ...base, message, mend, severity: "error" }];
}

function healthcheck({ healthcheck: given }: PlatformRecord, declared: Declared, file: string): Finding[] {
  const base = { rule: "healthcheck", file } as const;
  const present = given.length > 0 && given[0] !== "NONE";
  if (present && declared.healthcheck !== undefined) {
    const message = "project.json says there is no health check, the image has one";
    return [{ ...base, message, mend: "take metadata.image.healthcheck away", severity: "warning" }];
  }
  if (present || declared.healthcheck !== undefined) return [];
  const mend =
    'add HEALTHCHECK CMD ["/program", "health"], or give the reason as metadata.image.healthcheck: "none: …"';
  return [{ ...base, message: "the image has no HEALTHCHECK", mend, severity: "error" }];
}
