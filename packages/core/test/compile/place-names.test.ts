import { describe, expect, it } from 'vitest';
import { RIP_ADDRESS, vectorRegisterAddress } from '../../src/compile/layout.js';
import { accessName } from '../../src/compile/place-names.js';
import { tlbBank } from '../../src/memory/tlb-layout.js';
import { GENERATION_WORD, VALID_PAGES_OFFSET } from '../../src/state/workbench.js';

const lines = (...texts: readonly string[]) => texts.map((text) => ({ at: 0, depth: 0, text }));
const named = (text: string, ...before: readonly string[]) => accessName({ at: 0, depth: 0, text }, lines(...before));

describe('accessName', () => {
  it('names registers, pending flags and words by their address', () => {
    expect(named(`i64.store offset=${RIP_ADDRESS} align=1`)).toBe('RIP');
    expect(named(`v128.load offset=${vectorRegisterAddress(5)} align=1`)).toBe('XMM5');
    expect(named('i64.load offset=32784 align=1')).toBe('pending flags: right');
    expect(named(`i32.load offset=${GENERATION_WORD * 4} align=1`)).toBe('generation of the TLB');
    expect(named(`i32.load offset=${VALID_PAGES_OFFSET + 28} align=1`)).toBe('generation in which page 7 was seen');
  });

  it('names the parts of an entry of the TLB with its bank', () => {
    expect(named(`i64.load offset=${tlbBank(true, 'write')} align=1`)).toBe('TLB, write, user: page');
    expect(named(`i32.load offset=${tlbBank(false, 'read') + 12} align=1`)).toBe('TLB, read, supervisor: where it is');
  });

  it('tells RAX, which is at address 0, from memory of the guest', () => {
    expect(named('i64.load align=1', 'local.get 3', 'i32.const 0')).toBe('RAX');
    expect(named('i64.store align=1', 'i32.const 0', 'local.get $RAX')).toBe('RAX');
    expect(named('i64.load align=1', 'i32.const 0', 'local.get 12')).toBe('memory of the guest');
    expect(named('i32.store8', 'local.get 12', 'local.get 13')).toBe('memory of the guest');
  });

  it('has nothing to say of lines that access nothing', () => {
    expect(named('i64.add')).toBeUndefined();
  });
});
