// A file that says of itself what a Go program does (Go's debug/buildinfo, strings inline).

const MARK = "0123456789abcdef";

export function goProgram(goVersion: string, modules: string): Buffer {
  const program = Buffer.alloc(600_000);
  program.write("\x7fELF", "latin1");
  const header = Buffer.alloc(32);
  header.write("\xff Go buildinf:", "latin1");
  header[14] = 8;
  header[15] = 2;
  const info = Buffer.concat([header, text(goVersion), text(`${MARK}${modules}\n${MARK}`)]);
  info.copy(program, 1_024 * 16);
  return program;
}

/** Length as a varint, then bytes. */
function text(value: string): Buffer {
  const length: number[] = [];
  for (let rest = value.length; ; rest >>= 7) {
    length.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
    if (rest <= 0x7f) break;
  }
  return Buffer.concat([Buffer.from(length), Buffer.from(value, "latin1")]);
}
