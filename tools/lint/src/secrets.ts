// What must not ship: mounted secrets that were copied, private keys, files of credentials.

import type { TreeEntry } from "@waybill/oci";

/** First bytes that `secretIn` needs of a file. */
export function secretHeadBytes(path: string): number {
  return /(^|\/)\.npmrc$/.test(path) ? 4096 : 64;
}

/** RFC 7468's label for every kind of private key, OpenSSH's and PGP's too. */
const PRIVATE_KEY = /^\s*-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----/;

const CREDENTIALS =
  /(^|\/)(\.netrc|\.git-credentials|\.pypirc|\.docker\/config\.json|\.aws\/credentials|\.kube\/config)$/;

/** What of a secret a file holds, in words that follow its path. */
export function secretIn({ path, size, head }: TreeEntry): string | undefined {
  // An engine may leave an empty file where it mounted a secret.
  if (size === 0) return undefined;
  if (path.startsWith("run/secrets/")) return "is a secret of the build";
  const text = head.toString("latin1");
  if (PRIVATE_KEY.test(text) || text.startsWith("PuTTY-User-Key-File-")) return "is a private key";
  if (CREDENTIALS.test(path)) return "holds credentials";
  if (/(^|\/)\.npmrc$/.test(path) && /_(authToken|auth|password)\s*=\s*[^\s$]/.test(text)) return "holds an npm token";
  return undefined;
}
