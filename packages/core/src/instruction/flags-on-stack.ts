// PUSHF and POPF of SDM, "Flag Control (EFLAG) Instructions": which bits of RFLAGS a privilege level may change.
import { sdm } from '../manual/sdm.js';
import { slotOf } from '../register/register-file.js';
import { RFLAGS, STATUS_FLAGS } from '../register/rflags.js';
import type { Cpu } from '../state/cpu.js';
import { defineInstruction } from './define.js';
import { StackCursor } from './stack-cursor.js';
import { flagsFromVirtual, isHeldBack, needsMonitor, virtualFlags } from './virtual-8086.js';

const FLAGS_UPPER_HALF = slotOf('RFLAGS') * 2 + 1;
const { TF, IF, DF, NT, RF, VM, AC, ID } = RFLAGS.bits;
const bits = (...numbers: readonly number[]): number => numbers.reduce((mask, bit) => mask | (1 << bit), 0);

/** What any software may change. */
const UNPRIVILEGED = STATUS_FLAGS | bits(TF, DF, NT, AC, ID);
const INTERRUPT_FLAG = bits(IF);
const HIDDEN = bits(RF, VM);
const IOPL_SHIFT = 12;
const IOPL = 3 << IOPL_SHIFT;

/** The bits of RFLAGS that POPF and IRET change at the current privilege level. */
export function writableFlags(cpu: Cpu): number {
  const { CPL } = cpu;
  const interruptFlag = CPL <= (cpu.EFLAGS & IOPL) >> IOPL_SHIFT ? INTERRUPT_FLAG : 0;
  return UNPRIVILEGED | interruptFlag | (CPL === 0 ? IOPL : 0);
}

/** The low half of RFLAGS with the bits of a mask taken from a value. */
export function mergeFlags(cpu: Cpu, value: number, mask: number): number {
  return (cpu.EFLAGS & ~mask) | (value & mask);
}

const WIDTHS = [
  ['', 2],
  ['D', 4],
  ['Q', 8],
] as const;
const LOW_WORD = 0xffff;

export const PUSHF = WIDTHS.map(([suffix, bytes]) =>
  defineInstruction({
    mnemonic: `PUSHF${suffix}`,
    manual: sdm('PUSHF/PUSHFD/PUSHFQ—Push EFLAGS Register Onto the Stack'),
    reads: ['RFLAGS', 'RSP'],
    writes: ['RSP'],
    flags: 'unaffected',
    faults: [needsMonitor(`PUSHF${suffix}`, bytes)],
    effect(cpu) {
      const flags = isHeldBack(cpu) ? Number(virtualFlags(cpu)) : cpu.EFLAGS & ~HIDDEN; // the image shows both as 0
      const top = new StackCursor(cpu);
      top.push(bytes, flags, cpu.words[FLAGS_UPPER_HALF] as number);
      top.commit();
    },
  }),
);

export const POPF = WIDTHS.map(([suffix, bytes]) =>
  defineInstruction({
    mnemonic: `POPF${suffix}`,
    manual: sdm('POPF/POPFD/POPFQ—Pop Stack Into EFLAGS Register'),
    reads: ['RFLAGS', 'RSP', 'SS.attributes'],
    writes: ['RFLAGS', 'RSP'],
    flags: 'popped, as far as CPL and IOPL allow; what is not allowed stays, without a fault',
    faults: [needsMonitor(`POPF${suffix}`, bytes)],
    effect(cpu) {
      const top = new StackCursor(cpu);
      const image = top.pop(bytes).low;
      const mask = writableFlags(cpu) & (bytes === 2 ? LOW_WORD : -1);
      const held = isHeldBack(cpu);
      const merged = held ? Number(flagsFromVirtual(cpu, BigInt(image))) : mergeFlags(cpu, image, mask);
      cpu.EFLAGS = merged & ~bits(RF);
      top.commit();
    },
  }),
);
