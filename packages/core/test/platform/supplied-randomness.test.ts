import { describe, expect, it } from 'vitest';
import type { Machine } from '../../src/machine/machine.js';
import { randomSupplied, suppliedRandomness } from '../../src/platform/supplied-randomness.js';
import { hex, machineWith } from '../support/booted-machine.js';

/** rdrand rax; rdseed bx; rdrand ecx */
const CODE = hex('48 0f c7 f0 66 0f c7 fb 0f c7 f1');
const registers = (machine: Machine) => ['RAX', 'RBX', 'RCX'].map((name) => machine.processor(0).read(name));

describe('RDRAND and RDSEED', () => {
  it('return the same numbers in every run, with CF set and the other status flags cleared', () => {
    const runs = [1, 2].map(() => {
      const machine = machineWith(CODE);
      machine.processor(0).set('RFLAGS', 0x8d6n);
      machine.processor(0).step(3);
      return machine;
    });
    const [first, second] = runs.map(registers);
    expect(first).toEqual(second);
    expect(new Set(first).size).toBe(3);
    expect(runs[0]?.processor(0).read('RFLAGS')).toBe(3n);
    expect(first?.[1]).toBeLessThan(2n ** 16n);
    expect(first?.[2]).toBeLessThan(2n ** 32n);
  });

  it('return other numbers from another state, and on another processor', () => {
    const machine = machineWith(CODE, { processors: 2 });
    machine.processor(0).step();
    const [number] = registers(machine);
    const seeded = machineWith(CODE);
    seeded.processor(0).set('randomState', 1n);
    seeded.processor(0).step();
    expect(registers(seeded)[0]).not.toBe(number);
    const second = machine.processor(1);
    for (const name of ['RIP', 'CR3', 'CR4', 'IA32_EFER', 'CR0', 'CS.attributes', 'SS.attributes', 'CS.base'])
      second.set(name, name === 'RIP' ? 0x10_0000n : machine.processor(0).read(name));
    second.set('activity', 0n);
    second.step();
    expect(second.read('RAX')).not.toBe(number);
  });

  it('return what events supply, as long as there is any', () => {
    const machine = machineWith(CODE, { plugins: [suppliedRandomness] });
    machine.apply(randomSupplied.create({ processor: 0, numbers: [7n, 0x1_2345n] }));
    machine.processor(0).step(3);
    const plain = machineWith(CODE);
    plain.processor(0).step();
    const generated = (registers(plain)[0] ?? 0n) & 0xffff_ffffn;
    expect(registers(machine)).toEqual([7n, 0x2345n, generated]);
  });
});
