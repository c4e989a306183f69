// The segment registers in the guest-state area (SDM, "Guest Register State"). Access rights: 3:0 type, 4 S, 6:5 DPL,
// 7 P, 13 L, 14 D/B, 15 G, 16 unusable; the other bits are reserved.
import type { VmcsField } from '../field-encoding.js';
import { type FieldName, fieldNamed } from '../fields.js';
import type { EntryState } from './entry-state.js';

/** The segment registers of a guest, in the order of encodings. */
export type SegmentRegister = 'ES' | 'CS' | 'SS' | 'DS' | 'FS' | 'GS' | 'LDTR' | 'TR';

/** The fields of one register. */
export interface SegmentFields {
  readonly selector: VmcsField<FieldName>;
  readonly base: VmcsField<FieldName>;
  readonly limit: VmcsField<FieldName>;
  readonly accessRights: VmcsField<FieldName>;
}

const fieldsOf = (register: SegmentRegister): SegmentFields => ({
  selector: fieldNamed(`Guest ${register} selector`),
  base: fieldNamed(`Guest ${register} base`),
  limit: fieldNamed(`Guest ${register} limit`),
  accessRights: fieldNamed(`Guest ${register} access rights`),
});

export const GUEST_SEGMENTS: Readonly<Record<SegmentRegister, SegmentFields>> = {
  ES: fieldsOf('ES'),
  CS: fieldsOf('CS'),
  SS: fieldsOf('SS'),
  DS: fieldsOf('DS'),
  FS: fieldsOf('FS'),
  GS: fieldsOf('GS'),
  LDTR: fieldsOf('LDTR'),
  TR: fieldsOf('TR'),
};

/** Bits of the access rights. */
export const ACCESS_RIGHTS = { S: 0x10, P: 0x80, L: 0x2000, DB: 0x4000, G: 0x8000, unusable: 0x1_0000 } as const;

export function accessRights(state: Pick<EntryState, 'word'>, register: SegmentRegister): number {
  return state.word(GUEST_SEGMENTS[register].accessRights);
}

export const typeOf = (rights: number): number => rights & 0xf;
export const dplOf = (rights: number): number => (rights >>> 5) & 3;
export const isUsable = (rights: number): boolean => (rights & ACCESS_RIGHTS.unusable) === 0;
