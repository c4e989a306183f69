import { describe, expect, it } from 'vitest';
import type { Control } from '../src/controls.js';
import type { FieldExistence } from '../src/field-encoding.js';
import { fieldNamed, VMCS_FIELDS } from '../src/fields.js';
import { FIELD_ENTRIES } from './support/inventory.js';

const WIDTHS = { '16-bit': '16', '32-bit': '32', '64-bit': '64', 'natural-width': 'natural' } as const;
const GROUPS = { 'read-only data': 'exit-information' } as Readonly<Record<string, string>>;
const LABELS: Readonly<Record<string, string>> = {
  'Pin-based VM-execution controls': 'pin-based',
  'Primary processor-based VM-execution controls': 'primary proc-based',
  'Secondary processor-based VM-execution controls': 'secondary proc-based',
  'Tertiary processor-based VM-execution controls': 'tertiary proc-based',
  'Primary VM-exit controls': 'VM-exit',
  'Secondary VM-exit controls': 'secondary VM-exit',
  'VM-entry controls': 'VM-entry',
  'VM-function controls': 'VM-function controls',
};

const printed = ({ name, group }: Control) => `1-setting of "${name}" (${LABELS[group.field]})`;

/** The condition in the words of the inventory. */
function existence(condition: FieldExistence | undefined): string {
  if (condition === undefined) return 'always';
  if (condition === 'SEAM') return 'SEAM/TDX support';
  if ('cr3TargetValuesAbove' in condition) {
    return `number of CR3-target values in IA32_VMX_MISC[24:16] > ${condition.cr3TargetValuesAbove}`;
  }
  return 'bit' in condition ? printed(condition) : condition.map(printed).join(' or ');
}

describe('the fields of the VMCS', () => {
  it('are those of the inventory, one row each', () => {
    expect(VMCS_FIELDS.map(({ name }) => name).toSorted()).toEqual(FIELD_ENTRIES.map(({ name }) => name).toSorted());
    expect(new Set(VMCS_FIELDS.map(({ encoding }) => encoding)).size).toBe(VMCS_FIELDS.length);
  });

  it.each(FIELD_ENTRIES)('$name has encoding $encoding, width $width and type $type', (entry) => {
    const field = fieldNamed(entry.name);
    if (field === undefined) throw new Error(entry.name);
    expect({
      encoding: field.encoding,
      width: WIDTHS[field.width],
      type: GROUPS[field.group] ?? field.group.replace(' ', '-'),
      index: field.index,
      readOnly: field.group === 'read-only data',
      exists: existence(field.existsWhen),
      highEncoding: field.width === '64-bit' ? field.encoding + 1 : null,
    }).toEqual({
      encoding: Number(entry.encoding),
      width: entry.width,
      type: entry.type,
      index: entry.index,
      readOnly: entry.readOnly,
      exists: entry.exists,
      highEncoding: entry.highEncoding === null ? null : Number(entry.highEncoding),
    });
  });

  it('stand in the order of encodings, so that a missing row shows', () => {
    const encodings = VMCS_FIELDS.map(({ encoding }) => encoding);
    expect(encodings).toEqual(encodings.toSorted((one, other) => one - other));
  });
});
