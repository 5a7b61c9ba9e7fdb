// An MCP server of the official TypeScript SDK: another implementation than the agent's, with sessions and event streams.

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";

export class OfficialServer {
  opened = 0;
  closed = 0;
  readonly #transports = new Map<string, StreamableHTTPServerTransport>();
  readonly #server: Server = createServer((request, response) => void this.#serve(request, response));

  static async start(): Promise<OfficialServer> {
    const server = new OfficialServer();
    server.#server.listen(0, "127.0.0.1");
    await once(server.#server, "listening");
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const known = this.#transports.get(String(request.headers["mcp-session-id"]));
    await (known ?? (await this.#open())).handleRequest(request, response);
  }

  async #open(): Promise<StreamableHTTPServerTransport> {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => {
        this.opened += 1;
        this.#transports.set(id, transport);
      },
      onsessionclosed: () => void (this.closed += 1),
    });
    let count = 0;
    const server = new McpServer({ name: "official", version: "1" });
    const counted = () => ({ content: [{ type: "text" as const, text: `counted to ${++count}` }] });
    server.registerTool("count", { description: "Counts in its session." }, counted);
    await server.connect(transport);
    return transport;
  }
}
