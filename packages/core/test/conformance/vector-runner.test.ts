// What the runner compares: each kind of place, and what a vector says is undefined.
import { describe, expect, it } from 'vitest';
import { type InstructionVector, VectorRunner } from '../../src/index.js';

const runner = new VectorRunner();
const before = { flags: '202', regs: { rax: '1', rbx: '2' } };
/** ADD RAX, RBX. */
const ADD: InstructionVector = {
  id: 'add',
  code: '4801d8',
  in: before,
  out: { flags: '206', rip: '20000803', regs: { rax: '3' } },
};

describe('a vector', () => {
  it('passes if the machine does what the processor did', () => {
    expect(runner.run(ADD)).toEqual([]);
  });

  it.each<[string, Partial<InstructionVector>, unknown]>([
    ['RAX', { out: { ...ADD.out, regs: { rax: '4' } } }, { found: 3n, expected: 4n }],
    ['RBX', { out: { ...ADD.out, regs: { rax: '3', rbx: '0' } } }, { found: 2n, expected: 0n }],
    ['RFLAGS', { out: { ...ADD.out, flags: '207' } }, { found: 0x206n, expected: 0x207n }],
    ['RIP', { out: { ...ADD.out, rip: '20000804' } }, { found: 0x2000_0803n, expected: 0x2000_0804n }],
    ['exception', { exc: [13, 0] }, { found: 'none', expected: '#GP(0)' }],
    ['exception', { code: '0f0b', out: { flags: '202', rip: '20000800' } }, { found: '#UD(0)', expected: 'none' }],
    [
      '[10000000]',
      { out: { ...ADD.out, mem: [['10000000', 'ff']] } },
      { found: Uint8Array.of(0x3b), expected: Uint8Array.of(0xff) },
    ],
  ])('that differs in %s says how', (place, change, sides) => {
    expect(runner.run({ ...ADD, ...change })).toEqual([{ place, ...(sides as object) }]);
  });

  it('is not compared where it is undefined', () => {
    const out = { flags: '203', rip: '20000803', regs: { rax: '4' } };
    expect(runner.run({ ...ADD, out, undef: '5', undefRegs: ['rax'] })).toEqual([]);
    expect(runner.run({ ...ADD, out, undef: '4', undefRegs: ['rax'] })).toHaveLength(1);
  });

  it('finds a byte that changed and should not have', () => {
    const out = { flags: '202', rip: '20000806' };
    expect(runner.run({ id: 'store', code: '48890425', in: before, out })).not.toEqual([]);
    const store = { id: 'store', code: '8803', in: { flags: '202', regs: { rax: '0', rbx: '10000fff' } } };
    const [difference] = runner.run({ ...store, out: { flags: '202', rip: '20000802' } });
    expect(difference).toMatchObject({ place: '[10000fff]', found: Uint8Array.of(0) });
  });

  it('goes on with a repeated instruction, and with a program to the end of its code', () => {
    const regs = { rcx: '3', rdi: '10000000', rax: 'aa' };
    const out = { flags: '202', rip: '20000802', regs: { rcx: '0', rdi: '10000003' } };
    const mem = [['10000000', 'aaaaaa']] as const;
    expect(runner.run({ id: 'rep stosb', code: 'f3aa', in: { flags: '202', regs }, out: { ...out, mem } })).toEqual([]);
    const program = { id: 'program', code: 'ffc0ffc0', insns: 2, retired: 2, in: { flags: '202', regs: { rax: '0' } } };
    const after = { flags: '202', rip: '20000804', regs: { rax: '2' } };
    expect(runner.run({ ...program, out: after })).toEqual([]);
  });

  it('that never ends is given up', () => {
    const endless = { id: 'jmp', code: 'ebfe90', insns: 2, retired: 2, in: { flags: '202' } };
    const [difference] = runner.run({ ...endless, out: { flags: '202', rip: '20000803' } });
    expect(difference?.place).toBe('instruction');
  });

  it('of a page fault in the half of Linux has the protection bit', () => {
    const regs = { rbx: 'ffff880000000000' };
    const load = { id: 'load', code: '8a03', in: { flags: '202', regs }, out: { flags: '202', rip: '20000800' } };
    expect(runner.run({ ...load, exc: [14, 5, 'ffff880000000000'] })).toEqual([]);
  });

  it('that is not modelled fails', () => {
    // XBEGIN
    const out = { flags: '202', rip: '20000806' };
    const [difference] = runner.run({ id: 'xbegin', code: 'c7f800000000', in: { flags: '202' }, out });
    expect(difference).toBeDefined();
  });
});
