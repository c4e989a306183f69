// What the instructions of the x87 FPU have in common: the checks before each of them (SDM, "x87 FPU Exception
// Handling in Software" and "Device Not Available Exception"), and the pointers to the last one (SDM, "x87 FPU
// Instruction and Data (Operand) Pointers").
import { fault, type Outcome } from '../../event/outcome.js';
import { effectiveOffset } from '../../execute/operands.js';
import { NM } from '../../interrupt/exceptions.js';
import type { Citation } from '../../manual/citation.js';
import { lookUpCpuid } from '../../profile/cpuid-lookup.js';
import type { Cpu } from '../../state/cpu.js';
import { STATUS } from '../../x87/status.js';
import { defineInstruction, type FaultRow } from '../define.js';
import type { Operand } from '../operand.js';
import { FERR_LINE, FloatingPointUnit } from './unit.js';

/** CR0.EM and CR0.TS stop each instruction that uses the unit; WAIT has a row of its own. */
const EMULATED: FaultRow = {
  id: 'core.x87.emulated',
  fields: ['CR0.EM'],
  when: (cpu) => cpu.CR0.EM,
  raise: NM,
  explain: 'CR0.EM hands x87 instructions to an emulator: clear it to use the unit.',
};

export const TASK_SWITCHED: FaultRow = {
  id: 'core.x87.task-switched',
  fields: ['CR0.TS'],
  when: (cpu) => cpu.CR0.TS,
  raise: NM,
  explain: 'CR0.TS asks the handler of #NM to switch the state of the unit: it does so and executes CLTS.',
};

const UNAVAILABLE = [EMULATED, TASK_SWITCHED];

/** Left by an earlier instruction: reported at the next one that waits. */
export const PENDING: FaultRow = {
  id: 'core.x87.pending',
  fields: ['FSW', 'FCW', 'CR0.NE'],
  when: (cpu) => cpu.CR0.NE && isPending(cpu),
  raise: fault('#MF'),
  explain: 'An earlier x87 instruction raised an exception that FCW does not mask: its flag is still set in FSW.',
};

function isPending(cpu: Cpu): boolean {
  return (Number(cpu.read('FSW')) & STATUS.ES) !== 0;
}

/**
 * SDM, "MS-DOS* Compatibility Sub-mode": with CR0.NE clear, FERR# reports what is pending, which a PC wires to interrupt line
 * 13. The processor stands before the instruction until an interrupt comes. IGNNE# is never asserted here.
 */
export function reportedByFerr(cpu: Cpu): Outcome | undefined {
  if (cpu.CR0.NE || !isPending(cpu)) return undefined;
  const { executing } = cpu.draft.runner;
  if (executing !== undefined) cpu.RIP = executing.address;
  cpu.draft.setInterruptLine(FERR_LINE, true);
  cpu.activity = 'HLT';
  return { kind: 'halted' };
}

/** How an x87 instruction is declared. */
interface Declaration {
  readonly mnemonic: string;
  readonly manual: Citation;
  /** The FN… forms do not look at pending exceptions. */
  readonly waits?: boolean;
  readonly effect: (unit: FloatingPointUnit, operands: readonly Operand[]) => void;
}

const DATA_REGISTERS = Array.from({ length: 8 }, (_, index) => `R${index}`);
const STATE = [...DATA_REGISTERS, 'FCW', 'FSW', 'FTW'];
const POINTERS = ['FOP', 'FIP', 'FCS', 'FDP', 'FDS'];

/** A control instruction: the pointers stay, and the effect ends itself. */
export function defineControl({ mnemonic, manual, waits = true, effect }: Declaration) {
  return defineInstruction({
    mnemonic,
    manual,
    reads: ['CR0.EM', 'CR0.TS', 'CR0.NE', ...STATE, ...POINTERS],
    writes: [...STATE, ...POINTERS],
    flags: 'unaffected',
    faults: waits ? [...UNAVAILABLE, PENDING] : UNAVAILABLE,
    effect(cpu, operands) {
      const waiting = waits ? reportedByFerr(cpu) : undefined;
      if (waiting === undefined) effect(new FloatingPointUnit(cpu), operands);
      return waiting;
    },
  });
}

/** An instruction that computes, loads, stores or compares. The effect settles the unit. */
export function defineNumeric({ mnemonic, manual, effect }: Declaration, flags = 'unaffected') {
  return defineInstruction({
    mnemonic,
    manual,
    reads: ['CR0.EM', 'CR0.TS', 'CR0.NE', ...STATE],
    writes: [...STATE, ...POINTERS],
    flags,
    faults: [...UNAVAILABLE, PENDING],
    effect(cpu, operands) {
      const waiting = reportedByFerr(cpu);
      if (waiting !== undefined) return waiting;
      const unit = new FloatingPointUnit(cpu);
      effect(unit, operands);
      setPointers(cpu, unit.hasUnmasked);
      return undefined;
    },
  });
}

const FDP_EXCPTN_ONLY = 1 << 6;
const NO_SELECTORS = 1 << 13;

/** Intel processors note the opcode, and some of them the operand, only with an exception that is not masked. */
function setPointers(cpu: Cpu, unmasked: boolean): void {
  const decoded = cpu.draft.runner.executing;
  if (decoded === undefined) return; // an intrinsic has no place in memory
  const { ebx } = lookUpCpuid(cpu.profile, 7, 0);
  const selectors = (ebx & NO_SELECTORS) === 0;
  cpu.set('FIP', decoded.address);
  cpu.set('FCS', selectors ? cpu.read('CS.selector') : 0n);
  if (unmasked || cpu.profile.vendor === 'AMD') cpu.set('FOP', BigInt(decoded.x87Opcode));
  const operand = decoded.operands.find(({ kind }) => kind === 'memory');
  if (operand?.kind !== 'memory' || !(unmasked || (ebx & FDP_EXCPTN_ONLY) === 0)) return;
  cpu.set('FDP', effectiveOffset(cpu, operand));
  cpu.set('FDS', selectors ? cpu.read(`${operand.segment}.selector`) : 0n);
}
