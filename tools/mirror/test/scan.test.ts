// What a folder names, by file and line.

import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { scanFolder } from "@waybill/mirror/scan";
import { formatReference, run } from "@waybill/oci";

async function folderWith(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "scan-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

/** "file:line image" each, and the problems; the folder's own name left out. */
async function scanned(files: Record<string, string>): Promise<{ images: string[]; problems: string[] }> {
  const folder = await folderWith(files);
  const { images, problems } = await scanFolder(folder);
  const short = (text: string): string => text.replace(`${folder}/`, "").replace(folder, ".");
  return {
    images: images.map(({ reference, where = "" }) => `${short(where)} ${formatReference(reference)}`),
    problems: problems.map(short),
  };
}

const SHA = `sha256:${"b".repeat(64)}`;

describe("a folder names images in", () => {
  test("Dockerfiles: bases, sources of copies and mounts, and not stages", async () => {
    const Dockerfile = [
      "ARG VERSION=1.24 BASE",
      "FROM golang:${VERSION} AS build",
      "FROM build AS more",
      `COPY --from=ghcr.io/acme/tools:1@${SHA} /a /a`,
      "COPY --from=build /b /b",
      "COPY --from=packages-base /c /c",
      "RUN --mount=from=busybox:1,target=/d true",
      "FROM ${BASE}",
      "FROM scratch",
    ].join("\n");
    expect(
      await scanned({
        "a/Dockerfile": Dockerfile,
        "b/web.dockerfile": "FROM nginx\n",
        "Dockerfile.debug": "FROM a:1\n",
      }),
    ).toEqual({
      images: [
        "Dockerfile.debug:1 docker.io/library/a:1",
        "a/Dockerfile:2 docker.io/library/golang:1.24",
        `a/Dockerfile:4 ghcr.io/acme/tools:1@${SHA}`,
        "a/Dockerfile:7 docker.io/library/busybox:1",
        "b/web.dockerfile:1 docker.io/library/nginx",
      ],
      problems: [
        'a/Dockerfile:8: what "${BASE}" is, only a build knows',
        ".: taken for build contexts, and not for images: packages-base",
      ],
    });
  });

  test("Dockerfiles, but not those that it builds itself", async () => {
    const files = {
      "base/package.json": '{ "name": "@acme/base" }',
      "app/Dockerfile": "FROM acme/base\nFROM acme/other\n",
    };
    expect((await scanned(files)).images).toEqual(["app/Dockerfile:2 docker.io/acme/other"]);
  });

  test("compose files, with variables' defaults", async () => {
    const text = "services:\n  a:\n    image: redis:${TAG:-7}\n  b: {image: '${REGISTRY}/b:1'}\n  c: {build: .}\n";
    expect((await scanned({ "docker-compose.prod.yml": text })).images).toEqual([
      "docker-compose.prod.yml:3 docker.io/library/redis:7",
    ]);
  });

  test("workflows and actions", async () => {
    const workflow = [
      "jobs:",
      "  a:",
      "    container: node:24",
      "    services:",
      "      db: { image: 'postgres:17' }",
      "    steps:",
      "      - uses: docker://ghcr.io/acme/lint:2",
      "      - uses: actions/checkout@v4",
      "      - with: { image: not/this:1 }",
      "  b:",
      "    container:",
      "      image: ${{ matrix.image }}",
      "  c:",
      "    container: { image: debian:13 }",
    ].join("\n");
    expect(
      await scanned({
        ".github/workflows/ci.yml": workflow,
        "action.yml": "runs: {using: docker, image: 'docker://a/b:1'}\n",
      }),
    ).toEqual({
      images: [
        ".github/workflows/ci.yml:3 docker.io/library/node:24",
        ".github/workflows/ci.yml:5 docker.io/library/postgres:17",
        ".github/workflows/ci.yml:7 ghcr.io/acme/lint:2",
        ".github/workflows/ci.yml:14 docker.io/library/debian:13",
        "action.yml:1 docker.io/a/b:1",
      ],
      problems: [],
    });
  });

  test("Kubernetes objects of any kind, their values and kustomizations", async () => {
    const objects = [
      "# two of them",
      "apiVersion: batch/v1",
      "kind: CronJob",
      "spec: {jobTemplate: {spec: {template: {spec: {initContainers: [{image: busybox}]}}}}}",
      "---",
      "apiVersion: kaos.tools/v1alpha1",
      "kind: Agent",
      "spec:",
      "  image: ghcr.io/acme/agent:1",
      "---",
      "apiVersion: postgresql.cnpg.io/v1",
      "kind: Cluster",
      "spec: {imageName: ghcr.io/cloudnative-pg/postgresql:17}",
      "---",
      "apiVersion: helm.toolkit.fluxcd.io/v2",
      "kind: HelmRelease",
      "spec:",
      "  values:",
      "    image:",
      "      repository: ghcr.io/home-operations/sonarr",
      "      tag: 4.0.1",
      "---",
      "apiVersion: v1",
      "kind: ConfigMap",
      "data: {image: logo.png}",
    ].join("\n");
    const crd =
      "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec: {properties: {image: string}}\n";
    const kustomization = `images:\n  - name: a\n    newName: ghcr.io/acme/a\n    newTag: 1.10\n  - name: b\n    digest: ${SHA}\n  - name: c\n`;
    const others = { "notes.yaml": "image: not an object\n", "crd.yaml": crd };
    expect(await scanned({ "all.yaml": objects, "k/kustomization.yaml": kustomization, ...others })).toEqual({
      images: [
        "all.yaml:4 docker.io/library/busybox",
        "all.yaml:9 ghcr.io/acme/agent:1",
        "all.yaml:13 ghcr.io/cloudnative-pg/postgresql:17",
        "all.yaml:20 ghcr.io/home-operations/sonarr:4.0.1",
        "k/kustomization.yaml:3 ghcr.io/acme/a:1.10",
        `k/kustomization.yaml:5 docker.io/library/b:latest@${SHA}`,
      ],
      problems: [],
    });
  });

  test("charts: values, what templates name, and what Helm makes of both", async () => {
    const chart = {
      "c/Chart.yaml": "apiVersion: v2\nname: c\nversion: 1.0.0\nappVersion: 2.3.4\n",
      "c/values.yaml": "image:\n  repository: ghcr.io/a/b\n  tag: ''\nproxy: {image: 'quay.io/c/d:1'}\n",
      "c/templates/a.yaml": 'image: "{{ .Values.image.repository }}:1"\nx:\n  - image: busybox:1 # plain\n',
    };
    const written = [
      "c/templates/a.yaml:3 docker.io/library/busybox:1",
      "c/values.yaml:2 ghcr.io/a/b:2.3.4",
      "c/values.yaml:4 quay.io/c/d:1",
    ];
    const bin = await folderWith({
      helm: '#!/bin/sh\nprintf -- "---\\napiVersion: v1\\nkind: Pod\\nspec: {image: %s}\\n" made:up busybox:1\n',
    });
    await chmod(join(bin, "helm"), 0o755);
    vi.stubEnv("PATH", `${bin}${delimiter}${process.env["PATH"]}`);
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(await scanned(chart)).toEqual({
      images: [...written, "c (rendered) docker.io/library/made:up"],
      problems: [],
    });
    await writeFile(join(bin, "helm"), "#!/bin/sh\necho 'Error: values are missing' >&2; exit 1\n");
    expect(await scanned(chart)).toEqual({
      images: written,
      problems: [expect.stringMatching(/^c: not rendered: values are missing/)],
    });
  });
});

describe("what a folder has besides", () => {
  test("is told where it can't be read, if it seems to name images", async () => {
    const files = {
      "broken.yaml": "kind: Pod\nspec:\n  image: a:1\n bad: [\n",
      "other.yaml": "{{ template }}: [\n",
      "empty.yaml": "",
    };
    const { images, problems } = await scanned(files);
    expect([images, problems]).toEqual([[], [expect.stringMatching(/^broken\.yaml:\d+: /)]]);
  });

  test("is left alone: what git ignores, what tools leave, what links lead to", async () => {
    const files = {
      "a.yaml": "apiVersion: v1\nkind: Pod\nimage: a:1\n",
      "node_modules/b/Dockerfile": "FROM b\n",
      "out/Dockerfile": "FROM c\n",
    };
    const folder = await folderWith(files);
    await symlink(folder, join(folder, "loop"));
    const names = async (): Promise<string[]> =>
      (await scanFolder(folder)).images.map(({ reference }) => reference.repository);
    expect(await names()).toEqual(["library/a", "library/c"]);
    await run("git", ["init", "-q", folder], { check: true });
    await writeFile(join(folder, ".gitignore"), "out\nnode_modules\n");
    expect(await names()).toEqual(["library/a"]);
  });

  test("nothing, where there is no such folder", async () => {
    await expect(scanFolder("/nowhere/at/all")).rejects.toThrow("the folder can't be read (ENOENT), /nowhere/at/all");
  });
});
