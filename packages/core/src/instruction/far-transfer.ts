// SDM, "JMP—Jump", "CALL—Call Procedure" and "RET—Return From Procedure" in their far forms: real-address mode, and code
// segments of protected and IA-32e mode. Call gates are in call-gate.ts, task switches in the folder task.
import { GP, raise } from '../interrupt/exceptions.js';
import { keepingRegisters } from '../interrupt/keep-registers.js';
import { sdm } from '../manual/sdm.js';
import {
  isNull,
  loadDescriptor,
  readDescriptor,
  type SegmentDescriptor,
  setTypeBits,
} from '../memory/segment-descriptor.js';
import { type Halves, halvesOf } from '../register/halves.js';
import type { Cpu } from '../state/cpu.js';
import { namesTask, taskOfTransfer } from '../task/task-descriptor.js';
import { switchTask, TASK_REGISTERS } from '../task/task-switch.js';
import { callThroughGate, jumpThroughGate } from './call-gate.js';
import {
  checkReturn,
  checkTransfer,
  enterCode,
  enterRealCode,
  entersLongCode,
  type FarTarget,
  farDescriptor,
} from './code-segment.js';
import { defineInstruction } from './define.js';
import type { Operand } from './operand.js';
import { operandAt } from './privilege.js';
import { checkStackSegment, dropPrivilegedSegments, loadNull } from './segment-load.js';
import { moved, popped, pushed, setStackTop, stackLoad, stackTop } from './stack-access.js';
import { moveStackTop } from './stack-cursor.js';

const TABLES = ['GDTR.base', 'GDTR.limit', 'LDTR.base', 'LDTR.limit', 'CS.selector', 'SS.attributes'];
const INNER_STACK = ['TR.base', 'TR.limit', 'TR.attributes', 'SS.selector'];
const STACK = ['SS.selector', 'SS.base', 'SS.limit', 'SS.attributes'];
const CODE = ['CS.selector', 'CS.base', 'CS.limit', 'CS.attributes', 'RIP'];

interface FarPointer {
  readonly selector: number;
  readonly offset: bigint;
}

/** The selector stands above an offset of 16, 32 or 64 bits, in the encoding and in memory. */
export function farPointer(operand: Operand): FarPointer {
  const offsetBits = operand.width - 16;
  const value =
    operand.kind === 'memory'
      ? operand.readBytes(operand.width / 8).reduceRight((all, byte) => (all << 8n) | BigInt(byte), 0n)
      : operand.read();
  return { selector: Number((value >> BigInt(offsetBits)) & 0xffffn), offset: BigInt.asUintN(offsetBits, value) };
}

/** In these two modes a selector is a paragraph. */
const usesParagraphs = (cpu: Cpu): boolean => cpu.mode === 'real' || cpu.mode === 'virtual-8086';

/** JMP and CALL to a TSS or a task gate. The offset of the far pointer does not count. */
function transferToTask(cpu: Cpu, descriptor: SegmentDescriptor, by: 'jump' | 'call'): void {
  const task = taskOfTransfer(cpu, descriptor);
  const source = by === 'call' ? 'CALL' : 'JMP';
  switchTask(cpu, task, { by, ext: 0, source, flags: cpu.RFLAGS.value, instructionPointer: cpu.RIP });
}

export const JMP_FAR = defineInstruction({
  mnemonic: 'JMP far',
  manual: sdm('JMP—Jump'),
  reads: TABLES,
  writes: TASK_REGISTERS,
  flags: 'unaffected',
  effect(cpu, operands) {
    const { selector, offset } = farPointer(operandAt(operands, 0));
    if (usesParagraphs(cpu)) return enterRealCode(cpu, selector, offset);
    const descriptor = farDescriptor(cpu, selector);
    if (namesTask(cpu, descriptor)) return transferToTask(cpu, descriptor, 'jump');
    if (!descriptor.codeOrData) return jumpThroughGate(cpu, descriptor);
    return enterCode(cpu, checkTransfer(cpu, descriptor, halvesOf(offset)), cpu.CPL);
  },
});

