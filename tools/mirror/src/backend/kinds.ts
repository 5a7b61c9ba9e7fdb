// Which code knows which registry.

import type { Backend } from "./backend.ts";
import { distribution } from "./distribution.ts";
import { harbor } from "./harbor.ts";
import type { BackendSettings } from "./settings.ts";
import { zot } from "./zot.ts";

const KINDS = { distribution, zot, harbor };

export const backendOf = (settings: BackendSettings): Backend => KINDS[settings.backend](settings);
