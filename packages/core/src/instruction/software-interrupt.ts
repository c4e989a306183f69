// SDM, "INT n/INTO/INT3/INT1—Call to Interrupt Procedure".
import type { Outcome } from '../event/outcome.js';
import { fault } from '../event/outcome.js';
import { DEBUG_STATUS, enterDebugHandler } from '../interrupt/debug-status.js';
import { deliver, interceptException } from '../interrupt/delivery.js';
import { BP, GP, type Raise } from '../interrupt/exceptions.js';
import type { DeliveryType } from '../interrupt/gate.js';
import { keepingRegisters } from '../interrupt/keep-registers.js';
import { sdm } from '../manual/sdm.js';
import type { Cpu } from '../state/cpu.js';
import { TASK_REGISTERS } from '../task/task-switch.js';
import { defineInstruction } from './define.js';
import type { Operand } from './operand.js';
import { operandAt } from './privilege.js';
import { interrupt8086, isHeldBack, isRedirected } from './virtual-8086.js';

const MANUAL = sdm('INT n/INTO/INT3/INT1—Call to Interrupt Procedure');
const READS = [
  'IDTR.base',
  'IDTR.limit',
  'GDTR.base',
  'GDTR.limit',
  'TR.base',
  'TR.limit',
  'RSP',
  'RFLAGS',
  'SS.attributes',
];
const WRITES = TASK_REGISTERS;

/** Goes to the handler; a fault on the way leaves every register as it was. RIP is that of the next instruction. */
function interrupt(cpu: Cpu, vector: number, type: DeliveryType): void {
  cpu.draft.runner.singleStepping.discard(cpu); // the handler is not stepped into
  keepingRegisters(cpu, () => deliver(cpu, { type, vector, errorCode: undefined, fault: false }));
}

const vectorOf = (operands: readonly Operand[]): number => Number(operandAt(operands, 0).read() & 0xffn);

export const INT = defineInstruction({
  mnemonic: 'INT',
  manual: MANUAL,
  reads: READS,
  writes: WRITES,
  flags: 'TF, NT, RF and VM are cleared after RFLAGS was pushed; an interrupt gate clears IF too',
  faults: [
    {
      id: 'core.int.iopl',
      fields: ['RFLAGS', 'CR4.VME', 'TR.base'],
      when: (cpu, operands) => isHeldBack(cpu) && !isRedirected(cpu, vectorOf(operands)),
      raise: GP(0),
      explain: 'In virtual-8086 mode INT n needs RFLAGS.IOPL = 3, or with CR4.VME a clear bit in the TSS.',
    },
  ],
  effect(cpu, operands) {
    const vector = vectorOf(operands);
    if (!isRedirected(cpu, vector)) return interrupt(cpu, vector, 'software interrupt');
    cpu.draft.runner.singleStepping.trapFlag = 'never';
    return interrupt8086(cpu, vector);
  },
});

/** INT3, INTO and INT1 raise an exception as their normal work: plugins are asked as for any, and it is the outcome. */
function trap(cpu: Cpu, vector: number, type: DeliveryType, raised: Raise): Outcome {
  const taken = interceptException(cpu, raised);
  if (taken !== undefined) return taken;
  interrupt(cpu, vector, type);
  return raised;
}

export const INT3 = defineInstruction({
  mnemonic: 'INT3',
  manual: MANUAL,
  reads: READS,
  writes: WRITES,
  flags: 'as INT n',
  effect: (cpu) => trap(cpu, 3, 'software exception', BP),
});

export const INTO = defineInstruction({
  mnemonic: 'INTO',
  manual: MANUAL,
  reads: READS,
  writes: WRITES,
  flags: 'as INT n if OF is 1',
  effect: (cpu) => (cpu.RFLAGS.OF ? trap(cpu, 4, 'software exception', fault('#OF')) : undefined),
});

/** INT1 is a hardware exception in all but name: the gate's DPL does not count. */
export const INT1 = defineInstruction({
  mnemonic: 'INT1',
  manual: MANUAL,
  reads: READS,
  writes: WRITES,
  flags: 'as INT n',
  effect(cpu) {
    // Breakpoints that a load of SS held back are reported with it; DR6 says nothing of INT1 itself.
    const debugStatus = Number(cpu.read('pendingDebug')) & DEBUG_STATUS.breakpoints;
    if (debugStatus === 0) return trap(cpu, 1, 'privileged software exception', fault('#DB'));
    const outcome = trap(cpu, 1, 'privileged software exception', fault('#DB', { debugStatus }));
    cpu.set('pendingDebug', 0n);
    enterDebugHandler(cpu, debugStatus);
    return outcome;
  },
});
