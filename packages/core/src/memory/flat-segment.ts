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

/** What a segment register gets beside base 0 and a limit of 4 GiB. */
interface FlatSegment {
  readonly selector: number;
  readonly attributes: number;
}

/** Loads CS and SS with flat segments. System calls are frequent: words are written, not bigints. */
export function loadFlatSegments(cpu: Cpu, code: FlatSegment, stack: FlatSegment): void {
  store(cpu, CS, code);
  store(cpu, SS, stack);
  cpu.draft.contextChanged(cpu);
}

function store({ words, draft, id }: Cpu, first: number, { selector, attributes }: FlatSegment): void {
  const word = first * 2;
  words.fill(0, word, word + 8);
  words[word] = selector & 0xffff;
  words[word + 4] = WHOLE;
  words[word + 6] = attributes;
  for (let slot = first; slot < first + 4; slot++) draft.writeTrace?.register(id, slot);
}
