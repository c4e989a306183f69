import type { CompiledListing, ListedLine } from '@retrovisor/core';
import { describe, expect, it } from 'vitest';
import { PLAIN } from '../../src/output/colour.js';
import { listingText } from '../../src/output/compiled-listing.js';

const line = (text: string, more: Partial<ListedLine> = {}): ListedLine => ({
  depth: 0,
  text,
  comment: undefined,
  part: 'fast path',
  block: 0x1000n,
  instruction: 0x1000n,
  ...more,
});

const LISTING: CompiledListing = {
  address: 0x1000n,
  codeWidth: 64,
  user: true,
  isCompiled: true,
  threshold: 200,
  region: {
    entry: 0x800n,
    blocks: [
      { address: 0x800n, steps: 3 },
      { address: 0x1000n, steps: 1 },
    ],
    codeBytes: 77,
  },
  instructions: [
    {
      address: 0x1000n,
      bytes: Uint8Array.of(0x48, 0xff, 0xc0),
      text: 'inc rax',
      effect: 'v1 = add(RAX, 1); RAX := v1',
      path: 'inline',
      deadFlags: ['PF'],
    },
  ],
  steps: 1,
  head: ['(func $region (param $steps i32) (result i32)', '(local $RAX i64)', '(local (;2;) i32)'],
  lines: [
    line('i32.const 0', { part: 'prologue', block: undefined, instruction: undefined }),
    line('i64.load align=1', { part: 'prologue', block: undefined, instruction: undefined, comment: 'RAX' }),
    line('local.set $RAX', { part: 'prologue', block: undefined, instruction: undefined }),
    line('local.get $steps', { block: 0x800n, instruction: 0x800n }),
    line('drop', { block: 0x800n, instruction: 0x802n }),
    line('block'),
    line('local.get $RAX', { depth: 1 }),
    line('i64.const 1', { depth: 1 }),
    line('i64.add', { depth: 1 }),
    line('local.set $RAX', { depth: 1 }),
    line('end'),
  ],
  exits: [
    { instruction: undefined, why: 'budget', rip: 0x1000n, steps: 0 },
    { instruction: 0x1000n, why: 'computed', rip: undefined, steps: 1 },
  ],
};

describe('listingText', () => {
  const text = listingText(LISTING, PLAIN);

  it('begins with what the block is and where it is compiled', () => {
    expect(text.split('\n').slice(0, 2)).toEqual([
      '0x1000: 1 instruction of 64-bit code, CPL 3',
      'compiled in the region entered at 0x800: 2 blocks, 4 instructions, 77 bytes of code',
    ]);
    expect(listingText({ ...LISTING, isCompiled: false }, PLAIN)).toContain(
      'not compiled before it is executed 200 times; it would be in the region entered at 0x800',
    );
  });

  it('shows instructions with a statement of the effect a line', () => {
    expect(text).toContain(
      ['  0x1000  48 ff c0  inc rax', '    v1 = add(RAX, 1)', '    RAX := v1', '    (inline; nobody sees PF)'].join(
        '\n',
      ),
    );
  });

  it('shows the function with a statement a line, names, and one line for all of another block', () => {
    const start = text.indexOf('function');
    expect(text.slice(start, text.indexOf('positions')).trimEnd().split('\n')).toEqual([
      'function',
      '  (func $region (param $steps i32) (result i32)',
      '    (local $RAX i64)  (local (;2;) i32)',
      '    ;; registers and flags into locals',
      '    i32.const 0  i64.load (; RAX ;)  local.set $RAX',
      '    ;; … block 0x800',
      '    ;; 0x1000 inc rax',
      '    block',
      '      local.get $RAX  i64.const 1  i64.add  local.set $RAX',
      '    end',
      '  )',
    ]);
  });

  it('shows where the block is left, with the steps that are done then', () => {
    expect(text).toMatch(/begin +fewer steps are left .* 0x1000 +0\n/);
    expect(text).toMatch(/0x1000 +goes on where RIP says when it runs: leaves +1$/);
  });
});
