// Whose entries a run may read, and where its own go (CVE-2025-36852: what a pull request writes must never be what main reads).
// Trusted runs read and write one repository. All others read it too, and write to another one, under a scope of their own; the
// registry's permissions or a signing key make that binding, since a run's own word (this file) binds honest runs only.

import { createHash } from "node:crypto";

/** Where entries of one kind lie. */
export interface Place {
  repository: string;
  /** What its tags begin with. */
  prefix: string;
}

export interface Access {
  /** The first that has an entry answers. */
  read: readonly Place[];
  /** Undefined: this run stores nothing. */
  write: Place | undefined;
  /** For people: what the decision went by. */
  why: string;
}

type Environment = Record<string, string | undefined>;
type Verdict = { trust: "trusted" } | { trust: "read-only" } | { trust: "untrusted"; scope: string };
interface Judgement {
  verdict: Verdict;
  why: string;
}

/** Events of GitHub whose code is the branch's own. */
const OWN_EVENTS = new Set(["push", "schedule", "workflow_dispatch", "repository_dispatch", "release"]);
/** Events whose code may be anybody's, while the branch is main: what they write can't be told from others'. */
const FOREIGN_EVENTS = new Set(["pull_request_target", "workflow_run", "issue_comment"]);

/**
 * @param repository of the trusted entries
 * @param mainBranch as nx.json's `defaultBase` names it
 */
export function accessOf(repository: string, env: Environment = process.env, mainBranch = "main"): Access {
  const { verdict, why } = judge(env, mainBranch);
  const trusted: Place = { repository, prefix: "nx-" };
  if (verdict.trust === "trusted") return { read: [trusted], write: trusted, why };
  if (verdict.trust === "read-only") return { read: [trusted], write: undefined, why };
  const own: Place = { repository: untrustedOf(repository), prefix: `${asTag(verdict.scope)}-` };
  return { read: [trusted, own], write: own, why };
}

/** Where runs that aren't trusted keep theirs. */
export const untrustedOf = (repository: string): string => `${repository}-untrusted`;

function judge(env: Environment, mainBranch: string): Judgement {
  const asked = env["WAYBILL_CACHE_TRUST"];
  if (asked !== undefined && asked !== "") return { verdict: asAsked(asked, env), why: `WAYBILL_CACHE_TRUST=${asked}` };
  if (env["GITHUB_ACTIONS"] === "true" || env["GITHUB_EVENT_NAME"] !== undefined) return onGitHub(env, mainBranch);
  if (env["GITLAB_CI"] !== undefined) return onGitLab(env);
  if (env["CI"] !== undefined && env["CI"] !== "false")
    return { verdict: untrusted("ci"), why: "a CI that is not known" };
  // Who can write to the registry from a desk could push images as well: the registry's permissions decide.
  return { verdict: TRUSTED, why: "not in CI" };
}

/** Anything that isn't understood is the least: read-only. */
function asAsked(asked: string, env: Environment): Verdict {
  if (asked === "trusted") return TRUSTED;
  const [word, scope] = asked.split(/:(.*)/s);
  if (word === "untrusted") return untrusted(scope || env["GITHUB_REF"] || "own");
  return { trust: "read-only" };
}

function onGitHub(env: Environment, mainBranch: string): Judgement {
  const event = env["GITHUB_EVENT_NAME"] ?? "";
  const ref = env["GITHUB_REF"] ?? "";
  const why = `GitHub's ${event || "unnamed event"} on ${ref || "no ref"}`;
  if (OWN_EVENTS.has(event) && isReleased(ref, mainBranch)) return { verdict: TRUSTED, why };
  if (FOREIGN_EVENTS.has(event) || ref === "") return { verdict: { trust: "read-only" }, why };
  return { verdict: untrusted(ref.replace(/^refs\//, "")), why };
}

function onGitLab(env: Environment): Judgement {
  const request = env["CI_MERGE_REQUEST_IID"] ?? env["CI_EXTERNAL_PULL_REQUEST_IID"];
  if (request !== undefined) return { verdict: untrusted(`mr-${request}`), why: `GitLab's merge request ${request}` };
  const branch = env["CI_COMMIT_REF_NAME"] ?? "";
  const why = `GitLab's ${branch}`;
  if (env["CI_COMMIT_REF_PROTECTED"] === "true") return { verdict: TRUSTED, why };
  return { verdict: untrusted(branch), why };
}

/** main and the release branches. Not tags: who may push a tag need not be allowed to push to main. */
const isReleased = (ref: string, mainBranch: string): boolean =>
  ref === `refs/heads/${mainBranch}` || /^refs\/heads\/release[/-]/.test(ref);

const TRUSTED: Verdict = { trust: "trusted" };
const untrusted = (scope: string): Verdict => ({ trust: "untrusted", scope });

/** As a part of a tag. Where a character has to go, a hash of the whole keeps two scopes apart. */
function asTag(scope: string): string {
  const plain = scope
    .replace(/[^A-Za-z0-9]+/g, "-")
    .replace(/^-/, "")
    .slice(0, 40);
  if (plain === scope && plain !== "") return plain;
  return `${plain}-${createHash("sha256").update(scope).digest("hex").slice(0, 10)}`.replace(/^-/, "");
}
