// A guest that writes and runs new code all the time, as one with a compiler of its own does. What was generated for code
// that is gone has to go too: resident memory and the number of modules stay bounded however long it runs.
import { createMachine, type Machine, rawImage } from '@retrovisor/core';
import { collectGarbage, compilingShare, type GeneratedCode, watchingGeneratedCode } from './code-generation.js';
import { secondsOf } from './emulator/processor-time.js';
import { amount, type Effort } from './measure.js';
import type { Section } from './report.js';

const MEMORY_BYTES = 64 * 2 ** 20;
/** One function a page, on more pages than there may be compiled regions; then from the first page again. */
const PAGES = 8192;
const ITERATIONS = 400;
/** Three an iteration; to write a function, to call it, and to go on. */
const STEPS_OF_FUNCTION = 13 + ITERATIONS * 3;
const STEPS_OF_CYCLE = PAGES * STEPS_OF_FUNCTION;
const [USUAL_STEPS, LONG_STEPS] = [4 * STEPS_OF_CYCLE, 1_000_000_000];
/** Resident memory at the end beside that after the first cycle, when all pages are in use. */
const MOST_GROWTH = 1.25;
const MOST_LIVE_MODULES = 5000;
const MIB = 2 ** 20;

/**
 * Writes `MOV ECX, 400; again: ADD EAX, number; DEC ECX; JNZ again; RET` to a page, calls it, and goes on with the next
 * page and another number.
 */
const CODE = Uint8Array.from([
  ...[0xbf, 0x00, 0x00, 0x00, 0x01], // MOV EDI, first page
  ...[0xc6, 0x07, 0xb9], // next: MOV BYTE [RDI], 0B9H
  ...[0xc7, 0x47, 0x01, ITERATIONS & 255, ITERATIONS >> 8, 0, 0], // MOV DWORD [RDI + 1], iterations
  ...[0xc6, 0x47, 0x05, 0x05], // MOV BYTE [RDI + 5], 5
  ...[0x89, 0x5f, 0x06], // MOV [RDI + 6], EBX
  ...[0xc7, 0x47, 0x0a, 0xff, 0xc9, 0x75, 0xf7], // MOV DWORD [RDI + 10], DEC ECX; JNZ again
  ...[0xc6, 0x47, 0x0e, 0xc3], // MOV BYTE [RDI + 14], RET
  ...[0xff, 0xd7], // CALL RDI
  ...[0xff, 0xc3], // INC EBX
  ...[0x81, 0xc7, 0x00, 0x10, 0x00, 0x00], // ADD EDI, 1000H
  ...[0x81, 0xff, 0x00, 0x00, 0x00, 0x03], // CMP EDI, behind the last page
  ...[0x72, 0xd2], // JB next
  ...[0xeb, 0xcb], // JMP to the start
]);

function machineWithNewCode(): Machine {
  const boot = rawImage({ bytes: CODE, mode: 'long', load: 0x10_0000 });
  const machine = createMachine({ profile: 'intel-server', memory: MEMORY_BYTES, boot });
  machine.processor(0).set('RSP', 0x20_0000n);
  return machine;
}

/** What a run came to. */
interface Found {
  readonly code: GeneratedCode;
  readonly seconds: number;
  readonly share: number;
  readonly residentBytes: readonly [afterFirstCycle: number, atEnd: number];
}

async function runNewCode(effort: Effort, all: number): Promise<Found> {
  const machine = machineWithNewCode();
  const first = amount(effort, STEPS_OF_CYCLE);
  const residentBytes: number[] = [];
  let [seconds, share] = [0, 0];
  const run = (steps: number) => {
    if (machine.run({ maxSteps: steps }).steps !== steps) throw new RangeError('the guest that writes code stopped');
  };
  const code = await watchingGeneratedCode(async (made) => {
    run(first);
    await collectGarbage();
    residentBytes.push(process.memoryUsage.rss());
    share = compilingShare(() => run(first));
    for (let left = all - 2 * first; left > 0; left -= first) {
      seconds += secondsOf(() => run(Math.min(left, first)));
      await new Promise((resolve) => setImmediate(resolve)); // modules are told of when the event loop turns
    }
    await collectGarbage();
    residentBytes.push(process.memoryUsage.rss());
    return made;
  });
  return { code, seconds, share, residentBytes: [residentBytes[0] ?? Number.NaN, residentBytes[1] ?? Number.NaN] };
}

/** Mebibytes, modules and shares of time. `long` is a run of 10⁹ steps. */
export async function newCode(effort: Effort, long = false): Promise<Section> {
  const all = amount(effort, long ? LONG_STEPS : USUAL_STEPS);
  const { code, seconds, share, residentBytes } = await runNewCode(effort, all);
  const [before, after] = residentBytes;
  const { modules, live } = code;
  return {
    title: `A guest that writes and runs new code for ${all.toLocaleString('en-US')} steps`,
    rows: [
      { name: 'resident memory after the first cycle', value: before / MIB, unit: 'MiB' },
      {
        name: 'resident memory at the end',
        value: after / MIB,
        unit: 'MiB',
        ratios: { '× less growth': before / after },
        goals: [{ text: `${MOST_GROWTH} × after the first cycle`, met: after <= MOST_GROWTH * before }],
      },
      { name: 'modules made', value: modules, unit: '' },
      {
        name: 'modules not collected',
        value: live,
        unit: '',
        goals: [{ text: `${MOST_LIVE_MODULES.toLocaleString('en-US')}`, met: live <= MOST_LIVE_MODULES }],
      },
      { name: 'time that goes to compiling', value: share * 100, unit: '%' },
      { name: 'speed', value: (all - 2 * amount(effort, STEPS_OF_CYCLE)) / seconds / 1e6, unit: 'MIPS' },
    ],
  };
}
