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
const KNOWN = new WeakMap<RecordedVmcs['fields'], Map<string, Halves>>();

/** The halves of the fields that were asked for: most checks ask for few. */
function knownHalves(fields: RecordedVmcs['fields']): Map<string, Halves> {
  const known = KNOWN.get(fields) ?? new Map<string, Halves>();
  KNOWN.set(fields, known);
  return known;
}

/**
 * The state of a recorded VMCS.
 * @example allViolations(ENTRY_CHECKS.guestState, recordedState({ profile: findProfile('intel-server'), fields: {}, inIa32eMode: true, address: 0x1000n }))
 */
export function recordedState(recorded: RecordedVmcs): EntryState {
  const values: Readonly<Record<string, bigint | undefined>> = recorded.fields;
  const known = knownHalves(recorded.fields);
  const halves = ({ name }: VmcsField): Halves => {
    const value = values[name];
    if (value === undefined) return ZERO;
    const result = known.get(name) ?? halvesOf(value);
    known.set(name, result);
    return result;
  };
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
