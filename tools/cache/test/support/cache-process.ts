// node cache-process.ts LOCATION STORE HASH TARBALL: stores a result, then reads it (or that of the hash in READ) with another client.

import { readFile } from "node:fs/promises";
import { BlobStore } from "@waybill/oci";
import { Remote, accessOf, cacheSettings } from "../../src/index.ts";

const [location, store = "", hash = "", tarball = ""] = process.argv.slice(2);
const https = process.env["NODE_EXTRA_CA_CERTS"] !== undefined || process.env["HTTPS"] === "1";
const settings = cacheSettings({ remoteCache: `${https ? "https://" : ""}${location}` }, {});
if (settings === undefined) throw new Error("no settings");
const machine = (): Remote => new Remote(settings, accessOf(settings.repository, {}), new BlobStore(store));

const writer = machine();
const reader = machine();
await writer.get(process.env["READ"] ?? hash);
writer.put(hash, await readFile(tarball));
await writer.settled();
const stored = (await reader.get(hash)) !== undefined;
const read = stored || (await reader.get(process.env["READ"] ?? hash)) !== undefined;
const fault = writer.fault ?? reader.fault;
console.log(JSON.stringify({ stored, read, ...(fault === undefined ? {} : { fault }) }));
