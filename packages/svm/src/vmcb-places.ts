// Where names lie in a VMCB: fields, the four parts of a segment register, and bits of a field. One map for VMLOAD and
// VMSAVE, locations and views.
import { UsageError } from '@retrovisor/core';
import { VMCB_FIELDS } from './vmcb.js';

/** Bytes of a VMCB. */
export interface VmcbPlace {
  /** From the start of the VMCB. */
  readonly offset: number;
  readonly bytes: number;
}

/** The parts of a segment register, in order. */
export const SEGMENT_PARTS = {
  selector: { offset: 0, bytes: 2 },
  attributes: { offset: 2, bytes: 2 },
  limit: { offset: 4, bytes: 4 },
  base: { offset: 8, bytes: 8 },
} as const satisfies Readonly<Record<string, VmcbPlace>>;

const PLACES: ReadonlyMap<string, VmcbPlace> = new Map(
  VMCB_FIELDS.flatMap(({ name, offset, size, segment, bits = {} }) => [
    [name, { offset, bytes: size }] as const,
    ...(segment ? Object.entries(SEGMENT_PARTS) : []).map(
      ([part, place]) => [`${name}.${part}`, { offset: offset + place.offset, bytes: place.bytes }] as const,
    ),
    // A bit is found at the bytes of its field: nothing smaller is written at once.
    ...Object.keys(bits).map((bit) => [`${name}.${bit}`, { offset, bytes: size }] as const),
  ]),
);

/** Every name that has a place: `N_CR3`, `FS.base`, `EVENTINJ.V`. */
export const VMCB_PLACE_NAMES: readonly string[] = [...PLACES.keys()];

/** The place of a name, or undefined. */
export function findVmcbPlace(name: string): VmcbPlace | undefined {
  return PLACES.get(name);
}

/**
 * The place of a name.
 * @throws UsageError `UNKNOWN_VMCB_FIELD`
 */
export function vmcbPlace(name: string): VmcbPlace {
  const place = PLACES.get(name);
  if (place === undefined) throw new UsageError('UNKNOWN_VMCB_FIELD', { name }, `the VMCB has no field named ${name}`);
  return place;
}
