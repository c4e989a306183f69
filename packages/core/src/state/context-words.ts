// The registers that decide the mode, the privilege level, how addresses are translated and what breakpoints wait for.
import { slotOf } from '../register/register-file.js';
import { RFLAGS } from '../register/rflags.js';

const REGISTERS = [
  'CR0',
  'CR3',
  'CR4',
  'PDPTE0',
  'PDPTE1',
  'PDPTE2',
  'PDPTE3',
  'PKRU',
  'IA32_PKRS',
  'A20M',
  'IA32_EFER',
  'RFLAGS',
  'CS.selector',
  'CS.attributes',
  'CS.base',
  'CS.limit',
  'SS.attributes',
  'DR7',
] as const;

/** Slots: a write to one of them may change the context. */
export const CONTEXT_SLOTS: ReadonlySet<number> = new Set(REGISTERS.map(slotOf));

/** A word of the register file, and the bits of it that count. */
export interface ContextWord {
  readonly word: number;
  readonly mask: number;
}

const { TF, RF, VM, AC } = RFLAGS.bits;
const FLAGS = [TF, RF, VM, AC].reduce((mask, bit) => mask | (1 << bit), 0);

/** What is compared: most writes to RFLAGS, and reloads of the same segments, change nothing. */
export const CONTEXT_WORDS: readonly ContextWord[] = REGISTERS.flatMap((name) => {
  const word = slotOf(name) * 2;
  return [
    { word, mask: name === 'RFLAGS' ? FLAGS : -1 },
    { word: word + 1, mask: -1 },
  ];
});
