/** What the service and its health check must agree on. Apart from config.ts, so that the health check loads no Zod. */

export type Environment = Readonly<Record<string, string | undefined>>;

export const DEFAULT_PORT = "8080";
