// What the services can't do to the machine, should somebody get hold of them (systemd.exec(5)). Not MemoryDenyWriteExecute=: V8
// compiles to machine code as it runs.

import { dirname } from "node:path";
import { type Section, word } from "./unit.ts";

/** For what any user may ask of the kernel for himself. */
export const FOR_USERS: Section = [
  ["NoNewPrivileges", "yes"],
  ["LockPersonality", "yes"],
  ["RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX"],
  ["RestrictNamespaces", "yes"],
  ["RestrictRealtime", "yes"],
  ["RestrictSUIDSGID", "yes"],
  ["SystemCallArchitectures", "native"],
  ["SystemCallFilter", "@system-service"],
  ["SystemCallFilter", "~@privileged @resources"],
  ["SystemCallErrorNumber", "EPERM"],
  ["UMask", "0077"],
];

/**
 * For a service of the machine.
 * @param folder the only one it writes to
 * @param programs folders it runs from. Homes are empty to it but for these, so a checkout in one serves
 */
export function forSystem(folder: string, programs: readonly string[]): Section {
  return [
    ...FOR_USERS,
    ["CapabilityBoundingSet", ""],
    ["DevicePolicy", "closed"],
    ["KeyringMode", "private"],
    ["PrivateDevices", "yes"],
    ["PrivateTmp", "yes"],
    ["PrivateUsers", "yes"],
    ["ProtectClock", "yes"],
    ["ProtectControlGroups", "yes"],
    ["ProtectHome", "tmpfs"],
    ...programs.filter(inHome).map((path) => ["BindReadOnlyPaths", word(path)] as const),
    ["ProtectHostname", "yes"],
    ["ProtectKernelLogs", "yes"],
    ["ProtectKernelModules", "yes"],
    ["ProtectKernelTunables", "yes"],
    ["ProtectProc", "invisible"],
    ["ProtectSystem", "strict"],
    ["ReadWritePaths", word(folder)],
    ["RemoveIPC", "yes"],
  ];
}

export const inHome = (path: string): boolean => /^\/(home|root|run\/user)(\/|$)/.test(path);

/** Where a Node lies with all that belongs to it: <prefix>/bin/node. */
export const prefixOf = (node: string): string => dirname(dirname(node));
