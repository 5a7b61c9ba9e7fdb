// The private engine conforms.

import { conforms } from "./support/conformance.ts";

conforms("embedded");
