// Serves the page at the path it was built for, and /healthz for probes.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const [page, basename] = ["index.html", "basename"].map((name) => readFileSync(`/var/www/${name}`, "utf8"));
const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, "http://localhost");
  if (pathname === "/healthz") return response.end("ok\n");
  if (pathname !== `${basename}/`) return response.writeHead(404).end("not found\n");
  response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page);
});
server.listen(Number(process.env.UI_PORT), () => console.log(`serving on ${server.address().port}`));
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => server.close(() => process.exit(0)));
