// Which machine an ELF file is for: e_machine of the ELF header (System V ABI, "ELF Header").

/** e_machine by the architecture's name in a platform. */
const MACHINES: Record<string, number> = {
  "386": 3,
  arm: 40,
  amd64: 62,
  arm64: 183,
  loong64: 258,
  mips64le: 8,
  ppc64le: 21,
  riscv64: 243,
  s390x: 22,
};

/** Runs in the kernel, on any machine. */
const EM_BPF = 247;

/** e_type of what is linked but not run itself: an object file may well be for another machine, in a toolchain. */
const ET_REL = 1;

/**
 * e_machine of a program or shared library, or undefined for any other file, object files too. Needs the first 20 bytes.
 */
export function elfMachine(head: Buffer): number | undefined {
  if (head.length < 20 || head.toString("latin1", 0, 4) !== "\x7fELF") return undefined;
  // e_ident[EI_DATA]: 2 is big-endian.
  const read = (at: number): number => (head[5] === 2 ? head.readUInt16BE(at) : head.readUInt16LE(at));
  return read(16) === ET_REL ? undefined : read(18);
}

/** @param platform "linux/amd64" */
export function runsOn(machine: number, platform: string): boolean {
  const wanted = MACHINES[platform.split("/")[1] ?? ""];
  return machine === EM_BPF || wanted === undefined || machine === wanted;
}

/** "arm64", or the number where it has no name here. */
export function machineName(machine: number): string {
  return Object.entries(MACHINES).find(([, number]) => number === machine)?.[0] ?? `machine ${machine}`;
}
