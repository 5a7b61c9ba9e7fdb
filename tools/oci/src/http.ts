// node:http without what it drags along. An import of it as an ES module reads each of its exports, and its `WebSocket` loads undici:
// 35 ms and 13 MB in every process (Node 24). Types may be imported from node:http; they cost nothing.

export const { Agent, createServer, request } = process.getBuiltinModule("node:http");
