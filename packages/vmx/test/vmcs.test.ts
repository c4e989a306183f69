import { expect, it } from 'vitest';
import { fieldNamed } from '../src/fields.js';
import { Vmcs } from '../src/vmcs.js';

it.each([0x30_0000, 0x9000_0000, 0x1_2000_0000])('has its fields of 16 bits in a region at %i', (region) => {
  const [even, odd] = [fieldNamed('Host ES selector'), fieldNamed('Host CS selector')];
  const words = new Map<number, number>();
  const memory = {
    word: (address: number) => words.get(address) ?? 0,
    setWord: (address: number, value: number) => words.set(address, value),
  };
  const vmcs = new Vmcs({ memory } as never, region);
  vmcs.set(even, 0x1111);
  vmcs.set(odd, 0x2222);
  vmcs.set(even, 0x3333);
  expect([vmcs.word(even), vmcs.word(odd)]).toEqual([0x3333, 0x2222]);
  expect([...words.keys()].every((address) => address >= region && address % 4 === 0)).toBe(true);
});
