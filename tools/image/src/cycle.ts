// Images that are built from each other can't be built at all; whoever is asked for one of them says which they are.

import { type Edge, parseDockerfile } from "@waybill/dockerfile";
import { WaybillError } from "@waybill/oci/error";
import { imageEdges } from "./edges.ts";
import { type Image, SCOPE, dockerfileText } from "./image.ts";

/** The images of this repo that an image names, each with the place that names it first. */
export function ownEdges(image: Image): Map<string, Edge> {
  const { text, where } = dockerfileText(image);
  const edges = new Map<string, Edge>();
  for (const edge of imageEdges(image, parseDockerfile(text, where))) {
    const name = edge.reference.startsWith(SCOPE) ? edge.reference.slice(SCOPE.length) : undefined;
    if (name !== undefined && !edges.has(name)) edges.set(name, edge);
  }
  return edges;
}

/** The shortest way from an image through its bases back to itself: `["a", "b", "a"]`. Undefined where there is none. */
export function cycleOf(start: string, basesOf: (name: string) => Iterable<string>): string[] | undefined {
  const seen = new Set<string>();
  const paths = [[start]];
  for (const path of paths) {
    for (const base of basesOf(path.at(-1) as string)) {
      if (base === start) return [...path, base];
      if (seen.has(base)) continue;
      seen.add(base);
      paths.push([...path, base]);
    }
  }
  return undefined;
}

/**
 * The names that lie on a circle, each with a number that all of its circle share: the strongly connected components of more than
 * one name, by Tarjan's algorithm (SIAM Journal on Computing 1, 1972), which looks at every edge once.
 */
export function circlesOf(bases: ReadonlyMap<string, readonly string[]>): Map<string, number> {
  const circles = new Map<string, number>();
  const found = new Map<string, { index: number; low: number }>();
  const stack: string[] = [];
  const onStack = new Set<string>();
  const visit = (name: string): { index: number; low: number } => {
    const node = { index: found.size, low: found.size };
    found.set(name, node);
    stack.push(name);
    onStack.add(name);
    for (const base of bases.get(name) ?? []) {
      const other = found.get(base);
      if (other === undefined) node.low = Math.min(node.low, visit(base).low);
      else if (onStack.has(base)) node.low = Math.min(node.low, other.index);
    }
    if (node.low === node.index) {
      const component = stack.splice(stack.lastIndexOf(name));
      for (const member of component) onStack.delete(member);
      if (component.length > 1) for (const member of component) circles.set(member, node.index);
    }
    return node;
  };
  for (const name of bases.keys()) if (!found.has(name)) visit(name);
  return circles;
}

/** @throws {WaybillError} the image is built from itself by way of others: every line that makes it so */
export function assertNoCycle(image: Image, imageOf: (name: string) => Image | undefined): void {
  const edges = new Map<string, Map<string, Edge>>();
  const basesOf = (name: string): Iterable<string> => {
    const other = imageOf(name);
    if (!edges.has(name)) edges.set(name, other === undefined ? new Map<string, Edge>() : ownEdges(other));
    return (edges.get(name) as Map<string, Edge>).keys();
  };
  const cycle = cycleOf(image.name, basesOf);
  if (cycle === undefined) return;
  const places = cycle.slice(0, -1).map((name, index) => {
    const edge = edges.get(name)?.get(cycle[index + 1] as string);
    return `${dockerfileText(imageOf(name) as Image).where}:${edge?.line}`;
  });
  throw new WaybillError(`images are built from each other (${cycle.join(" -> ")})`, {
    where: places.join(", "),
    mend: "take one of these lines away",
  });
}
