// SDM, "Task Switching": from one task to another, by a far JMP or CALL, an interrupt or exception, or IRET. Until the commit
// point an exception leaves the old task as it was; after it the new task has the processor, and an exception is its own.
import { GP, GuestFault, raise, TS } from '../interrupt/exceptions.js';
import { havePdptesReservedBits, pdptesLoadedBy, setPdptes } from '../memory/pdpte-registers.js';
import { type SegmentDescriptor, segmentState } from '../memory/segment-descriptor.js';
import { asSupervisor, loadLinear, storeLinear } from '../memory/system-access.js';
import type { InterceptedTaskSwitch } from '../plugin/intercepts.js';
import { GENERAL_REGISTERS } from '../register/register-file.js';
import { RFLAGS, RFLAGS_EXISTING, RFLAGS_FIXED } from '../register/rflags.js';
import type { Cpu } from '../state/cpu.js';
import { probeSaved, probeStore, readTaskImage, saveTask, type TaskImage, writeLink } from './task-image.js';
import { type TaskLayout, taskLayout } from './task-layout.js';
import { enterUnloadedSegments, loadTaskSegments } from './task-segments.js';

/** How a task is switched to. */
export interface TaskSwitch {
  /** JMP leaves the old task, CALL and events nest the new one in it, IRET goes back. */
  readonly by: 'jump' | 'call' | 'return';
  /** EXT of the error codes: the event came from outside the program. */
  readonly ext: 0 | 1;
  /** What asks for it, as plugins are told. */
  readonly source: InterceptedTaskSwitch['source'];
  readonly errorCode?: number | undefined;
  /** What the old task's TSS keeps of RFLAGS and RIP. */
  readonly flags: bigint;
  readonly instructionPointer: bigint;
}

const BUSY = 2;
const TYPE_BYTE = 5n;
const NT = 1n << BigInt(RFLAGS.bits.NT);
const LOADED = BigInt(RFLAGS_EXISTING);
const FIXED = BigInt(RFLAGS_FIXED);
/** L0 to L3 and LE of DR7: breakpoints that are local to a task. */
const LOCAL_BREAKPOINTS = 0x155n;
/** BT of DR6. */
const TASK_SWITCH_TRAP = 0x8000n;

/** The registers that a task switch may change. */
export const TASK_REGISTERS: readonly string[] = [
  ...GENERAL_REGISTERS.slice(0, 8),
  'RIP',
  'RFLAGS',
  'CR0.TS',
  'CR3',
  'DR7',
  ...(['TR', 'LDTR', 'ES', 'CS', 'SS', 'DS', 'FS', 'GS'] as const).flatMap((name) =>
    ['selector', 'base', 'limit', 'attributes'].map((part) => `${name}.${part}`),
  ),
];

/** Switches to a task whose descriptor was checked. `last` are the checks and pushes of an event, in the new task. */
export function switchTask(cpu: Cpu, next: SegmentDescriptor, how: TaskSwitch, last?: (to: TaskLayout) => void): void {
  const { by, ext } = how;
  for (const intercept of cpu.definition.intercepts.taskSwitch)
    intercept(cpu, { selector: next.selector, source: how.source, errorCode: how.errorCode });
  const [from, to] = [taskLayout(Number(cpu.read('TR.attributes') & 0xfn)), taskLayout(next.type)];
  const [oldTask, oldBase] = [cpu.read('TR.selector'), cpu.read('TR.base')];
  if (next.limit < BigInt(to.limit)) raise(TS(next.errorCode | ext), 'core.task-switch.limit');
  if (cpu.read('TR.limit') < BigInt(from.limit)) raise(TS(Number(oldTask & ~3n) | ext), 'core.task-switch.old-limit');
  const image = readTaskImage(cpu, next.base, to);
  const oldType = typeByte(cpu, oldTask);
  probeSaved(cpu, oldBase, from);
  if (by !== 'call') probeStore(cpu, oldType);
  if (by !== 'return') probeStore(cpu, next.address + TYPE_BYTE);
  if (by === 'call') probeStore(cpu, next.base);
  requirePdptes(cpu, image);
  // The commit point.
  if (by !== 'call') changeBusy(cpu, oldType, false);
  saveTask(cpu, oldBase, from, by === 'return' ? how.flags & ~NT : how.flags, how.instructionPointer);
  if (by === 'call') writeLink(cpu, next.base, oldTask);
  if (by !== 'return') changeBusy(cpu, next.address + TYPE_BYTE, true);
  enterTask(cpu, next, image, by);
  inNewTask(() => {
    loadTaskSegments(cpu, image, ext);
    last?.(to);
    if (image.instructionPointer > cpu.read('CS.limit')) raise(GP(ext), 'core.task-switch.ip');
  });
  cpu.draft.runner.singleStepping.trapFlag = 'never';
  if (!image.trap) return;
  cpu.set('pendingDebug', cpu.read('pendingDebug') | TASK_SWITCH_TRAP);
  cpu.draft.runner.attend();
}

/** PAE paging loads the four entries that the new CR3 points to. */
function requirePdptes(cpu: Cpu, { pageDirectoryBase }: TaskImage): void {
  const pdptes = pageDirectoryBase === undefined ? undefined : pdptesLoadedBy(cpu, 'CR3', pageDirectoryBase);
  if (pdptes !== undefined && havePdptesReservedBits(cpu, pdptes)) raise(GP(0), 'core.mov-cr.pdpte-reserved');
}

/** The linear address of the byte with the type of a descriptor of the GDT. */
const typeByte = (cpu: Cpu, selector: bigint): bigint =>
  BigInt.asUintN(32, cpu.read('GDTR.base') + (selector & ~7n) + TYPE_BYTE);

function changeBusy(cpu: Cpu, address: bigint, busy: boolean): void {
  asSupervisor(cpu, () => {
    const before = loadLinear(cpu, address, 1);
    storeLinear(cpu, address, 1, busy ? before | BigInt(BUSY) : before & ~BigInt(BUSY));
  });
}

/** TR and what the image holds. Descriptors are not looked at yet. */
function enterTask(cpu: Cpu, next: SegmentDescriptor, image: TaskImage, by: TaskSwitch['by']): void {
  cpu.setSegment('TR', { ...segmentState(next), attributes: BigInt(next.attributes | BUSY) });
  cpu.CR0.TS = true;
  cpu.set('DR7', cpu.read('DR7') & ~LOCAL_BREAKPOINTS);
  if (image.pageDirectoryBase !== undefined && cpu.CR0.PG) {
    const pdptes = pdptesLoadedBy(cpu, 'CR3', image.pageDirectoryBase);
    cpu.CR3 = image.pageDirectoryBase;
    if (pdptes !== undefined) setPdptes(cpu, pdptes);
    cpu.draft.flushTlb();
  }
  cpu.RFLAGS.value = (image.flags & LOADED) | FIXED | (by === 'call' ? NT : 0n);
  // A 16-bit task says nothing of the upper halves: they become 0 here.
  for (const [index, value] of image.general.entries()) cpu.set(GENERAL_REGISTERS[index] ?? '', value);
  cpu.RIP = image.instructionPointer;
  enterUnloadedSegments(cpu, image);
}

/** What is raised from here on finds the registers of the new task. */
function inNewTask(action: () => void): void {
  try {
    action();
  } catch (thrown) {
    throw thrown instanceof GuestFault ? new GuestFault(thrown.raised, true) : thrown;
  }
}
