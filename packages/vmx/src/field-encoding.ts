// What the encoding of a VMCS field says (SDM, "Field Encoding in VMCS"): bit 0 access type, 9:1 index, 11:10 type,
// 14:13 width; bit 12 and bits 31:15 are reserved and 0. A row of the field table states the encoding and nothing that
// follows from it, so that it cannot contradict itself.
import type { Citation } from '@retrovisor/core';
import type { Control } from './controls.js';

const WIDTHS = ['16-bit', '64-bit', '32-bit', 'natural-width'] as const;
const GROUPS = ['control', 'read-only data', 'guest-state', 'host-state'] as const;
/** Bytes in a VMCS region, in the order of WIDTHS: natural-width fields have 64 bits on processors with Intel 64. */
const BYTES = [2, 8, 4, 8] as const;

/**
 * When a field exists: with one control, or any of some, that the processor allows to be 1; with more than that many
 * CR3-target values; or on processors with secure-arbitration mode, which no profile is.
 */
export type FieldExistence = Control | readonly Control[] | { readonly cr3TargetValuesAbove: number } | 'SEAM';

/** A row of the field table. Without `existsWhen` the field exists on every processor with VMX. */
export interface FieldRow<Name extends string = string> {
  readonly encoding: number;
  readonly name: Name;
  readonly existsWhen?: FieldExistence;
  /** Where sources differ or the manual is silent. */
  readonly note?: string;
}

/** A field of the VMCS. */
export interface VmcsField<Name extends string = string> extends FieldRow<Name> {
  readonly manual: Citation;
  readonly width: (typeof WIDTHS)[number];
  readonly group: (typeof GROUPS)[number];
  readonly index: number;
  /** Bytes of the value. */
  readonly bytes: 2 | 4 | 8;
}

/** Declares the fields of a VMCS. */
export function defineFields<const Name extends string>(
  manual: Citation,
  rows: readonly FieldRow<Name>[],
): readonly VmcsField<Name>[] {
  return Object.freeze(rows.map((row) => Object.freeze({ ...row, manual, ...decode(row.encoding) })));
}

function decode(encoding: number): Pick<VmcsField, 'width' | 'group' | 'index' | 'bytes'> {
  const width = (encoding >> 13) & 3;
  return {
    width: WIDTHS[width] ?? '16-bit',
    group: GROUPS[(encoding >> 10) & 3] ?? 'control',
    index: (encoding >> 1) & 0x1ff,
    bytes: BYTES[width] ?? 8,
  };
}

/** Bit 0 of an encoding: 1 accesses bits 63:32 of a 64-bit field. */
export type AccessType = 'full' | 'high';

/** The access type, the encoding without it, or undefined when reserved bits are set. */
export function splitEncoding(encoding: bigint): { readonly access: AccessType; readonly full: number } | undefined {
  if (encoding >> 15n !== 0n) return undefined;
  return { access: (encoding & 1n) === 1n ? 'high' : 'full', full: Number(encoding & ~1n) };
}
