// waybill cache key: a pair of keys. The private one goes to a file, never to a terminal.

import { existsSync } from "node:fs";
import { newKeyPair } from "@waybill/cache";
import { WaybillError, writeFileAtomic } from "@waybill/oci";
import { type Command, only } from "../command.ts";

export const command: Command = {
  summary: "makes a pair of keys, for results that are signed",
  usage: "<file>",
  options: {},
  async run(positionals) {
    if (positionals.length === 0)
      throw new WaybillError("the key's file is missing", { mend: "npx waybill cache key FILE" });
    const file = only(positionals, "file");
    if (existsSync(file)) throw new WaybillError("there is a file of that name", { where: file, mend: "name another" });
    const { privateKey, publicKey } = newKeyPair();
    await writeFileAtomic(file, privateKey, 0o600);
    console.log(`${file} is for trusted runs alone (WAYBILL_CACHE_KEY_FILE); for nx.json, beside "remoteCache":`);
    console.log(`"remoteCacheKeys": ["${publicKey}"]`);
    return 0;
  },
};
