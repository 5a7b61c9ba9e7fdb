// Which wheel suits a platform (PEP 427 file names, PEP 600 platform tags) and which release is newer (PEP 440, the part of it
// that numbered releases need).

/** The interpreter of Waybill's Python base: CPython 3.13. */
const PYTHON_MINOR = 13;

const MACHINES: Record<string, string> = {
  "linux/amd64": "x86_64",
  "linux/arm64": "aarch64",
  "linux/arm/v7": "armv7l",
  "linux/386": "i686",
  "linux/ppc64le": "ppc64le",
  "linux/riscv64": "riscv64",
  "linux/s390x": "s390x",
};

interface Wheel {
  file: string;
  /** True for a wheel without machine code. */
  anyPlatform: boolean;
}

/** The wheel that CPython 3.13 on glibc would take: the most specific first. */
export function bestWheel(files: readonly string[], platform: string): Wheel | undefined {
  const machine = MACHINES[platform];
  const ranked = files.flatMap((file) => {
    const tags = /^.+?-[^-]+(?:-\d[^-]*)?-([^-]+)-([^-]+)-([^-]+)\.whl$/.exec(file);
    const python = pythonRank(tags?.[1] ?? "", tags?.[2] ?? "");
    const place = platformRank(tags?.[3] ?? "", machine);
    return python > 0 && place > 0 ? [{ file, anyPlatform: tags?.[3] === "any", rank: python * 10 + place }] : [];
  });
  const best = ranked.sort((a, b) => b.rank - a.rank || (a.file < b.file ? -1 : 1))[0];
  return best && { file: best.file, anyPlatform: best.anyPlatform };
}

function pythonRank(python: string, abi: string): number {
  const [pythons, abis] = [python.split("."), abi.split(".")];
  if (pythons.includes(`cp3${PYTHON_MINOR}`) && abis.includes(`cp3${PYTHON_MINOR}`)) return 3;
  const minors = pythons.map((tag) => Number(/^cp3(\d+)$/.exec(tag)?.[1] ?? Number.NaN));
  if (abis.includes("abi3") && minors.some((minor) => minor <= PYTHON_MINOR)) return 2;
  return pythons.includes("py3") && abis.includes("none") ? 1 : 0;
}

function platformRank(tags: string, machine: string | undefined): number {
  if (tags === "any") return 1;
  const fits = tags.split(".").some((tag) => tag.startsWith("manylinux") && tag.endsWith(`_${machine}`));
  return fits ? 2 : 0;
}

/** The version in the name of a wheel or source archive of `project`. */
export function versionOf(file: string, project: string): string | undefined {
  const start = project.replaceAll(/[-_.]+/g, "[-_.]+");
  return new RegExp(`^${start}-([0-9][^-]*?)(?:-.*\\.whl|\\.tar\\.gz|\\.zip)$`, "i").exec(file)?.[1];
}

export function isFinal(version: string): boolean {
  return /^[0-9.]+(\.post\d+)?$/.test(version);
}

/** Orders numbered releases. */
export function compareReleases(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}
