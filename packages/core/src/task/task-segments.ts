// SDM, "Task Switching", the table of exception conditions: the segment registers of a new task, in the table's order, with
// one difference: the LDT is checked as a whole before anything is looked up in it. The exceptions are the new task's own.
import { NP, type Raise, raise, SS, TS } from '../interrupt/exceptions.js';
import {
  findDescriptor,
  isAccessible,
  isCode,
  isConforming,
  isNull,
  loadDescriptor,
  type SegmentDescriptor,
  segmentState,
  setTypeBits,
} from '../memory/segment-descriptor.js';
import { ACCESS } from '../memory/segmentation.js';
import { enterVirtual8086Segments } from '../memory/virtual-8086-segment.js';
import type { SegmentRegister } from '../register/register-file.js';
import type { Cpu } from '../state/cpu.js';
import type { TaskImage } from './task-image.js';

const LDT = 2;
const LOCAL = 4;
const SEGMENTS = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS'] as const;
const DATA = ['DS', 'ES', 'FS', 'GS'] as const;

/** Selectors without hidden parts: what the registers hold until each descriptor has passed. CPL is that of CS from here on. */
export function enterUnloadedSegments(cpu: Cpu, { selectors, ldt }: TaskImage): void {
  const level = (selectors.CS & 3) << 5;
  for (const name of SEGMENTS) unload(cpu, name, selectors[name], level);
  unload(cpu, 'LDTR', ldt, 0);
}

function unload(cpu: Cpu, name: SegmentRegister, selector: number, level: number): void {
  cpu.setSegment(name, {
    selector: BigInt(selector),
    base: 0n,
    limit: 0n,
    attributes: BigInt(ACCESS.unusable | level),
  });
}

/** Loads LDTR and the segment registers of the new task. */
export function loadTaskSegments(cpu: Cpu, { selectors, ldt }: TaskImage, ext: 0 | 1): void {
  loadLdt(cpu, ldt, ext);
  if (cpu.RFLAGS.VM) enterVirtual8086Segments(cpu, selectors);
  else loadProtectedSegments(cpu, selectors, ext);
}

function loadProtectedSegments(cpu: Cpu, selectors: TaskImage['selectors'], ext: 0 | 1): void {
  const level = selectors.CS & 3;
  const code = readSegment(cpu, selectors.CS, ext, 'core.task-switch.cs');
  const stack = readSegment(cpu, selectors.SS, ext, 'core.task-switch.ss');
  checkCode(code, level, ext);
  checkStack(stack, level, ext);
  take(cpu, 'CS', code);
  take(cpu, 'SS', stack);
  for (const name of DATA) loadData(cpu, name, selectors[name], level, ext);
}

function loadLdt(cpu: Cpu, selector: number, ext: 0 | 1): void {
  if (isNull(selector)) return;
  const refused = TS((selector & ~3) | ext);
  const descriptor = (selector & LOCAL) === 0 ? findDescriptor(cpu, selector) : undefined;
  if (descriptor === undefined || descriptor.codeOrData || descriptor.type !== LDT)
    raise(refused, 'core.task-switch.ldt');
  if (!descriptor.present) raise(refused, 'core.task-switch.ldt-present');
  cpu.setSegment('LDTR', { ...segmentState(descriptor), attributes: BigInt(descriptor.attributes) });
}

/** The descriptor of a selector that must not be null. */
function readSegment(cpu: Cpu, selector: number, ext: 0 | 1, rule: string): SegmentDescriptor {
  const found = isNull(selector) ? undefined : findDescriptor(cpu, selector);
  return found ?? raise(TS((selector & ~3) | ext), rule);
}

function requireThat(holds: boolean, raised: Raise, rule: string): void {
  if (!holds) raise(raised, rule);
}

function checkCode(code: SegmentDescriptor, level: number, ext: 0 | 1): void {
  const error = code.errorCode | ext;
  requireThat(code.codeOrData && isCode(code), TS(error), 'core.task-switch.cs');
  requireThat(isConforming(code) ? code.dpl <= level : code.dpl === level, TS(error), 'core.task-switch.cs-dpl');
  requireThat(code.present, NP(error), 'core.task-switch.cs-present');
}

function checkStack(stack: SegmentDescriptor, level: number, ext: 0 | 1): void {
  const error = stack.errorCode | ext;
  requireThat(stack.codeOrData && !isCode(stack) && isAccessible(stack), TS(error), 'core.task-switch.ss');
  requireThat(stack.present, SS(error), 'core.task-switch.ss-present');
  requireThat(stack.dpl === level && stack.rpl === level, TS(error), 'core.task-switch.ss-dpl');
}

function loadData(cpu: Cpu, name: (typeof DATA)[number], selector: number, level: number, ext: 0 | 1): void {
  if (isNull(selector)) return;
  const data = readSegment(cpu, selector, ext, 'core.task-switch.data');
  const error = data.errorCode | ext;
  requireThat(data.codeOrData && (!isCode(data) || isAccessible(data)), TS(error), 'core.task-switch.data');
  requireThat(isConforming(data) || data.dpl >= Math.max(level, data.rpl), TS(error), 'core.task-switch.data-dpl');
  requireThat(data.present, NP(error), 'core.task-switch.data-present');
  take(cpu, name, data);
}

function take(cpu: Cpu, name: SegmentRegister, descriptor: SegmentDescriptor): void {
  setTypeBits(cpu, descriptor, 1);
  loadDescriptor(cpu, name, descriptor);
}
