// What git tells of a long transfer, as lines that suit a terminal and a CI log alike: one each 20 %.

const STEP_PERCENT = 20;

/** Takes what git prints with --progress: its lines redraw themselves with carriage returns. */
export function fetchProgress(say: ((line: string) => void) | undefined): (line: string) => void {
  let told = 0;
  return (text) => {
    for (const line of text.split("\r")) {
      const [, percent, bytes = ""] =
        /Receiving objects:\s+(\d+)%.*?(?:, ([\d.]+ \w+))?(?: \||, done|$)/.exec(line) ?? [];
      if (percent === undefined || bytes === "") continue; // too little to tell
      if (Number(percent) < told) told = 0; // the next repository: a submodule
      if (Number(percent) < told + STEP_PERCENT) continue;
      told = Number(percent);
      say?.(`source: received ${percent} % (${bytes})`);
    }
  };
}
