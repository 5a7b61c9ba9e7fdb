// Routes to a command. Commands are imported when they are called, so that none pays for the others.

import "@waybill/oci/zod";
import { WaybillError, escapeControls, isExpected } from "@waybill/oci/error";
import { COMMON, type Command, type Group, none, parse, text } from "./command.ts";

const COMMANDS: Record<string, () => Promise<{ command: Command | Group }>> = {
  build: () => import("./commands/build.ts"),
  test: () => import("./commands/test.ts"),
  unit: () => import("./commands/unit.ts"),
  lint: () => import("./commands/lint.ts"),
  size: () => import("./commands/size.ts"),
  push: () => import("./commands/push.ts"),
  release: () => import("./commands/release.ts"),
  "docker-load": () => import("./commands/docker-load.ts"),
  reproduce: () => import("./commands/reproduce.ts"),
  "build-args": () => import("./commands/build-args.ts"),
  "image-values": () => import("./commands/image-values.ts"),
  explain: () => import("./commands/explain.ts"),
  diff: () => import("./commands/diff.ts"),
  scan: () => import("./commands/scan.ts"),
  patch: () => import("./commands/patch.ts"),
  matrix: () => import("./commands/matrix.ts"),
  edges: () => import("./commands/edges.ts"),
  chart: () => import("./commands/chart.ts"),
  lock: () => import("./commands/lock.ts"),
  update: () => import("./commands/update.ts"),
  doctor: () => import("./commands/doctor.ts"),
  engine: () => import("./commands/engine.ts"),
  cache: () => import("./commands/cache.ts"),
  mirror: () => import("./commands/mirror.ts"),
  schema: () => import("./commands/schema.ts"),
};

/** @returns the exit code: 0 done, 1 findings, 2 could not do it */
export async function main(args: string[]): Promise<number> {
  const [name, ...rest] = args;
  try {
    if (name === undefined || name === "help" || name === "--help" || name === "-h") return await help();
    const load = own(COMMANDS, name);
    if (load === undefined) throw new WaybillError(`there is no command "${name}"`, { mend: "npx waybill help" });
    const { command } = await load();
    return await ("actions" in command ? runAction(name, command, rest) : runCommand(name, command, rest));
  } catch (error) {
    return report(error, args.includes("--verbose"));
  }
}

async function runCommand(name: string, command: Command, args: string[]): Promise<number> {
  const { positionals, values } = parse(command, name, args);
  if (values["help"] === true) return usage(name, command);
  if (command.usage === "") none(name, positionals);
  await pickEngine(text(values, "engine"));
  return await command.run(positionals, values);
}

async function runAction(name: string, group: Group, [action, ...rest]: string[]): Promise<number> {
  if (action === "--help" || action === "-h") return await groupUsage(name, group);
  const mend = `use ${Object.keys(group.actions).join(", ")}`;
  if (action === undefined) throw new WaybillError("the action is missing", { mend });
  const load = own(group.actions, action);
  if (load !== undefined) return await runCommand(`${name} ${action}`, (await load()).command, rest);
  throw new WaybillError(`unknown action "${action}"`, { mend });
}

/** Not what every object has, such as "constructor". */
const own = <T>(of: Record<string, T>, name: string): T | undefined => (Object.hasOwn(of, name) ? of[name] : undefined);

/** Flag, then environment, then nx.json. Through the environment, so that whatever is started later agrees. */
async function pickEngine(flag: string | undefined): Promise<void> {
  if (flag === undefined && process.env["WAYBILL_ENGINE"] !== undefined) return;
  const { settings } = await import("./settings.ts");
  const engine = flag ?? (await settings().catch(unlessBug))?.engine;
  if (engine !== undefined) process.env["WAYBILL_ENGINE"] = engine;
}

/** Outside of a workspace there are no settings: `waybill mirror` needs none, and whoever does says so. */
function unlessBug(error: unknown): undefined {
  if (!isExpected(error)) throw error;
}

function report(error: unknown, verbose: boolean): number {
  if (!isExpected(error) || verbose) console.error(error);
  if (isExpected(error)) console.error(`waybill: ${error.message}`);
  else console.error(`waybill: this is a bug: ${escapeControls(String(error))}`);
  return 2;
}

async function help(): Promise<0> {
  console.log("waybill <command> [arguments]\n");
  for (const [name, load] of Object.entries(COMMANDS)) {
    const { command } = await load();
    const what = "actions" in command ? Object.keys(command.actions).join("|") : command.usage;
    console.log(`  ${`${name} ${what}`.padEnd(34)} ${command.summary}`);
  }
  console.log("\nEvery command takes --json (where it prints a table), --verbose and --engine NAME.");
  return 0;
}

async function groupUsage(name: string, group: Group): Promise<0> {
  console.log(`waybill ${name} <action>\n${group.summary}\n`);
  for (const [action, load] of Object.entries(group.actions)) {
    const { command } = await load();
    console.log(`  ${`${action} ${command.usage}`.padEnd(34)} ${command.summary}`);
  }
  console.log(`\nnpx waybill ${name} <action> --help`);
  return 0;
}

function usage(name: string, command: Command): 0 {
  console.log(`waybill ${name} ${command.usage}\n${command.summary}\n`);
  for (const [flag, { type, multiple }] of Object.entries({ ...command.options, ...COMMON })) {
    console.log(`  --${flag}${type === "string" ? " VALUE" : ""}${multiple === true ? " (repeatable)" : ""}`);
  }
  return 0;
}
