// SDM, "TSS Descriptor", "Task-Gate Descriptor" and the first checks of "Task Switching": which task a far JMP or CALL, a
// gate of the IDT or IRET names, and whether it may be switched to.
import { GP, NP, type Raise, raise, TS } from '../interrupt/exceptions.js';
import { findDescriptor, type SegmentDescriptor } from '../memory/segment-descriptor.js';
import type { Cpu } from '../state/cpu.js';
import { readLink } from './task-image.js';

const TASK_GATE = 5;
const AVAILABLE: readonly number[] = [1, 9];
const BUSY: readonly number[] = [3, 0xb];
const LOCAL = 4;

/** Whether a far pointer to a system descriptor switches tasks: outside IA-32e mode only. */
export const namesTask = (cpu: Cpu, { codeOrData, type }: SegmentDescriptor): boolean =>
  !cpu.EFER.LMA && !codeOrData && (type === TASK_GATE || AVAILABLE.includes(type) || BUSY.includes(type));

/** A TSS lies in the GDT, has the state that the switch needs, and is present. */
function readTask(
  cpu: Cpu,
  selector: number,
  refused: (errorCode: number) => Raise,
  ext: 0 | 1,
  types: readonly number[],
): SegmentDescriptor {
  const error = (selector & ~3) | ext;
  const descriptor = (selector & LOCAL) === 0 ? findDescriptor(cpu, selector) : undefined;
  if (descriptor === undefined) raise(refused(error), 'core.task-switch.selector');
  if (descriptor.codeOrData || !types.includes(descriptor.type)) raise(refused(error), 'core.task-switch.type');
  if (!descriptor.present) raise(NP(error), 'core.task-switch.present');
  return descriptor;
}

/** The selector in a task gate stands where a segment has the low bits of its base. */
const selectorInGate = ({ base }: SegmentDescriptor): number => Number(base & 0xffffn);

/** The task of a far JMP or CALL whose selector names a TSS or a task gate. */
export function taskOfTransfer(cpu: Cpu, descriptor: SegmentDescriptor): SegmentDescriptor {
  const { errorCode, dpl, rpl, type, present, selector } = descriptor;
  if (dpl < cpu.CPL || dpl < rpl) raise(GP(errorCode), 'core.task-switch.dpl');
  if (type !== TASK_GATE) return readTask(cpu, selector, GP, 0, AVAILABLE);
  if (!present) raise(NP(errorCode), 'core.task-switch.gate-present');
  return readTask(cpu, selectorInGate(descriptor), GP, 0, AVAILABLE);
}

/** The task behind a task gate of the IDT, whose own checks were made. */
export const taskOfInterrupt = (cpu: Cpu, selector: number, ext: 0 | 1): SegmentDescriptor =>
  readTask(cpu, selector, TS, ext, AVAILABLE);

/** The task that a nested one returns to with IRET. */
export const taskOfReturn = (cpu: Cpu): SegmentDescriptor =>
  readTask(cpu, readLink(cpu, cpu.read('TR.base')), TS, 0, BUSY);
