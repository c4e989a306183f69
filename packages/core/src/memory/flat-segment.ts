// What fast system calls load into CS and SS without reading a descriptor (SDM, "SYSCALL—Fast System Call", "SYSENTER—Fast
// System Call"): flat segments, present, accessed, granular.
import { slotOf } from '../register/register-file.js';
import type { Cpu } from '../state/cpu.js';

/** Attributes of execute/read code of 64-bit mode and of 32 bits, and of read/write data, all of DPL 0. */
export const CODE_64 = 0xa09b;
export const CODE_32 = 0xc09b;
export const DATA = 0xc093;
/** DPL 3. */
export const USER = 0x60;

const CS = slotOf('CS.selector');
const SS = slotOf('SS.selector');
const WHOLE = -1;

/** Loads CS and SS with flat segments. System calls are frequent: words are written, not bigints. */
export function loadFlatSegments(
  cpu: Cpu,
  code: number,
  codeAttributes: number,
  stack: number,
  stackAttributes: number,
): void {
  store(cpu, CS, code, codeAttributes);
  store(cpu, SS, stack, stackAttributes);
  cpu.draft.levelChanged(cpu);
}

/** Base 0 and a limit of 4 GiB. */
function store({ words, draft, id }: Cpu, first: number, selector: number, attributes: number): void {
  const word = first * 2;
  words[word] = selector & 0xffff;
  words[word + 1] = 0;
  words[word + 2] = 0;
  words[word + 3] = 0;
  words[word + 4] = WHOLE;
  words[word + 5] = 0;
  words[word + 6] = attributes;
  words[word + 7] = 0;
  if (draft.writeTrace === undefined) return;
  for (let slot = first; slot < first + 4; slot++) draft.writeTrace.register(id, slot);
}
