// PUSHF and POPF of SDM, "Flag Control (EFLAG) Instructions": which bits of RFLAGS a privilege level may change.
import { sdm } from '../manual/sdm.js';
import { RFLAGS, STATUS_FLAGS } from '../register/rflags.js';
import type { Cpu } from '../state/cpu.js';
import { defineInstruction } from './define.js';
import { popped, pushed, setStackTop } from './stack-access.js';
import { flagsFromVirtual, isHeldBack, needsMonitor, virtualFlags } from './virtual-8086.js';

const { TF, IF, DF, NT, RF, VM, AC, ID } = RFLAGS.bits;
const bits = (...numbers: readonly number[]): bigint => numbers.reduce((mask, bit) => mask | (1n << BigInt(bit)), 0n);

/** What any software may change. */
const UNPRIVILEGED = BigInt(STATUS_FLAGS) | bits(TF, DF, NT, AC, ID);
const IOPL = 3n << 12n;

/** The bits of RFLAGS that POPF and IRET change at the current privilege level. */
export function writableFlags(cpu: Cpu): bigint {
  const interruptFlag = BigInt(cpu.CPL) <= (cpu.RFLAGS.value & IOPL) >> 12n ? bits(IF) : 0n;
  return UNPRIVILEGED | interruptFlag | (cpu.CPL === 0 ? IOPL : 0n);
}

/** RFLAGS with the bits of a mask taken from a value. */
export function mergeFlags(cpu: Cpu, value: bigint, mask: bigint): bigint {
  return (cpu.RFLAGS.value & ~mask) | (value & mask);
}

const WIDTHS = [
  ['', 2],
  ['D', 4],
  ['Q', 8],
] as const;
const LOW_WORD = 0xffffn;

export const PUSHF = WIDTHS.map(([suffix, bytes]) =>
  defineInstruction({
    mnemonic: `PUSHF${suffix}`,
    manual: sdm('PUSHF/PUSHFD/PUSHFQ—Push EFLAGS Register Onto the Stack'),
    reads: ['RFLAGS', 'RSP'],
    writes: ['RSP'],
    flags: 'unaffected',
    faults: [needsMonitor(`PUSHF${suffix}`, bytes)],
    effect(cpu) {
      const flags = isHeldBack(cpu) ? virtualFlags(cpu) : cpu.RFLAGS.value & ~bits(RF, VM); // the image shows both as 0
      setStackTop(cpu, pushed(cpu, bytes, [flags]));
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
      const { values, top } = popped(cpu, bytes, 1);
      const [image = 0n] = values;
      const mask = writableFlags(cpu) & (bytes === 2 ? LOW_WORD : ~0n);
      const merged = isHeldBack(cpu) ? flagsFromVirtual(cpu, image) : mergeFlags(cpu, image, mask);
      cpu.RFLAGS.value = merged & ~bits(RF);
      setStackTop(cpu, top);
    },
  }),
);
