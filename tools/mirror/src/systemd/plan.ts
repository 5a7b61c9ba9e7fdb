// The files by which systemd runs a mirror: the registry, its nightly sync, and how long what they log is kept.

import type { ServerProcess } from "@waybill/registry";
import { FOR_USERS, forSystem, inHome, prefixOf } from "./hardening.ts";
import { type Section, commandLine, unitOf, word } from "./unit.ts";
import { WaybillError } from "@waybill/oci";

export interface SystemdPlan {
  /** The mirror's folder. */
  folder: string;
  /** What starts the registry; absent where another one serves the mirror. */
  server: ServerProcess | undefined;
  /** The argv of `waybill mirror sync`, and the folder it runs in. */
  sync: { argv: readonly string[]; cwd: string };
  /** For a user's own systemd, in place of the machine's. */
  user: boolean;
}

export interface SystemdFiles {
  /** Texts by their place: from the root, or from the home of the user. */
  files: Record<string, string>;
  /** Commands that set them going. */
  next: string[];
}

const NAME = "waybill-mirror";
const ACCOUNT = "waybill-mirror";
/** M5 of the seed: what is logged can be read for a month. */
const KEPT = "30day";

/** @throws {WaybillError} a service of the machine can't keep its store in somebody's home */
export function systemdFiles(plan: SystemdPlan): SystemdFiles {
  const { folder, user } = plan;
  if (!user && inHome(folder)) {
    throw new WaybillError("the machine's services see no homes", {
      where: folder,
      mend: "--dir /var/lib/waybill-mirror, or --user for a service of your own",
    });
  }
  const units = unitsOf(plan);
  const folderOfUnits = user ? ".config/systemd/user" : "etc/systemd/system";
  const files = Object.fromEntries(Object.entries(units).map(([name, text]) => [`${folderOfUnits}/${name}`, text]));
  return user
    ? { files, next: nextOfUser(plan) }
    : { files: { ...files, ...accountAndLogs(folder) }, next: nextOfSystem(plan) };
}

function unitsOf(plan: SystemdPlan): Record<string, string> {
  const units = { [`${NAME}-sync.service`]: syncUnit(plan), [`${NAME}-sync.timer`]: timer() };
  return plan.server === undefined ? units : { [`${NAME}.service`]: serverUnit(plan, plan.server), ...units };
}

function serverUnit(plan: SystemdPlan, { command, args, env }: ServerProcess): string {
  return unitOf({
    Unit: [
      ["Description", "Container registry that pulls through (Waybill)"],
      ...network(plan),
      "The folder may be another machine's for a minute yet, the port somebody's: it is tried for ever.",
      ["StartLimitIntervalSec", "0"],
    ],
    Service: [
      ["Type", "exec"],
      ["ExecStart", commandLine([command, ...args])],
      ...Object.entries(env).map(([key, value]) => ["Environment", word(`${key}=${value}`)] as const),
      ["Restart", "on-failure"],
      ["RestartSec", "2"],
      "It answers what it has begun before it ends.",
      ["TimeoutStopSec", "40"],
      ...surroundings(plan),
    ],
    Install: [["WantedBy", plan.user ? "default.target" : "multi-user.target"]],
  });
}

function syncUnit(plan: SystemdPlan): string {
  const after =
    plan.server === undefined
      ? []
      : ([
          ["Requires", `${NAME}.service`],
          ["After", `${NAME}.service`],
        ] as const);
  return unitOf({
    Unit: [
      ["Description", "Brings what the mirror's lists name (Waybill)"],
      ...network(plan),
      ...after,
      "The network may not be up, the registry may be starting: three tries an hour.",
      ["StartLimitIntervalSec", "1h"],
      ["StartLimitBurst", "3"],
    ],
    Service: [
      ["Type", "oneshot"],
      ["ExecStart", commandLine(plan.sync.argv)],
      ["WorkingDirectory", word(plan.sync.cwd)],
      ["Restart", "on-failure"],
      ["RestartSec", "5min"],
      ["TimeoutStartSec", "12h"],
      ["Nice", "10"],
      ["IOSchedulingClass", "idle"],
      ...surroundings(plan),
    ],
  });
}

function timer(): string {
  return unitOf({
    Unit: [["Description", "Nightly sync of the mirror (Waybill)"]],
    Timer: [
      ["OnCalendar", "*-*-* 02:00:00"],
      "Not all machines of a site at once; what was missed while the machine was off is made up for.",
      ["RandomizedDelaySec", "30min"],
      ["Persistent", "true"],
    ],
    Install: [["WantedBy", "timers.target"]],
  });
}

function network({ folder, user }: SystemdPlan): Section {
  // A user's systemd knows no units of the machine.
  if (user) return [];
  return [
    ["Wants", "network-online.target"],
    ["After", "network-online.target"],
    ["RequiresMountsFor", word(folder)],
  ];
}

/** Where both services run: who they are, what they see, where they log. */
function surroundings({ folder, user, sync }: SystemdPlan): Section {
  // In logs it goes by its unit's name, in place of "node".
  const identifier: Section = [["SyslogIdentifier", "%N"]];
  if (user) return [...identifier, ...FOR_USERS];
  const programs = [...new Set([sync.cwd, prefixOf(process.execPath)])].filter(
    (path, i, all) => !all.some((other, j) => i !== j && path.startsWith(`${other}/`)),
  );
  return [
    ["User", ACCOUNT],
    ["Group", ACCOUNT],
    ["LogNamespace", NAME],
    ...identifier,
    ["CacheDirectory", NAME],
    "Node keeps there what it compiled; the checkout is read-only to it.",
    ["Environment", `NODE_COMPILE_CACHE=%C/${NAME}`],
    ...forSystem(folder, programs),
  ];
}

function accountAndLogs(folder: string): Record<string, string> {
  return {
    [`etc/systemd/journald@${NAME}.conf`]: unitOf({
      Journal: [
        "A journal of its own, so that this is about the mirror alone: journalctl --namespace=waybill-mirror",
        ["Storage", "persistent"],
        ["MaxRetentionSec", KEPT],
        "Old entries go by whole files: a file a day.",
        ["MaxFileSec", "1day"],
      ],
    }),
    [`etc/sysusers.d/${NAME}.conf`]: `u ${ACCOUNT} - "Waybill's registry mirror" ${quoted(folder)}\n`,
    [`etc/tmpfiles.d/${NAME}.conf`]: `d ${quoted(folder)} 0750 ${ACCOUNT} ${ACCOUNT}\nZ ${quoted(folder)} - ${ACCOUNT} ${ACCOUNT}\n`,
  };
}

/** sysusers.d and tmpfiles.d have the quotes and specifiers of units. */
const quoted = word;

function nextOfSystem({ server }: SystemdPlan): string[] {
  return [
    `systemd-sysusers ${NAME}.conf && systemd-tmpfiles --create ${NAME}.conf && systemctl daemon-reload`,
    `systemctl enable --now ${server === undefined ? "" : `${NAME}.service `}${NAME}-sync.timer`,
    `systemctl start --no-block ${NAME}-sync.service   # the first time now; watch: journalctl --namespace=${NAME} -f`,
  ];
}

function nextOfUser({ server }: SystemdPlan): string[] {
  return [
    `systemctl --user daemon-reload && systemctl --user enable --now ${server === undefined ? "" : `${NAME}.service `}${NAME}-sync.timer`,
    "loginctl enable-linger   # so that it runs while nobody is logged in",
    `journalctl --user -u ${NAME} -f   # how long it is kept is the machine's journald.conf`,
  ];
}