/** Bytes of each of the two values on the stack: the operand size, also in 64-bit mode. */
const slotBytes = (operandWidth: 16 | 32 | 64): 2 | 4 | 8 => (operandWidth / 8) as 2 | 4 | 8;

export const CALL_FAR = defineInstruction({
  mnemonic: 'CALL far',
  manual: sdm('CALL—Call Procedure'),
  reads: [...TABLES, ...INNER_STACK, 'RSP'],
  writes: TASK_REGISTERS,
  flags: 'unaffected',
  effect(cpu, operands) {
    const operand = operandAt(operands, 0);
    const { selector, offset } = farPointer(operand);
    const descriptor = usesParagraphs(cpu) ? undefined : farDescriptor(cpu, selector);
    if (descriptor !== undefined && namesTask(cpu, descriptor)) return transferToTask(cpu, descriptor, 'call');
    if (descriptor?.codeOrData === false) return callThroughGate(cpu, descriptor);
    const target = descriptor === undefined ? undefined : checkTransfer(cpu, descriptor, halvesOf(offset));
    if (target === undefined && offset > cpu.read('CS.limit')) raise(GP(0), 'core.far-transfer.offset');
    const top = pushed(cpu, slotBytes((operand.width - 16) as 16 | 32 | 64), [cpu.read('CS.selector'), cpu.RIP]);
    keepingRegisters(cpu, () => {
      setStackTop(cpu, top);
      if (target === undefined) enterRealCode(cpu, selector, offset);
      else enterCode(cpu, target, cpu.CPL);
    });
  },
});

export const RETF = defineInstruction({
  mnemonic: 'RETF',
  manual: sdm('RET—Return From Procedure'),
  reads: [...TABLES, 'RSP'],
  writes: [...CODE, ...STACK, 'RSP'],
  flags: 'unaffected',
  effect(cpu, operands, operandWidth) {
    const bytes = slotBytes(operandWidth);
    const released = Number(operands[0]?.read() ?? 0n);
    const {
      values: [offset = 0n, code = 0n],
      top,
    } = popped(cpu, bytes, 2);
    const selector = Number(code & 0xffffn);
    if (usesParagraphs(cpu)) {
      enterRealCode(cpu, selector, offset);
      return setStackTop(cpu, moved(cpu, top, released));
    }
    const target = checkReturn(cpu, selector, halvesOf(offset));
    if (target.descriptor.rpl > cpu.CPL) return returnToOuterLevel(cpu, target, bytes, released);
    keepingRegisters(cpu, () => {
      setStackTop(cpu, moved(cpu, top, released));
      enterCode(cpu, target, cpu.CPL);
    });
  },
});

/** Parameters are released from both stacks; RSP and SS stand above those of the inner one. */
function returnToOuterLevel(cpu: Cpu, target: FarTarget, bytes: 2 | 4 | 8, released: number): void {
  const frame = moved(cpu, stackTop(cpu), 2 * bytes + released); // the parameters themselves are not read
  const pointer = stackLoad(cpu, frame, bytes);
  const selector = stackLoad(cpu, moved(cpu, frame, bytes), bytes);
  returnToOuterStack(cpu, target, Number(selector & 0xffffn), halvesOf(pointer));
  setStackTop(cpu, moved(cpu, cpu.RSP, released));
}

/** Loads CS, SS and the stack pointer of an outer level, for RETF and IRET; everything is checked before. */
export function returnToOuterStack(cpu: Cpu, target: FarTarget, selector: number, pointer: Halves): void {
  const cpl = target.descriptor.rpl;
  const long = entersLongCode(cpu, target);
  if (isNull(selector)) {
    if (!long || cpl === 3 || (selector & 3) !== cpl) raise(GP(0), 'core.far-return.ss-null');
    enterCode(cpu, target, cpl);
    loadNull(cpu, 'SS', selector, cpl);
  } else {
    const stack = readDescriptor(cpu, selector, GP, 'core.far-return.ss-limit');
    checkStackSegment(stack, cpl);
    setTypeBits(cpu, stack, 1);
    enterCode(cpu, target, cpl);
    loadDescriptor(cpu, 'SS', stack);
  }
  moveStackTop(cpu, pointer);
  dropPrivilegedSegments(cpu);
}
