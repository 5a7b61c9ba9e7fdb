// Reads the SubjectAccessReview the proxy sends: client-go speaks Kubernetes' protobuf envelope here and takes JSON back.
// Field numbers: k8s.io/apimachinery runtime/generated.proto (Unknown), k8s.io/api authorization/v1/generated.proto.

const MAGIC = Buffer.from("k8s\0");
const UNKNOWN_RAW = 2;
const REVIEW_SPEC = 2;
const SPEC = { resourceAttributes: 1, user: 3 };
const ATTRIBUTES = { verb: 2, resource: 5, name: 7 };

/** `user verb resource/name`, what the review asks about. */
export function permissionIn(body: Buffer): string {
  if (!body.subarray(0, MAGIC.length).equals(MAGIC))
    throw new Error(`no protobuf envelope: ${body.toString("latin1")}`);
  const spec = field(field(body.subarray(MAGIC.length), UNKNOWN_RAW), REVIEW_SPEC);
  const attributes = field(spec, SPEC.resourceAttributes);
  const [verb, resource, name] = [ATTRIBUTES.verb, ATTRIBUTES.resource, ATTRIBUTES.name].map((n) =>
    field(attributes, n),
  );
  return `${field(spec, SPEC.user)} ${verb} ${resource}/${name}`;
}

/** The first length-delimited field `wanted` of a message, empty where there is none. */
function field(message: Buffer, wanted: number): Buffer {
  const LENGTH_DELIMITED = 2;
  for (let at = 0; at < message.length;) {
    const [tag, afterTag] = varint(message, at);
    const [value, afterValue] = varint(message, afterTag);
    if ((tag & 7) !== LENGTH_DELIMITED) {
      at = afterValue;
      continue;
    }
    if (tag >> 3 === wanted) return message.subarray(afterValue, afterValue + value);
    at = afterValue + value;
  }
  return Buffer.alloc(0);
}

function varint(message: Buffer, from: number): [value: number, next: number] {
  let value = 0;
  for (let at = from, shift = 0; ; at++, shift += 7) {
    const byte = message[at];
    if (byte === undefined) throw new Error("a varint without an end");
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return [value, at + 1];
  }
}
