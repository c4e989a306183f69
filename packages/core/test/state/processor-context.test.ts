import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { DraftHost } from '../../src/state/draft-host.js';
import { pagingContextOf } from '../../src/state/paging-context.js';
import { ProcessorContexts } from '../../src/state/processor-context.js';
import { machineWith } from '../support/booted-machine.js';

/** Bits that decide about the context, and some that do not. */
const REGISTERS = {
  CR0: [0, 16, 18, 31],
  CR4: [4, 5, 12, 20, 21, 22],
  IA32_EFER: [10, 11],
  RFLAGS: [0, 9, 17, 18],
  'CS.attributes': [5, 13, 14],
  'SS.attributes': [5, 6, 14],
} as const;
type Name = keyof typeof REGISTERS;

const flip = fc
  .constantFrom(...(Object.keys(REGISTERS) as Name[]))
  .chain((name) => fc.record({ name: fc.constant(name), bit: fc.constantFrom<number>(...REGISTERS[name]) }));

const scratch = () => {
  const { definition, state } = machineWith([]);
  return new DraftHost(definition, state);
};

describe('contexts of a processor', () => {
  test.prop([fc.array(flip, { minLength: 1, maxLength: 40 })], { numRuns: 60 })(
    'are those of its registers, whatever was changed before',
    (flips) => {
      const host = scratch();
      const cpu = host.draft().activate(0);
      const contexts = new ProcessorContexts();
      for (const { name, bit } of flips) {
        cpu.set(name, cpu.read(name) ^ (1n << BigInt(bit)));
        contexts.systemChanged(cpu);
        expect(contexts.of(cpu).paging).toEqual(pagingContextOf(cpu));
        expect(contexts.of(cpu).code.codeWidth).toBe(cpu.codeWidth);
        expect(contexts.of(cpu).implicit).toMatchObject({ user: false, smap: cpu.CR4.SMAP });
      }
      host.abandon();
    },
  );

  it('stay the same ones when the level comes back', () => {
    const host = scratch();
    const cpu = host.draft().activate(0);
    const contexts = new ProcessorContexts();
    contexts.systemChanged(cpu);
    const before = contexts.of(cpu);
    cpu.set('SS.attributes', 0xc0f3n);
    expect(contexts.systemChanged(cpu)).toBe(false);
    expect(contexts.of(cpu)).not.toBe(before);
    cpu.set('SS.attributes', 0xc093n);
    expect(contexts.of(cpu)).toBe(before);
    host.abandon();
  });
});
