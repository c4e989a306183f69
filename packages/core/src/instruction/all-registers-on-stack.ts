// SDM, "PUSHA/PUSHAD—Push All General-Purpose Registers" and "POPA/POPAD—Pop All General-Purpose Registers", which 64-bit
// mode does not have.
import { sdm } from '../manual/sdm.js';
import type { Cpu } from '../state/cpu.js';
import { defineInstruction } from './define.js';
import { popped, pushed, setStackTop } from './stack-access.js';

/** In the order in which they are pushed; the stack pointer as it was before. */
const ALL = ['RAX', 'RCX', 'RDX', 'RBX', 'RSP', 'RBP', 'RSI', 'RDI'] as const;
const WIDTHS = [
  ['', 2],
  ['D', 4],
] as const;

export const PUSHA = WIDTHS.map(([suffix, bytes]) =>
  defineInstruction({
    mnemonic: `PUSHA${suffix}`,
    manual: sdm('PUSHA/PUSHAD—Push All General-Purpose Registers'),
    reads: ALL,
    writes: ['RSP'],
    flags: 'unaffected',
    effect: (cpu) =>
      setStackTop(
        cpu,
        pushed(
          cpu,
          bytes,
          ALL.map((register) => cpu[register]),
        ),
      ),
  }),
);

/** A 16-bit register keeps what is above it. */
function load(cpu: Cpu, register: (typeof ALL)[number], bytes: 2 | 4, value: bigint): void {
  cpu[register] = bytes === 2 ? (cpu[register] & ~0xffffn) | value : value;
}

/** The stack pointer on the stack is skipped. */
export const POPA = WIDTHS.map(([suffix, bytes]) =>
  defineInstruction({
    mnemonic: `POPA${suffix}`,
    manual: sdm('POPA/POPAD—Pop All General-Purpose Registers'),
    reads: ['RSP'],
    writes: ALL,
    flags: 'unaffected',
    effect(cpu) {
      const { values, top } = popped(cpu, bytes, ALL.length);
      for (const [index, register] of ALL.toReversed().entries())
        if (register !== 'RSP') load(cpu, register, bytes, values[index] ?? 0n);
      setStackTop(cpu, top);
    },
  }),
);
