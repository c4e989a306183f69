// A failed vector as text: the instruction, and each place with both sides, flags by name.
import { expect, it } from 'vitest';
import { PLAIN } from '../../src/output/colour.js';
import { failureParagraph, failureRow } from '../../src/output/vector-failure.js';

const failure = {
  family: 'alu',
  line: 3,
  vector: { id: 'add r64,r64', code: '4801d8', in: { flags: '202' }, out: { flags: '203', rip: '20000803' } },
  differences: [
    { place: 'RAX', found: 3n, expected: 4n },
    { place: 'RFLAGS', found: 0x206n, expected: 0x203n },
    { place: '[10000010]', found: Uint8Array.of(0xb8), expected: Uint8Array.of(0) },
    { place: 'exception', found: 'none', expected: '#PF(5) at 1000' },
  ],
};

it('a failed vector is shown with its code and both sides of each difference', () => {
  expect(failureParagraph(failure, PLAIN).split('\n')).toEqual([
    'alu, line 3: add r64,r64',
    '  add rax, rbx  4801d8',
    '              found            expected',
    '  RAX         0x3              0x4',
    '  RFLAGS      0x206 CF=0 PF=1  0x203 CF=1 PF=0',
    '  [10000010]  b8               00',
    '  exception   none             #PF(5) at 1000',
  ]);
});

it('a failed vector is data too', () => {
  expect(failureRow(failure)).toMatchObject({ id: 'add r64,r64', disassembly: ['add rax, rbx'], line: 3 });
});
