// SDM, "Task Switching": the state of a task as its TSS holds it, read as a whole and saved as a whole.
import { asSupervisor, loadLinear, storeLinear } from '../memory/system-access.js';
import { GENERAL_REGISTERS } from '../register/register-file.js';
import type { Cpu } from '../state/cpu.js';
import { PREVIOUS_TASK_LINK, type TaskLayout } from './task-layout.js';

/** What a task switch loads. */
export interface TaskImage {
  readonly pageDirectoryBase: bigint | undefined;
  readonly instructionPointer: bigint;
  readonly flags: bigint;
  /** EAX to EDI. */
  readonly general: readonly bigint[];
  /** By register; a 16-bit TSS has no FS and GS, which become null. */
  readonly selectors: Readonly<Record<'ES' | 'CS' | 'SS' | 'DS' | 'FS' | 'GS', number>>;
  readonly ldt: number;
  readonly trap: boolean;
}

const GENERAL = 8;
const TRAP = 1n;

const at = (base: bigint, offset: number): bigint => BigInt.asUintN(32, base + BigInt(offset));

/** Loads the image; raises what the accesses raise. */
export function readTaskImage(cpu: Cpu, base: bigint, layout: TaskLayout): TaskImage {
  const { bytes, pageDirectoryBase, trap } = layout;
  return asSupervisor(cpu, () => {
    const load = (offset: number, count: 2 | 4) => loadLinear(cpu, at(base, offset), count);
    const selector = (offset: number) => Number(load(offset, 2));
    const saved = layout.segments.map((name, index) => [name, selector(layout.selectors + index * bytes)]);
    return {
      pageDirectoryBase: pageDirectoryBase === undefined ? undefined : load(pageDirectoryBase, 4),
      instructionPointer: load(layout.instructionPointer, bytes),
      flags: load(layout.flags, bytes),
      general: Array.from({ length: GENERAL }, (_, index) => load(layout.general + index * bytes, bytes)),
      selectors: { FS: 0, GS: 0, ...(Object.fromEntries(saved) as Record<'ES' | 'CS' | 'SS' | 'DS', number>) },
      ldt: selector(layout.ldt),
      trap: trap !== undefined && (load(trap, 2) & TRAP) !== 0n,
    };
  });
}

/** Saves the registers of the task that is left. CR3 and the selector of the LDT are not saved. */
export function saveTask(cpu: Cpu, base: bigint, layout: TaskLayout, flags: bigint, instructionPointer: bigint): void {
  const { bytes } = layout;
  asSupervisor(cpu, () => {
    const store = (offset: number, value: bigint, count: 2 | 4) => storeLinear(cpu, at(base, offset), count, value);
    store(layout.instructionPointer, instructionPointer, bytes);
    store(layout.flags, flags, bytes);
    for (const [index, name] of GENERAL_REGISTERS.slice(0, GENERAL).entries())
      store(layout.general + index * bytes, cpu.read(name), bytes);
    for (const [index, name] of layout.segments.entries())
      store(layout.selectors + index * bytes, cpu.read(`${name}.selector`), 2);
  });
}

/** Raises what `saveTask` would raise, and stores nothing: after the commit point nothing may fault there. */
export function probeSaved(cpu: Cpu, base: bigint, layout: TaskLayout): void {
  const last = layout.selectors + layout.segments.length * layout.bytes - 1;
  probeStore(cpu, at(base, layout.instructionPointer));
  probeStore(cpu, at(base, last)); // 104 bytes lie on two pages at most
}

/** Raises what a store of a byte would. */
export function probeStore(cpu: Cpu, address: bigint): void {
  asSupervisor(cpu, () => storeLinear(cpu, address, 1, loadLinear(cpu, address, 1)));
}

/** The task that a nested one returns to. */
export const readLink = (cpu: Cpu, base: bigint): number =>
  Number(asSupervisor(cpu, () => loadLinear(cpu, at(base, PREVIOUS_TASK_LINK), 2)));

export const writeLink = (cpu: Cpu, base: bigint, selector: bigint): void =>
  asSupervisor(cpu, () => storeLinear(cpu, at(base, PREVIOUS_TASK_LINK), 2, selector));
