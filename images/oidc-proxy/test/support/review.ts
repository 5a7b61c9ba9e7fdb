// Reads the SubjectAccessReview a proxy sends: ours in JSON; kube-oidc-proxy, which these tests run too, in Kubernetes' protobuf.
// Field numbers: k8s.io/apimachinery runtime/generated.proto (Unknown), k8s.io/api authorization/v1/generated.proto.

const MAGIC = Buffer.from("k8s\0");
const UNKNOWN_RAW = 2;
const REVIEW_SPEC = 2;
const SPEC = { resourceAttributes: 1, user: 3 };
const ATTRIBUTES = { verb: 2, resource: 5, name: 7 };

interface AccessReview {
  spec: { user: string; resourceAttributes: { verb: string; resource: string; name: string } };
}

/** `user verb resource/name`, what the review asks about. */
export function permissionIn(body: Buffer): string {
  return body.subarray(0, MAGIC.length).equals(MAGIC) ? inProtobuf(body) : inJson(body);
}

function inJson(body: Buffer): string {
  const { spec } = JSON.parse(body.toString()) as AccessReview;
  const { verb, resource, name } = spec.resourceAttributes;
  return `${spec.user} ${verb} ${resource}/${name}`;
}

function inProtobuf(body: Buffer): string {
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
