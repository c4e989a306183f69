// What the checks of VM entry look at: fields of the current VMCS, the capabilities of the processor, and little else
// (SDM, "Checks on VMX Controls" and the sections after it). A machine has such a state at VMLAUNCH, a dump of a VMCS
// has one without a machine. The checks read numbers, in halves where a field has 64 bits: an entry evaluates many of
// them and bigint arithmetic is slow.
import type { Control } from '../controls.js';
import type { VmcsField } from '../field-encoding.js';
import { type FieldName, fieldNamed } from '../fields.js';
import type { EntryProcessor } from './entry-processor.js';

/** The state that the checks of VM entry read. Numbers are unsigned 32-bit integers. */
export interface EntryState {
  readonly processor: EntryProcessor;
  /** Bits 31:0 of a field: all of it, if it has 16 or 32 bits. */
  word(field: VmcsField): number;
  /** Bits 63:32 of a field with 64 bits. */
  high(field: VmcsField): number;
  /** Whether a control is 1. A control of a word that is not activated is 0, whatever the word holds. */
  control(control: Control): boolean;
  /** IA32_EFER.LMA before the entry. */
  readonly inIa32eMode: boolean;
  readonly inSmm: boolean;
  /** IA32_RTIT_CTL.TraceEn before the entry. */
  readonly isTracing: boolean;
  /** Physical address of the current VMCS. */
  readonly currentVmcs: bigint;
  /** A little-endian value of physical memory; where there is none, all bits are 1. */
  memory(address: bigint, bytes: 4 | 8): bigint;
}

/** Where a control is: a mask in one half of a field. */
interface ControlPlace {
  readonly field: VmcsField<FieldName>;
  readonly mask: number;
  readonly half: 'word' | 'high';
  readonly activatedBy: Control | undefined;
}

const PLACES = new Map<Control, ControlPlace>();

function placeOf(control: Control): ControlPlace {
  const known = PLACES.get(control);
  if (known !== undefined) return known;
  const place: ControlPlace = {
    field: fieldNamed(control.group.field),
    mask: 1 << (control.bit & 31),
    half: control.bit < 32 ? 'word' : 'high',
    activatedBy: control.group.activatedBy,
  };
  PLACES.set(control, place);
  return place;
}

/** What `control` of a state answers, from its fields. */
export function isControlSet(state: Pick<EntryState, 'word' | 'high'>, control: Control): boolean {
  const { field, mask, half, activatedBy } = placeOf(control);
  if ((state[half](field) & mask) === 0) return false;
  return activatedBy === undefined || isControlSet(state, activatedBy);
}

/** The fields behind a control: its own, and those of the controls that activate it. */
export function fieldsOfControl(control: Control): readonly VmcsField<FieldName>[] {
  const { field, activatedBy } = placeOf(control);
  return activatedBy === undefined ? [field] : [field, ...fieldsOfControl(activatedBy)];
}

/** A field of 64 bits as a whole, or one of 16 or 32 bits. */
export function wholeField(state: Pick<EntryState, 'word' | 'high'>, field: VmcsField): bigint {
  const low = BigInt(state.word(field));
  return field.bytes === 8 ? (BigInt(state.high(field)) << 32n) | low : low;
}
