/** The little of WebAssembly that is used here: neither ES2024's library nor @types/node declares it. */
declare namespace WebAssembly {
  class Module {
    private readonly module: never;
  }
  class RuntimeError extends Error {}
  function compile(bytes: Uint8Array): Promise<Module>;
}
