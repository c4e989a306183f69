// The state that the checks of VM entry read, of a VMCS whose fields are known as values: a dump, or a test. Fields that
// the values do not name are 0.
import type { ProcessorProfile } from '@retrovisor/core';
import type { VmcsField } from '../field-encoding.js';
import type { FieldName } from '../fields.js';
import { type Halves, halvesOf, processorOf } from './entry-processor.js';
import { type EntryState, isControlSet } from './entry-state.js';

/** What is known of a VMCS and of the processor that would enter with it. */
export interface RecordedVmcs {
  readonly profile: ProcessorProfile;
  readonly fields: Readonly<Partial<Record<FieldName, bigint>>>;
  readonly inIa32eMode: boolean;
  readonly inSmm?: boolean;
  readonly isTracing?: boolean;
  /** Physical address of the VMCS itself. */
  readonly address: bigint;
  /** Physical memory, where it is known. */
  readonly memory?: (address: bigint, bytes: 4 | 8) => bigint;
}

const ZERO: Halves = { low: 0, high: 0 };

/**
 * The state of a recorded VMCS.
 * @example allViolations(ENTRY_CHECKS.guestState, recordedState({ profile, fields, inIa32eMode: true, address: 0x1000n }))
 */
export function recordedState(recorded: RecordedVmcs): EntryState {
  const values = new Map<string, Halves>(
    Object.entries(recorded.fields).map(([name, value]) => [name, halvesOf(value ?? 0n)]),
  );
  const halves = (field: VmcsField): Halves => values.get(field.name) ?? ZERO;
  const state: EntryState = {
    processor: processorOf(recorded.profile),
    word: (field) => halves(field).low,
    high: (field) => halves(field).high,
    control: (control) => isControlSet(state, control),
    inIa32eMode: recorded.inIa32eMode,
    inSmm: recorded.inSmm ?? false,
    isTracing: recorded.isTracing ?? false,
    currentVmcs: recorded.address,
    memory: recorded.memory ?? ((_address, bytes) => (1n << BigInt(bytes * 8)) - 1n),
  };
  return state;
}
