// Delivery in protected mode outside IA-32e mode, through 16- and 32-bit gates (SDM, "IDT Descriptors", "Exception- and
// Interrupt-Handler Procedures"; the pseudocode is that of INT n). From virtual-8086 mode
// they lead to level 0; a task gate switches tasks.
import { loadNull } from '../instruction/segment-load.js';
import { pushed, setStackTop } from '../instruction/stack-access.js';
import { moveStackTop, StackCursor } from '../instruction/stack-cursor.js';
import type { SegmentIndex } from '../memory/linear-memory.js';
import { isConforming, loadDescriptor, type SegmentDescriptor, setTypeBits } from '../memory/segment-descriptor.js';
import { isAccessAllowed } from '../memory/segmentation.js';
import { type InnerStack, loadInnerStack, stackOfLevel } from '../memory/task-state-segment.js';
import { slotOf } from '../register/register-file.js';
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
const [RSP, RIP] = [slotOf('RSP'), slotOf('RIP')];
const [CS_SELECTOR, SS_SELECTOR] = [slotOf('CS.selector') * 2, slotOf('SS.selector') * 2];
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
  const caller = callerOf(cpu, delivery);
  const data = from8086 ? DATA_SEGMENTS.map((name) => cpu.words[slotOf(`${name}.selector`) * 2] as number) : [];
  const bytes = is32Bit(gate) ? 4 : 2;
  const offset = is32Bit(gate) ? gate.offset.low : gate.offset.low & 0xffff;
  if (stack !== undefined) switchTo(cpu, stack);
  const values = data.length + (stack === undefined ? 3 : 5) + (delivery.errorCode === undefined ? 0 : 1);
  requireRoom(cpu, values, bytes, (stack?.descriptor.errorCode ?? 0) | ext);
  if (offset >>> 0 > code.limitWord >>> 0) raise(GP(ext), 'core.idt.target-offset');
  setTypeBits(cpu, code, ACCESSED);
  const top = new StackCursor(cpu);
  for (const selector of data) top.push(bytes, selector, 0);
  if (stack !== undefined) {
    top.push(bytes, caller.SS, 0);
    top.push(bytes, caller.ESP, 0);
  }
  top.push(bytes, caller.EFLAGS, 0);
  top.push(bytes, caller.CS, 0);
  top.push(bytes, caller.EIP, 0);
  if (delivery.errorCode !== undefined) top.push(bytes, delivery.errorCode, 0);
  top.commit();
  if (from8086) for (const name of DATA_SEGMENTS) loadNull(cpu, name, 0);
  loadDescriptor(cpu, 'CS', code, cpl);
  cpu.writeWords(RIP, offset, 0);
  clearFlags(cpu, gate);
}

/** What the frame holds of the interrupted program. */
const callerOf = (cpu: Cpu, delivery: Delivery) => ({
  SS: cpu.words[SS_SELECTOR] as number,
  ESP: cpu.words[RSP * 2] as number,
  EFLAGS: flagsImage(cpu, delivery),
  CS: cpu.words[CS_SELECTOR] as number,
  EIP: cpu.words[RIP * 2] as number,
});

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
    source: 'gate in IDT',
    errorCode,
    flags: BigInt(flagsImage(cpu, delivery) >>> 0),
    instructionPointer: cpu.RIP,
  } as const;
  switchTask(cpu, task, how, ({ bytes }) => {
    if (errorCode === undefined) return;
    requireRoom(cpu, 1, bytes, ext);
    setStackTop(cpu, pushed(cpu, bytes, [BigInt(errorCode)]));
  });
}

const is32Bit = ({ type }: Gate): boolean => type === GATE.interrupt32 || type === GATE.trap32;

/** SS and the stack pointer of an inner level; the pointer is as wide as the new stack segment says. */
export function switchTo(cpu: Cpu, stack: InnerStack): void {
  loadInnerStack(cpu, stack);
  moveStackTop(cpu, stack.pointer);
}

/** #SS of the stack segment, unless so many values can be pushed. A stack of 16 bits wraps, and each value is looked at. */
export function requireRoom(cpu: Cpu, count: number, bytes: 2 | 4 | 8, errorCode: number): void {
  const top = new StackCursor(cpu);
  for (let index = 0; index < count; index++) {
    top.move(-bytes);
    if (!isAccessAllowed(cpu.words, true, top.low, STACK, bytes, true)) raise(SS(errorCode), 'core.stack.room');
  }
}
