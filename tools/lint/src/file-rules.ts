// Rules for the files of a built image. Each looks at one entry; a rule that `everyLayer` looks at files too that a layer above
// hides, because their bytes ship all the same.

import type { TreeEntry } from "@waybill/oci";
import { elfMachine, machineName, runsOn } from "./elf.ts";
import { secretIn } from "./secrets.ts";

export interface FileRule {
  rule: string;
  everyLayer: boolean;
  /** What is wrong with the entry, if something is. */
  judge: (entry: TreeEntry, image: RunsAs) => string | undefined;
  mend: string;
}

interface RunsAs {
  /** "linux/amd64" */
  platform: string;
  /** True where the image is meant to run as root. */
  root: boolean;
}

const isFile = ({ type }: TreeEntry): boolean => type === "file" || type === "hardlink";

/** Files made to be strange, which programs only read: Go's and Python's own tests have some. */
const isTestData = ({ path }: TreeEntry): boolean => /(^|\/)testdata\//.test(path);

/** What package managers leave behind, where nothing reads it again. */
const CACHES: readonly [manager: string, path: RegExp][] = [
  ["apt", /^var\/lib\/apt\/lists\/[^/]+$/],
  ["apt", /^var\/cache\/apt\/.*\.(deb|bin)$/],
  ["apk", /^var\/cache\/apk\//],
  ["dnf", /^var\/cache\/(dnf|yum|libdnf5)\//],
  ["npm", /(^|\/)(\.npm\/_(cacache|logs)|\.cache\/node-gyp)\//],
  ["yarn", /(^|\/)(\.cache\/yarn|\.yarn\/cache)\//],
  ["pnpm", /(^|\/)(\.pnpm-store|\.local\/share\/pnpm\/store)\//],
  ["pip", /(^|\/)\.cache\/pip\//],
  ["uv", /(^|\/)\.cache\/uv\//],
  ["go", /(^|\/)(\.cache\/go-build|go\/pkg\/mod\/cache)\//],
  ["cargo", /(^|\/)\.cargo\/(registry|git)\//],
  ["maven", /(^|\/)\.m2\/repository\//],
  ["gradle", /(^|\/)\.gradle\/caches\//],
  ["node's compiler", /(^|\/)node-compile-cache\//],
];

export const FILE_RULES: readonly FileRule[] = [
  {
    rule: "setuid",
    everyLayer: false,
    // Where everything runs as root already, the bit changes nothing.
    judge: (entry, { root }) =>
      isFile(entry) && !root && (entry.mode & 0o6000) !== 0
        ? `is ${(entry.mode & 0o4000) !== 0 ? "setuid" : "setgid"} (mode ${entry.mode.toString(8)})`
        : undefined,
    mend: "delete the file, or RUN chmod u-s,g-s in the same step that brings it",
  },
  {
    rule: "package-cache",
    everyLayer: true,
    judge: (entry) => {
      const manager =
        isFile(entry) && entry.size > 0 ? CACHES.find(([, path]) => path.test(entry.path))?.[0] : undefined;
      return manager === undefined ? undefined : `is left over from ${manager}`;
    },
    mend: "put the folder into RUN --mount=type=cache,target=…, or delete it in the step that fills it",
  },
  {
    rule: "foreign-elf",
    everyLayer: false,
    judge: (entry, { platform }) => {
      const machine = isFile(entry) && !isTestData(entry) ? elfMachine(entry.head) : undefined;
      if (machine === undefined || runsOn(machine, platform)) return undefined;
      return `is for ${machineName(machine)}, the image for ${platform}`;
    },
    mend: "build or copy the file for $TARGETARCH",
  },
  {
    rule: "world-writable",
    everyLayer: false,
    judge: (entry) => {
      if ((entry.mode & 0o002) === 0) return undefined;
      if (isFile(entry)) return `is writable by everyone (mode ${entry.mode.toString(8)})`;
      const open = entry.type === "directory" && (entry.mode & 0o1000) === 0;
      return open ? `is a folder writable by everyone, not sticky (mode ${entry.mode.toString(8)})` : undefined;
    },
    mend: "take the right away with chmod o-w in the same step, or COPY --chmod; a shared folder needs chmod +t",
  },
  {
    rule: "secret",
    everyLayer: true,
    judge: (entry) => (isFile(entry) && !isTestData(entry) ? secretIn(entry) : undefined),
    mend: "hand it to the one step that needs it with RUN --mount=type=secret, build again and revoke what was shipped",
  },
];
