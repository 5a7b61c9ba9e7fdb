// Image folders of the usual shape: several stages, an ignore file, a lock, budgets, bases among the images themselves.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Each tenth image is a base of those after it, so that edges are many and none makes a cycle. */
const BASE_EVERY = 10;

/** Writes `count` image folders under `root`/images, and the nx.json that makes it a workspace. */
export async function generateImages(root: string, count: number): Promise<void> {
  await mkdir(join(root, "images"), { recursive: true });
  await writeFile(join(root, "nx.json"), "{}\n");
  for (let index = 0; index < count; index += 1) await generateImage(join(root, "images"), index);
}

const nameOf = (index: number): string => `image-${String(index).padStart(4, "0")}`;

async function generateImage(images: string, index: number): Promise<void> {
  const name = nameOf(index);
  const files = {
    Dockerfile: dockerfile(index),
    ".dockerignore": "*\n!go.mod\n!go.sum\n!src\nsrc/**/*_test.go\n**/*.md\n",
    "project.json": JSON.stringify(project(name), null, 2),
    "package.json": JSON.stringify({ name: `@waybill/${name}`, version: "0.1.0", private: true }, null, 2),
    "README.md": `# ${name}\n`,
    "go.mod": `module ${name}\n`,
    "go.sum": "",
    "src/main.go": "package main\n\nfunc main() {}\n",
    "src/main_test.go": "package main\n",
  };
  for (const [file, content] of Object.entries(files)) {
    const path = join(images, name, file);
    await mkdir(join(path, ".."), { recursive: true });
    await writeFile(path, content);
  }
}

const project = (name: string) => ({
  name,
  tags: ["lang:go"],
  metadata: {
    image: {
      platforms: ["linux/amd64", "linux/arm64"],
      budget: { compressed: "10 MB", unpacked: "30 MB" },
      variants: { debug: { target: "debug" } },
    },
  },
});

function dockerfile(index: number): string {
  if (index < BASE_EVERY) return "FROM scratch AS debug\nCOPY src/ /src/\nFROM scratch\nCOPY --from=debug /src /src\n";
  const newest = Math.floor((index - 1) / BASE_EVERY) * BASE_EVERY;
  const [toolchain, base] = [nameOf(newest), nameOf(newest >= BASE_EVERY ? newest - BASE_EVERY : newest)];
  return `# What image ${index} is for.
ARG TOOLCHAIN=waybill/${toolchain}
ARG BASE=waybill/${base}

FROM --platform=$BUILDPLATFORM \${TOOLCHAIN} AS dependencies
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=secret,id=ca --mount=type=cache,target=/go/pkg/mod,sharing=locked \\
    with-ca go mod download

FROM dependencies AS build
COPY src/ ./src/
ARG TARGETOS
ARG TARGETARCH
RUN --mount=type=cache,target=/go/pkg/mod,sharing=locked --mount=type=bind,from=packages-root,target=/packages \\
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -o /out/program ./src

FROM \${BASE} AS debug
COPY --from=build /out/program /usr/local/bin/program

FROM \${BASE}
COPY --from=build /out/program /usr/local/bin/program
USER 65532:65532
HEALTHCHECK --interval=10s CMD ["/usr/local/bin/program", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/program"]
`;
}
