// New versions in a Chart.yaml, with everything else as it was written.

import { WaybillError } from "@waybill/oci/error";
import { isMap, isScalar, parseDocument } from "yaml";

/**
 * @param changes by top-level key, such as `version` and `appVersion`; keys that are not there are left out
 * @throws {WaybillError} the text is no YAML map
 */
export function editChartFile(text: string, changes: Readonly<Record<string, string>>, where: string): string {
  const { contents, errors } = parseDocument(text);
  if (errors[0] !== undefined || !isMap(contents))
    throw new WaybillError(errors[0]?.message.split("\n")[0] ?? "not a map", { where });
  let result = text;
  const spans = Object.entries(changes).flatMap(([key, value]) => {
    const node: unknown = contents.get(key, true);
    if (!isScalar(node) || node.range === undefined || node.range === null) return [];
    return [{ start: node.range[0], end: node.range[1], value }];
  });
  // From the end on, so that offsets before stay true.
  for (const { start, end, value } of spans.toSorted((a, b) => b.start - a.start)) {
    const quote = /^["']/.exec(result.slice(start, end))?.[0] ?? "";
    result = `${result.slice(0, start)}${quote}${value}${quote}${result.slice(end)}`;
  }
  return result;
}
