// Ctrl-C, or a kill that can be heard: what runs is told to end, cleans up after itself, and leaves nothing half-written.

import { WaybillError } from "@waybill/oci/error";

/** Aborts when this process is asked to end. Asked a second time, it ends at once. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    // Listens for good: whoever else passes signals on to children leaves the end to us as long as we do.
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(2);
      controller.abort(new WaybillError(`stopped by ${name}`));
    });
  }
  return controller.signal;
}
