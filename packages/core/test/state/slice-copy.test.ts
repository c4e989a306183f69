// A small slice is copied to be changed: what comes of it is what an Immer draft would give, and shares what is equal.
import { createDraft, finishDraft } from 'immer';
import { describe, expect, it } from 'vitest';
import { freezeDeeply } from '../../src/state/freeze.js';
import { copySmall, sealCopy } from '../../src/state/slice-copy.js';

interface Device {
  count: bigint;
  line: boolean;
  due: number | null;
  channels: { mode: number; latched?: number }[];
  queue: number[];
}

const base: Device = freezeDeeply({
  count: 2n ** 63n,
  line: true,
  due: null,
  channels: [{ mode: 1 }, { mode: 2, latched: 7 }],
  queue: [1, 2, 3],
});

const RECIPES: Readonly<Record<string, (device: Device) => void>> = {
  'a value': (device) => {
    device.count += 1n;
  },
  'a part': (device) => {
    (device.channels[1] as { mode: number }).mode = 3;
  },
  'a part that goes': (device) => {
    delete device.channels[1]?.latched;
  },
  'a list that grows': (device) => {
    device.queue.push(4);
  },
  'a list that shrinks': (device) => {
    device.queue.shift();
    device.queue.length = 1;
  },
  'a list that becomes empty': (device) => {
    device.queue = [];
  },
};

function changed(recipe: (device: Device) => void): Device {
  const copy = copySmall(base) as Device;
  recipe(copy);
  return sealCopy(base, copy) as Device;
}

describe('a small slice', () => {
  it.each(Object.entries(RECIPES))('becomes what a draft would: %s', (_name, recipe) => {
    const draft = createDraft(base);
    recipe(draft as Device);
    const result = changed(recipe);
    expect(result).toEqual(finishDraft(draft));
    expect(result).not.toEqual(base);
    expect([result, result.channels, result.channels[1], result.queue].every(Object.isFrozen)).toBe(true);
  });

  it('keeps the parts that did not change', () => {
    const result = changed(RECIPES['a part'] as (device: Device) => void);
    expect(result.queue).toBe(base.queue);
    expect(result.channels[0]).toBe(base.channels[0]);
    expect(result.channels[1]).not.toBe(base.channels[1]);
  });

  it('is the same object when it is as it was', () => {
    const result = changed((device) => {
      device.line = false;
      device.queue = [1, 2, 3];
      device.line = true;
    });
    expect(result).toBe(base);
  });

  it('never changes its base', () => {
    const before = structuredClone(base);
    for (const recipe of Object.values(RECIPES)) changed(recipe);
    expect(base).toEqual(before);
  });

  it('tells an empty list from an empty object', () => {
    expect(sealCopy(freezeDeeply({ parts: [] }), { parts: {} })).toEqual({ parts: {} });
  });
});

describe('a wide slice', () => {
  it('is not copied', () => {
    expect(copySmall({ entries: new Array<number>(1000).fill(0) })).toBeUndefined();
    expect(
      copySmall(Object.fromEntries(Array.from({ length: 100 }, (_, index) => [index, { value: index }]))),
    ).toBeUndefined();
  });
});
