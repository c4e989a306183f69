// Delivery in protected mode outside IA-32e mode, through 16- and 32-bit gates (SDM, "IDT Descriptors", "Exception- and
// Interrupt-Handler Procedures"; the pseudocode is that of INT n). From virtual-8086 mode
// they lead to level 0; a task gate switches tasks.
import { loadNull } from '../instruction/segment-load.js';
import { moved, pushed, setStackTop, stackTop } from '../instruction/stack-access.js';
import type { SegmentIndex } from '../memory/linear-memory.js';
import { isConforming, type SegmentDescriptor, segmentState, setTypeBits } from '../memory/segment-descriptor.js';
import { isAccessAllowed } from '../memory/segmentation.js';
import { type InnerStack, loadInnerStack, stackOfLevel } from '../memory/task-state-segment.js';
import type { Cpu } from '../state/cpu.js';
import { taskOfInterrupt } from '../task/task-descriptor.js';
import { switchTask } from '../task/task-switch.js';
import { GP, raise, SS } from './exceptions.js';
import {
  clearFlags,
  type Delivery,
  extOf,
  flagsImage,
  GATE,
  type Gate,
  type GateFormat,
  readGate,
  readHandlerCode,
} from './gate.js';

const FORMAT: GateFormat = { bytes: 8, types: Object.values(GATE) };
const ACCESSED = 1;
const STACK: SegmentIndex = 2;

/** Delivers through the IDT in protected mode; raises what the delivery itself raises, and leaves registers to the caller. */
export function deliverThroughProtectedModeGate(cpu: Cpu, delivery: Delivery): void {
  const gate = readGate(cpu, delivery, FORMAT);
  if (gate.type === GATE.task) switchThroughGate(cpu, gate, delivery);
  else callHandler(cpu, gate, delivery);
}

function callHandler(cpu: Cpu, gate: Gate, delivery: Delivery): void {
  const ext = extOf(delivery);
  const from8086 = cpu.mode === 'virtual-8086';
  const code = readHandlerCode(cpu, gate.selector, ext, from8086 ? isMonitorCode : undefined);
  const cpl = isConforming(code) ? cpu.CPL : code.dpl;
  const stack = cpl === cpu.CPL ? undefined : stackOfLevel(cpu, cpl, ext);
  const data = from8086 ? DATA_SEGMENTS : [];
  const frame = [
    ...data.map((name) => cpu.read(`${name}.selector`)),
    ...(stack === undefined ? [] : [cpu.read('SS.selector'), cpu.RSP]),
    ...frameOf(cpu, delivery),
  ];
  const bytes = is32Bit(gate) ? 4 : 2;
  const offset = is32Bit(gate) ? gate.offset : gate.offset & 0xffffn;
  if (stack !== undefined) switchTo(cpu, stack);
  requireRoom(cpu, frame.length, bytes, (stack?.descriptor.errorCode ?? 0) | ext);
  if (offset > code.limit) raise(GP(ext), 'core.idt.target-offset');
  setTypeBits(cpu, code, ACCESSED);
  setStackTop(cpu, pushed(cpu, bytes, frame));
  for (const name of data) loadNull(cpu, name, 0);
  cpu.setSegment('CS', segmentState(code, cpl));
  cpu.RIP = offset;
  clearFlags(cpu, gate);
}

/** In the order in which virtual-8086 mode leaves them on the stack. */
const DATA_SEGMENTS = ['GS', 'FS', 'DS', 'ES'] as const;

/** The monitor of virtual-8086 mode runs at level 0. */
const isMonitorCode = (code: SegmentDescriptor): boolean => code.dpl === 0 && !isConforming(code);

/** The handler is a task of its own; it finds the error code on its stack. */
function switchThroughGate(cpu: Cpu, gate: Gate, delivery: Delivery): void {
  const [ext, { errorCode }] = [extOf(delivery), delivery];
  const task = taskOfInterrupt(cpu, gate.selector, ext);
  const how = {
    by: 'call',
    ext,
    flags: flagsImage(cpu, delivery),
    instructionPointer: delivery.returnRip,
  } as const;
  switchTask(cpu, task, how, ({ bytes }) => {
    if (errorCode === undefined) return;
    requireRoom(cpu, 1, bytes, ext);
    setStackTop(cpu, pushed(cpu, bytes, [BigInt(errorCode)]));
  });
}

const is32Bit = ({ type }: Gate): boolean => type === GATE.interrupt32 || type === GATE.trap32;

function frameOf(cpu: Cpu, delivery: Delivery): readonly bigint[] {
  const frame = [flagsImage(cpu, delivery), cpu.read('CS.selector'), delivery.returnRip];
  return delivery.errorCode === undefined ? frame : [...frame, BigInt(delivery.errorCode)];
}

/** SS and the stack pointer of an inner level; the pointer is as wide as the new stack segment says. */
export function switchTo(cpu: Cpu, stack: InnerStack): void {
  loadInnerStack(cpu, stack);
  setStackTop(cpu, stack.pointer);
}

/** #SS of the stack segment, unless so many values can be pushed. A stack of 16 bits wraps, and each value is looked at. */
export function requireRoom(cpu: Cpu, count: number, bytes: 2 | 4 | 8, errorCode: number): void {
  let top = stackTop(cpu);
  for (let index = 0; index < count; index++) {
    top = moved(cpu, top, -bytes);
    const offset = Number(BigInt.asIntN(32, top));
    if (!isAccessAllowed(cpu.words, true, offset, STACK, bytes, true)) raise(SS(errorCode), 'core.stack.room');
  }
}
