import { describe, expect, it } from 'vitest';
import { TRANSFERRED_FIELDS } from '../src/instruction/vmload-vmsave.js';
import { STATE_SAVE_AREA, VMCB_BYTES, VMCB_FIELDS } from '../src/vmcb.js';
import { findVmcbPlace } from '../src/vmcb-places.js';
import { VMCB_ENTRIES } from './support/spec-entries.js';

const shape = ({ offset, size }: { readonly offset: number; readonly size: number }) =>
  `${offset.toString(16)}+${size}`;

describe('the layout of the VMCB', () => {
  it('has every field of the inventory, at its offset and of its size, and no other', () => {
    const inventory = VMCB_ENTRIES.map(({ offset, size }) => shape({ offset: Number(offset), size }));
    expect(VMCB_FIELDS.map(shape)).toEqual(inventory);
  });

  it('has the control area below and the state save area from 400H on', () => {
    for (const [index, { area }] of VMCB_ENTRIES.entries()) {
      expect(area === 'save', VMCB_FIELDS[index]?.name).toBe((VMCB_FIELDS[index]?.offset ?? 0) >= STATE_SAVE_AREA);
    }
  });

  it('has fields in ascending order without overlap, within a page', () => {
    for (const [index, { name, offset }] of VMCB_FIELDS.entries()) {
      const before = VMCB_FIELDS[index - 1];
      expect(offset, name).toBeGreaterThanOrEqual((before?.offset ?? 0) + (before?.size ?? 0));
    }
    const last = VMCB_FIELDS.at(-1);
    expect((last?.offset ?? 0) + (last?.size ?? 0)).toBeLessThanOrEqual(VMCB_BYTES);
  });

  it('names each field once, and gives each name its place', () => {
    expect(new Set(VMCB_FIELDS.map(({ name }) => name)).size).toBe(VMCB_FIELDS.length);
    for (const { name, offset, size } of VMCB_FIELDS) expect(findVmcbPlace(name)).toEqual({ offset, bytes: size });
    expect(findVmcbPlace('FS.base')).toEqual({ offset: 0x448, bytes: 8 });
    expect(findVmcbPlace('EVENTINJ.V')).toEqual({ offset: 0xa8, bytes: 8 });
    expect(findVmcbPlace('RIP.base')).toBeUndefined();
  });

  it('names as many bits as the inventory has, none twice and none outside its field', () => {
    for (const { name, size, bits } of VMCB_FIELDS) {
      const used = Object.values(bits ?? {}).flatMap((range) => {
        const [high = 0, low = high] = range.split(':').map(Number);
        return Array.from({ length: high - low + 1 }, (_, index) => low + index);
      });
      expect(new Set(used).size, name).toBe(used.length);
      expect(Math.max(0, ...used), name).toBeLessThan(size * 8);
    }
  });

  it('is transferred by VMLOAD and VMSAVE where the inventory says so', () => {
    const inventory = VMCB_ENTRIES.flatMap(({ loadedBy, offset }) =>
      loadedBy === 'VMLOAD/VMSAVE' ? [Number(offset)] : [],
    );
    const transferred = TRANSFERRED_FIELDS.map((name) => findVmcbPlace(name)?.offset ?? -1);
    expect(transferred.toSorted((one, other) => one - other)).toEqual(inventory);
  });
});
