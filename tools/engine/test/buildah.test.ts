// buildah conforms, but for what docs/engines.md says it loses.

import { conforms } from "./support/conformance.ts";

conforms("buildah");
