// The platform that this machine runs by itself.

export const hostPlatform = (): string => `linux/${process.arch === "x64" ? "amd64" : process.arch}`;
