// SDM, "Call Gates" and "Stack Switching": a far CALL or JMP whose selector names a call gate, of 16 and 32 bits, and of 64
// bits in IA-32e mode.
import { GP, NP, raise } from '../interrupt/exceptions.js';
import { keepingRegisters } from '../interrupt/keep-registers.js';
import { requireRoom, switchTo } from '../interrupt/protected-mode-gate.js';
import {
  isCode,
  isConforming,
  isNull,
  loadDescriptor,
  readDescriptor,
  readUpperHalf,
  type SegmentDescriptor,
} from '../memory/segment-descriptor.js';
import { ACCESS } from '../memory/segmentation.js';
import { asSupervisor, loadLinear } from '../memory/system-access.js';
import { loadNullInnerStack, stackOfLevel, stackPointerOfLevel } from '../memory/task-state-segment.js';
import { halvesOf } from '../register/halves.js';
import { slotOf } from '../register/register-file.js';
import type { Cpu } from '../state/cpu.js';
import { checkOffset, enterCode, type FarTarget } from './code-segment.js';
import { moved, pushed, setStackTop, stackLoad, stackTop } from './stack-access.js';

interface CallGate {
  readonly selector: number;
  readonly offset: bigint;
  /** Values that are copied from the caller's stack to an inner one. */
  readonly parameters: number;
  /** Bytes of each value on the stack. */
  readonly bytes: 2 | 4 | 8;
}

const RSP = slotOf('RSP');
const CALL_GATE_16 = 4;
const CALL_GATE = 0xc;

/** The gate behind a descriptor that is no code or data segment, after the checks of its own. */
function readGate(cpu: Cpu, descriptor: SegmentDescriptor): CallGate {
  const { address, errorCode, type, dpl, rpl, present } = descriptor;
  const long = cpu.EFER.LMA;
  if (type !== CALL_GATE && (long || type !== CALL_GATE_16)) raise(GP(errorCode), 'core.far-transfer.type');
  if (dpl < cpu.CPL || dpl < rpl) raise(GP(errorCode), 'core.call-gate.dpl');
  if (!present) raise(NP(errorCode), 'core.call-gate.present');
  const low = asSupervisor(cpu, () => loadLinear(cpu, address, 8));
  const selector = Number((low >> 16n) & 0xffffn);
  const offset = (low & 0xffffn) | ((low >> 32n) & 0xffff_0000n);
  if (long) return { selector, offset: offset | upperOffset(cpu, descriptor), parameters: 0, bytes: 8 };
  const parameters = Number((low >> 32n) & 0x1fn);
  return type === CALL_GATE
    ? { selector, offset, parameters, bytes: 4 }
    : { selector, offset: offset & 0xffffn, parameters, bytes: 2 };
}

/** Bits 63:32 of the offset of a 64-bit gate, in place. */
function upperOffset(cpu: Cpu, descriptor: SegmentDescriptor): bigint {
  const upper = readUpperHalf(cpu, descriptor, 'core.far-transfer.limit');
  if (((upper >> 40n) & 0x1fn) !== 0n) raise(GP(descriptor.errorCode), 'core.call-gate.upper-type');
  return (upper & 0xffff_ffffn) << 32n;
}

/** The code segment that the gate names. A JMP stays at its level, a CALL may go to an inner one. */
function readTarget(cpu: Cpu, { selector, offset }: CallGate, staysAtLevel: boolean): FarTarget {
  if (isNull(selector)) raise(GP(0), 'core.call-gate.target-null');
  const descriptor = readDescriptor(cpu, selector, GP, 'core.call-gate.target-limit');
  const { errorCode, codeOrData, dpl, attributes, present } = descriptor;
  if (!codeOrData || !isCode(descriptor)) raise(GP(errorCode), 'core.call-gate.target-type');
  const inner = dpl < cpu.CPL && !isConforming(descriptor);
  if (dpl > cpu.CPL || (inner && staysAtLevel)) raise(GP(errorCode), 'core.call-gate.target-dpl');
  if (cpu.EFER.LMA && (attributes & (ACCESS.long | ACCESS.big)) !== ACCESS.long)
    raise(GP(errorCode), 'core.call-gate.target-64-bit');
  if (!present) raise(NP(errorCode), 'core.call-gate.target-present');
  return { descriptor, offset: halvesOf(offset) };
}

/** JMP: the gate only stands for the far pointer. */
export function jumpThroughGate(cpu: Cpu, descriptor: SegmentDescriptor): void {
  const target = readTarget(cpu, readGate(cpu, descriptor), true);
  checkOffset(cpu, target);
  enterCode(cpu, target, cpu.CPL);
}

/** CALL: at an inner level on the stack that the TSS has for it. RIP is that of the next instruction. */
export function callThroughGate(cpu: Cpu, descriptor: SegmentDescriptor): void {
  const gate = readGate(cpu, descriptor);
  const target = readTarget(cpu, gate, false);
  const cpl = isConforming(target.descriptor) ? cpu.CPL : target.descriptor.dpl;
  keepingRegisters(cpu, () => {
    if (gate.bytes === 8) callIn64BitMode(cpu, target, cpl);
    else if (cpl === cpu.CPL) callAtSameLevel(cpu, target, gate.bytes);
    else callAtInnerLevel(cpu, target, gate);
  });
}

const returnAddress = (cpu: Cpu): readonly bigint[] => [cpu.read('CS.selector'), cpu.RIP];
const stackAddress = (cpu: Cpu): readonly bigint[] => [cpu.read('SS.selector'), cpu.RSP];

function callAtSameLevel(cpu: Cpu, target: FarTarget, bytes: 2 | 4): void {
  requireRoom(cpu, 2, bytes, 0);
  checkOffset(cpu, target);
  setStackTop(cpu, pushed(cpu, bytes, returnAddress(cpu)));
  enterCode(cpu, target, cpu.CPL);
}

function callAtInnerLevel(cpu: Cpu, target: FarTarget, { parameters, bytes }: CallGate): void {
  const stack = stackOfLevel(cpu, target.descriptor.dpl, 0);
  const copied = parametersOnStack(cpu, parameters, bytes);
  const frame = [...stackAddress(cpu), ...copied.toReversed(), ...returnAddress(cpu)];
  switchTo(cpu, stack);
  requireRoom(cpu, frame.length, bytes, stack.descriptor.errorCode);
  checkOffset(cpu, target);
  setStackTop(cpu, pushed(cpu, bytes, frame));
  enterCode(cpu, target, target.descriptor.dpl);
}

/** From the top of the caller's stack up. */
function parametersOnStack(cpu: Cpu, count: number, bytes: 2 | 4 | 8): bigint[] {
  return Array.from({ length: count }, (_, index) => stackLoad(cpu, moved(cpu, stackTop(cpu), index * bytes), bytes));
}

/** The frame is pushed as 64-bit code does it, from compatibility mode too: CS is loaded before. */
function callIn64BitMode(cpu: Cpu, target: FarTarget, cpl: number): void {
  const inner = cpl !== cpu.CPL;
  const frame = [...(inner ? stackAddress(cpu) : []), ...returnAddress(cpu)];
  // Not aligned, unlike that of an interrupt.
  const pointer = inner ? stackPointerOfLevel(cpu, cpl, 0) : halvesOf(cpu.RSP);
  checkOffset(cpu, target);
  if (inner) loadNullInnerStack(cpu, cpl);
  loadDescriptor(cpu, 'CS', target.descriptor, cpl);
  cpu.writeWords(RSP, pointer.low, pointer.high);
  setStackTop(cpu, pushed(cpu, 8, frame));
  enterCode(cpu, target, cpl);
}
