// A registry as the first component of a repository: the two ways undo each other, and what comes out is part of a reference.

import { describe, expect, test } from "vitest";
import { componentOfRegistry, isRepository, registryOfComponent } from "@waybill/oci";

describe("a registry in a mirror", () => {
  test.each([
    ["ghcr.io", "ghcr.io"],
    ["docker.io", "docker.io"],
    ["localhost", "localhost"],
    ["localhost:5000", "localhost__5000"],
    ["registry:5000", "registry__5000"],
    ["reg.example.com:8443", "reg.example.com__8443"],
    ["127.0.0.1:5000", "127.0.0.1__5000"],
    ["a-b.example.com", "a-b.example.com"],
    ["[::1]", "0-0-0-0-0-0-0-1__ip6"],
    ["[2001:db8::1]:5000", "2001-db8-0-0-0-0-0-1__ip6__5000"],
    ["[fe80::]", "fe80-0-0-0-0-0-0-0__ip6"],
  ])("%s is %s, and back", (registry, component) => {
    expect(componentOfRegistry(registry)).toBe(component);
    expect(isRepository(component)).toBe(true);
    expect(registryOfComponent(component)).toBe(registry);
  });

  test.each([
    ["Registry.Example.com:5000", "registry.example.com__5000"],
    ["index.docker.io", "docker.io"],
    ["[0:0:0:0:0:0:0:1]", "0-0-0-0-0-0-0-1__ip6"],
    ["[2001:DB8::1]", "2001-db8-0-0-0-0-0-1__ip6"],
  ])("%s is %s: another name for the same", (registry, component) => {
    expect(componentOfRegistry(registry)).toBe(component);
  });

  test.each(["team", "my__5000x", "a_5000", "0-0-1__ip6", "my_team__500", "__5000", "a__b"])(
    "%s is the name of what was pushed",
    (component) => {
      expect(registryOfComponent(component)).toBeUndefined();
    },
  );

  test("a host that looks like a name is refused", () => {
    expect(() => componentOfRegistry("Registry")).toThrow(
      'a mirror can\'t tell the registry "Registry" from the name of a repository: write its port too',
    );
    expect(() => componentOfRegistry("[1:2]")).toThrow('"[1:2]" is not an IPv6 address');
  });
});
