// A connection upgraded as kubectl exec and port-forward do: HTTP/1.1 with Upgrade, raw bytes after 101.

import { once } from "node:events";
import https from "node:https";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

/** @param protocol of the Upgrade header, such as `SPDY/3.1` or `websocket` */
export async function upgrade(
  ca: string,
  url: string,
  protocol: string,
  token: string,
): Promise<{ response: IncomingMessage; socket: Duplex }> {
  const headers = { authorization: `Bearer ${token}`, connection: "Upgrade", upgrade: protocol };
  const outgoing = https.request(url, { ca, method: "POST", headers, agent: false }).end();
  outgoing.on("response", (response) => outgoing.destroy(new Error(`not upgraded: ${response.statusCode}`)));
  const [response, socket] = (await once(outgoing, "upgrade")) as [IncomingMessage, Duplex];
  return { response, socket };
}
