// The figures of /metrics, and what each means.

import type { Metrics } from "./metrics.ts";

const FIGURES = [
  ["waybill_registry_requests_total", "counter", "Requests, by kind, method and status"],
  ["waybill_registry_request_seconds", "histogram", "From a request's header to the end of its answer, by kind"],
  [
    "waybill_registry_manifests_total",
    "counter",
    "Manifests served, by where they came from: hit, revalidated, miss, stale",
  ],
  ["waybill_registry_blobs_total", "counter", "Blobs served, by where they came from: hit, miss"],
  ["waybill_registry_sent_bytes_total", "counter", "Bytes of blobs sent to clients"],
  ["waybill_registry_upstream_blobs_total", "counter", "Downloads of blobs begun, by upstream"],
  ["waybill_registry_upstream_bytes_total", "counter", "Bytes of blobs fetched and verified, by upstream"],
  ["waybill_registry_damaged_total", "counter", "Blobs found damaged on the disk, and taken out"],
  ["waybill_registry_healed_total", "counter", "Damaged blobs brought back from an upstream"],
  ["waybill_registry_swept_blobs_total", "counter", "Blobs the sweep deleted"],
  ["waybill_registry_swept_bytes_total", "counter", "Bytes the sweep deleted"],
  ["waybill_registry_scrubbed_bytes_total", "counter", "Bytes the scrub has read"],
  ["waybill_registry_downloads", "gauge", "Downloads under way"],
  ["waybill_registry_damaged", "gauge", "Blobs that were damaged and are not back"],
  ["waybill_registry_upstream_up", "gauge", "1 while an upstream is asked, 0 while it is left alone because it failed"],
  ["waybill_registry_free_bytes", "gauge", "Free space on the store's disk"],
] as const;

export function declareFigures(metrics: Metrics): Metrics {
  for (const [name, type, help] of FIGURES) metrics.declare(name, type, help);
  return metrics;
}
