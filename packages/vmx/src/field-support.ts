// Which fields a processor supports: a field that exists only with the 1-setting of a control is there if the
// capability MSRs allow that setting, whatever the control is now. VMREAD and VMWRITE of any other field are
// VMfailValid(12).
import type { ProcessorProfile } from '@retrovisor/core';
import { VMX_MISC } from './capability-bits.js';
import { allowsOne, capability } from './capability-msrs.js';
import type { Control } from './controls.js';
import { type AccessType, type FieldExistence, splitEncoding, type VmcsField } from './field-encoding.js';
import { type FieldName, fieldEncoded, VMCS_FIELDS } from './fields.js';

/** A field as an encoding names it: the whole of it, or bits 63:32. */
export interface FieldAccess {
  readonly field: VmcsField<FieldName>;
  readonly access: AccessType;
}

// A profile never changes, so its answer is remembered beside it.
const SUPPORTED = new WeakMap<ProcessorProfile, ReadonlySet<VmcsField>>();

/**
 * The fields that a processor supports, in the order of the table.
 * @example supportedFields(findProfile('intel-server')).has(fieldNamed('Guest IA32_BNDCFGS')) // false
 */
export function supportedFields(profile: ProcessorProfile): ReadonlySet<VmcsField> {
  const known = SUPPORTED.get(profile);
  if (known !== undefined) return known;
  const fields = new Set(VMCS_FIELDS.filter(({ existsWhen }) => exists(profile, existsWhen)));
  SUPPORTED.set(profile, fields);
  return fields;
}

/**
 * What an encoding names on a processor, or undefined where no supported field has it: reserved bits are set, a field
 * of another width than 64 bits is accessed with type high, or the field does not exist.
 * @example supportedAccess(findProfile('intel-server'), 0x2801n)?.access // 'high'
 */
export function supportedAccess(profile: ProcessorProfile, encoding: bigint): FieldAccess | undefined {
  const split = splitEncoding(encoding);
  if (split === undefined) return undefined;
  const field = fieldEncoded(split.full);
  if (field === undefined || !supportedFields(profile).has(field)) return undefined;
  return split.access === 'high' && field.width !== '64-bit' ? undefined : { field, access: split.access };
}

function exists(profile: ProcessorProfile, condition: FieldExistence | undefined): boolean {
  if (condition === undefined) return true;
  if (condition === 'SEAM') return false;
  if ('cr3TargetValuesAbove' in condition) return cr3TargetValues(profile) > condition.cr3TargetValuesAbove;
  return controlsOf(condition).some((control) => allowsOne(profile, control));
}

function controlsOf(condition: Control | readonly Control[]): readonly Control[] {
  return 'bit' in condition ? [condition] : condition;
}

function cr3TargetValues(profile: ProcessorProfile): number {
  return VMX_MISC.read(capability(profile, 'IA32_VMX_MISC'), 'CR3-target values');
}
