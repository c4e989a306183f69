// What instructions on MMX registers have in common (SDM, "MMX Technology System Programming"): they use the data registers
// of the x87 FPU, MM0 to MM7 being bits 63:0 of R0 to R7. Each of them sets TOP to 0 and marks all registers as not empty,
// and a register that is written has ones in bits 79:64.

import { UD } from '../../interrupt/exceptions.js';
import { type SdmTitle, sdm } from '../../manual/sdm.js';
import type { Cpu } from '../../state/cpu.js';
import { TOP_SHIFT } from '../../x87/status.js';
import { defineInstruction, type FaultRow } from '../define.js';
import type { Operand } from '../operand.js';
import { PENDING, reportedByFerr, TASK_SWITCHED } from '../x87/define.js';

const EMULATED: FaultRow = {
  id: 'core.mmx.emulated',
  fields: ['CR0.EM'],
  when: (cpu) => cpu.CR0.EM,
  raise: UD,
  explain: 'MMX instructions are not emulated: clear CR0.EM.',
};

/** For those that use an XMM register too. */
const OSFXSR: FaultRow = {
  id: 'core.mmx.osfxsr',
  fields: ['CR4.OSFXSR'],
  when: (cpu) => !cpu.CR4.OSFXSR,
  raise: UD,
  explain: 'The operating system must say with CR4.OSFXSR that it saves XMM registers.',
};

const REGISTERS = Array.from({ length: 8 }, (_, index) => `R${index}`);
const MMX_REGISTER = /^MM(\d)$/;
const ALL_FULL = 0xffn;
const ONES = 0xffffn << 64n;
const QUADWORD = (1n << 64n) - 1n;
const TOP = 7n << BigInt(TOP_SHIFT);

function registerOf({ register = '' }: Operand): string | undefined {
  const digits = MMX_REGISTER.exec(register)?.[1];
  return digits === undefined ? undefined : `R${digits}`;
}

/** The low quadword of an operand: an MMX, XMM or general register, memory, or an immediate. */
export function quadword(cpu: Cpu, operand: Operand): bigint {
  const register = registerOf(operand);
  return (register === undefined ? operand.read() : cpu.read(register)) & QUADWORD;
}

/** Writes an MMX register, or what else the operand is. */
export function writeQuadword(cpu: Cpu, operand: Operand, value: bigint): void {
  const register = registerOf(operand);
  if (register === undefined) operand.write(value);
  else cpu.set(register, ONES | value);
}

/** A mnemonic that names an instruction on MMX registers apart from that on XMM registers: `PADDB mm`. */
export const ofMmx = (mnemonic: string): string => `${mnemonic} mm`;

interface Declaration {
  readonly mnemonic: string;
  readonly title: SdmTitle;
  /** An operand is an XMM register. */
  readonly xmm?: boolean;
  /** What happens to the registers of the x87 FPU; only EMMS empties them. */
  readonly tags?: bigint;
  readonly effect: (cpu: Cpu, operands: readonly Operand[]) => void;
}

/** Declares an instruction on MMX registers. The effect reads and writes; then the registers belong to MMX. */
export function defineMmx({ mnemonic, title, xmm = false, tags = ALL_FULL, effect }: Declaration) {
  return defineInstruction({
    mnemonic,
    manual: sdm(title),
    reads: ['CR0.EM', 'CR0.TS', 'CR0.NE', 'FSW', ...REGISTERS],
    writes: ['FSW', 'FTW', ...REGISTERS],
    flags: 'unaffected',
    faults: [EMULATED, ...(xmm ? [OSFXSR] : []), TASK_SWITCHED, PENDING],
    effect(cpu, operands) {
      const waiting = reportedByFerr(cpu);
      if (waiting !== undefined) return waiting;
      effect(cpu, operands); // an access that faults leaves the tags alone
      cpu.set('FSW', cpu.read('FSW') & ~TOP);
      cpu.set('FTW', tags);
      return undefined;
    },
  });
}
