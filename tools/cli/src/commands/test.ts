// nx test: an image's unit tests (the Dockerfile's stage `test`, where it has one), then the tests of the built image.

import { type Image, buildStage, findImage, readDockerfile } from "@waybill/image";
import { isExpected } from "@waybill/oci";
import { type Command, only } from "../command.ts";
import { formatSeconds } from "@waybill/format";
import { BuildProgress } from "../progress.ts";
import { type Counts, add, hasTests, leaveCounts, runVitest } from "../vitest.ts";

export const command: Command = {
  summary: "runs an image's unit tests and the tests of the built image",
  usage: "<image>",
  options: {},
  async run(positionals, values) {
    const image = await findImage(only(positionals, "image"));
    const stage = await runStage(image, values["verbose"] === true);
    const vitest = (await hasTests(image.folder))
      ? await runVitest(image.folder)
      : { passed: 0, failed: 0, skipped: 0 };
    return leaveCounts(image.folder, add(stage, vitest));
  },
};

/** A stage counts as one test: what it prints is its own. */
async function runStage(image: Image, verbose: boolean): Promise<Counts> {
  // A stage `test` of upstream's is no promise of ours.
  if (image.metadata.source !== undefined) return { passed: 0, failed: 0, skipped: 0 };
  if (!readDockerfile(image).stages.some(({ name }) => name === "test")) return { passed: 0, failed: 0, skipped: 0 };
  const started = performance.now();
  const { onLine } = new BuildProgress(verbose);
  try {
    await buildStage(image, "test", { onLine });
    console.log(`${image.name}: stage test passed in ${formatSeconds(performance.now() - started)}`);
    return { passed: 1, failed: 0, skipped: 0 };
  } catch (error) {
    if (!isExpected(error)) throw error;
    console.log(`${image.name}: ${error.message}`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
}
