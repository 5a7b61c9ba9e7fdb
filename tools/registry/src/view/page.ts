// The page at "/": what is held and how it goes, as plain HTML without scripts.

import { createHash } from "node:crypto";
import type { Pull } from "./pulls.ts";
import type { State } from "./state.ts";

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.05rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid color-mix(in srgb, currentColor 15%, transparent); }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
td.name { overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; } dd { margin: 0; }
.bad { color: light-dark(#b00020, #ff8a80); font-weight: 600; }
`;

/** For the page's Content-Security-Policy: this style and nothing else. */
export const STYLE_HASH = `sha256-${createHash("sha256").update(STYLE).digest("base64")}`;

export function page(state: State, pulls: readonly Pull[]): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Waybill registry</title><style>${STYLE}</style></head>
<body>
<h1>Waybill registry</h1>
${summary(state)}
<h2>Upstreams</h2>
${upstreams(state)}
<h2>Repositories</h2>
${repositories(state)}
<h2>Last pulls</h2>
${lastPulls(pulls)}
</body>
</html>
`;
}

function summary(state: State): string {
  const { collected, scrubbed } = state.last;
  const lines: [string, string][] = [
    ["Held", `${state.blobs} blobs, ${bytes(state.size)}; ${bytes(state.free)} free`],
    ["Hit rate", state.hitRate === undefined ? "nothing was pulled yet" : `${(state.hitRate * 100).toFixed(1)} %`],
    ["Under way", `${state.downloads} downloads, ${state.uploads} uploads`],
    ["Damaged", state.damaged.length === 0 ? "nothing" : bad(state.damaged.join(", "))],
    [
      "Collection",
      collected ? `${text(collected.at)}: ${collected.blobs} blobs, ${bytes(collected.freed)} freed` : "not yet",
    ],
    [
      "Scrub",
      scrubbed ? `${text(scrubbed.at)}: ${scrubbed.blobs} blobs read, ${scrubbed.damaged.length} damaged` : "not yet",
    ],
  ];
  return `<dl id="summary">${lines.map(([name, value]) => `<dt>${name}</dt><dd>${value}</dd>`).join("")}</dl>`;
}

function upstreams({ upstreams }: State): string {
  if (upstreams.length === 0) return "<p>None: this registry holds what is pushed to it.</p>";
  const rows = upstreams.map(({ host, state, failure, asked, failed }) => [
    text(host),
    state === "closed" && failure === undefined
      ? "answers"
      : bad(state === "closed" ? "failed last" : "does not answer"),
    text(failure ?? ""),
    String(asked),
    String(failed),
  ]);
  return table("upstreams", ["host", "state", "last failure", "asked#", "failed#"], rows);
}

function repositories({ repositories }: State): string {
  if (repositories.length === 0) return "<p>Nothing yet.</p>";
  const rows = repositories.map(({ text: name, tags, manifests, size }) => [
    text(name),
    String(tags),
    String(manifests),
    bytes(size),
  ]);
  return table("repositories", ["name", "tags#", "manifests#", "size#"], rows);
}

function lastPulls(pulls: readonly Pull[]): string {
  if (pulls.length === 0) return "<p>None since the start.</p>";
  const rows = pulls.map(({ at, image, from, client }) => [text(at), text(image), text(from), text(client)]);
  return table("pulls", ["time", "image", "from", "client"], rows);
}

/** @param heads with a "#" at the end for columns of numbers, @param rows HTML */
function table(id: string, heads: string[], rows: string[][]): string {
  const cell = (tag: string, content: string, column: number): string => {
    const kind = heads[column]?.endsWith("#") ? "n" : "name";
    return `<${tag} class="${kind}">${content}</${tag}>`;
  };
  const head = heads.map((each, column) => cell("th", each.replace("#", ""), column)).join("");
  const body = rows.map((row) => `<tr>${row.map((each, column) => cell("td", each, column)).join("")}</tr>`).join("");
  return `<table id="${id}"><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`;
}

/** All that strangers chose (names, errors) goes through here. */
function text(value: string): string {
  return value.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

function bad(value: string): string {
  return `<span class="bad">${text(value)}</span>`;
}

function bytes(value: number): string {
  const unit = [1e12, 1e9, 1e6, 1e3].find((each) => value >= each) ?? 1;
  const name = { 1e12: "TB", 1e9: "GB", 1e6: "MB", 1e3: "KB", 1: "bytes" }[unit];
  return `${unit === 1 ? value : (value / unit).toFixed(1)} ${name}`;
}
