// The event union: what a log holds. The only thing that changes a state.
import type { Payload } from './define.js';

/**
 * A processor executed `steps` steps: instructions retired, faults delivered, interrupts taken. Execution is
 * deterministic, so that the count is all that is recorded; each step is a position of its own.
 */
export interface StepsRetired {
  readonly type: 'processor/stepsRetired';
  readonly processor: number;
  readonly steps: number;
}

/** An intrinsic: one instruction with operand values given by the caller. */
export interface IntrinsicExecuted {
  readonly type: 'processor/intrinsicExecuted';
  readonly processor: number;
  /** The intrinsic's name: `vmxon`, `rdmsr`. */
  readonly intrinsic: string;
  readonly operands: readonly bigint[];
}

/** A debugger or a script set a register. */
export interface RegisterSet {
  readonly type: 'processor/registerSet';
  readonly processor: number;
  readonly register: string;
  readonly value: bigint;
}

/** A debugger, a script or a loader wrote physical memory. */
export interface MemoryWritten {
  readonly type: 'memory/written';
  readonly address: number;
  readonly bytes: Uint8Array;
}

/** An event of a plugin or device. */
export type PluginEvent = { readonly type: `${string}/${string}` } & Payload;

export type CoreEvent = StepsRetired | IntrinsicExecuted | RegisterSet | MemoryWritten;
export type MachineEvent = CoreEvent | PluginEvent;

/** How many positions an event spans. */
export function positionsOf(event: MachineEvent): number {
  return isStepsRetired(event) ? event.steps : 1;
}

/** Whether an event is a run of fetched instructions. */
export function isStepsRetired(event: MachineEvent): event is StepsRetired {
  return event.type === 'processor/stepsRetired';
}

/**
 * A frozen copy of an event that shares no bytes with it. What enters a log is copied, and what a log hands out is copied
 * again where it holds bytes: an array of bytes cannot be frozen.
 */
export function sealEvent<Event extends MachineEvent>(event: Event): Event {
  if (Object.isFrozen(event) && !holdsBytes(event)) return event;
  return Object.freeze(
    Object.fromEntries(Object.entries(event).map(([name, value]) => [name, sealPart(value)])),
  ) as Event;
}

/** Looked at for every event: without allocation. */
function holdsBytes(event: MachineEvent): boolean {
  for (const name in event) if ((event as Payload)[name] instanceof Uint8Array) return true;
  return false;
}

function sealPart(value: unknown): unknown {
  if (value instanceof Uint8Array) return value.slice();
  return Array.isArray(value) ? Object.freeze(value.slice()) : value;
}
