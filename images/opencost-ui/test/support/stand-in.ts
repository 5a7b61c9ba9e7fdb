// Makes stand-in.bundle of the folder stand-in/: the git repository that the image is built from where GitHub can't be reached.
//   npx node images/opencost-ui/test/support/stand-in.ts

import { readdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { type GitRepository, startGitServer } from "@waybill/testing/git-server";

const FOLDER = join(import.meta.dirname, "../..");
export const VERSION = "v0.0.0-stand-in";

/** A repository of one commit and one tag, with the same hashes whoever makes it. */
export async function standIn(make: (name: string) => Promise<GitRepository>): Promise<GitRepository> {
  const repository = await make("opencost-ui");
  const files: Record<string, Buffer> = {};
  for (const name of await readdir(join(FOLDER, "stand-in"))) {
    files[name] = await readFile(join(FOLDER, "stand-in", name));
  }
  await repository.commit(files, "Stand-in for opencost-ui");
  await repository.git("tag", VERSION);
  return repository;
}

if (import.meta.main) {
  const server = await startGitServer();
  const repository = await standIn((name) => server.repository(name));
  await repository.git("bundle", "create", "--quiet", join(FOLDER, ".stand-in.bundle.tmp"), "main", VERSION);
  await rename(join(FOLDER, ".stand-in.bundle.tmp"), join(FOLDER, "stand-in.bundle"));
  await server.stop();
}
