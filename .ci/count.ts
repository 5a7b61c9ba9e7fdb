// Adds up what the test targets left in their dist/test.json, prints "N passed, N failed", and exits as the run did.

import { globSync, readFileSync } from "node:fs";

const status = Number(process.argv[2]);
const sum = { passed: 0, failed: 0, skipped: 0 };
for (const file of globSync("{tools,images,images/bases,images/testing,charts}/*/dist/test.json")) {
  const { passed, failed, skipped } = JSON.parse(readFileSync(file, "utf8")) as typeof sum;
  sum.passed += passed;
  sum.failed += failed;
  sum.skipped += skipped;
}
// A target that failed without a failed test (a lint finding, a build) counts as one.
const failed = status !== 0 && sum.failed === 0 ? 1 : sum.failed;
console.log(`${sum.passed} passed, ${failed} failed${sum.skipped > 0 ? `, ${sum.skipped} skipped` : ""}`);
process.exitCode = status === 0 && sum.passed === 0 ? 1 : status;
