// nx docker-load: the built image into docker's or podman's own storage.

import { ensureBytes, findImage, recordOfImage } from "@waybill/image";
import { loadImage, onPath, storeFolder } from "@waybill/engine";
import { WaybillError } from "@waybill/oci";
import { type Command, only, text } from "../command.ts";
import { shortDigest } from "@waybill/format";

export const command: Command = {
  summary: "loads the built image into docker's or podman's own storage",
  usage: "<image>",
  options: { tag: { type: "string" }, variant: { type: "string" }, into: { type: "string" } },
  async run(positionals, values) {
    const image = await findImage(only(positionals, "image"));
    const record = await recordOfImage(image);
    await ensureBytes(image, record);
    const variant = text(values, "variant");
    const digest = variant === undefined ? record.digest : record.variants[variant]?.digest;
    if (digest === undefined)
      throw new WaybillError(`${image.name} has no variant ${variant}`, {
        mend: `its variants are ${Object.keys(record.variants).join(", ") || "none"}`,
      });
    const name = `localhost/${image.name}:${text(values, "tag") ?? variant ?? "dev"}`;
    const program = choose(text(values, "into"));
    await loadImage(program, {}, { layout: storeFolder(), digest, name });
    console.log(`${name} is ${shortDigest(digest)} in ${program}: ${program} run --rm ${name}`);
    return 0;
  },
};

function choose(asked: string | undefined): "docker" | "podman" {
  const program = asked ?? (onPath("docker") === undefined ? "podman" : "docker");
  if (program === "docker" || program === "podman") return program;
  throw new WaybillError(`can't load into "${program}"`, { mend: "--into docker or --into podman" });
}
