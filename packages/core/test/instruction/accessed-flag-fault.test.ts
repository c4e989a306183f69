import { describe, expect, it } from 'vitest';
import { hex, machineWith } from '../support/booted-machine.js';

const GDT = 0x40_0000;
const STACK = 0x20_0000;
/** The entry of the boot page tables that maps the 2 MiB of the GDT; without R/W. */
const DIRECTORY_ENTRY = 0x3000 + 2 * 8;
const READ_ONLY_PAGE = BigInt(GDT) | 0x85n;
/** Null, 64-bit code, data, 64-bit code whose accessed flag is clear, another data segment. */
const DESCRIPTORS = [
  0n,
  0x00af_9b00_0000_ffffn,
  0x00cf_9300_0000_ffffn,
  0x00af_9a00_0000_ffffn,
  0x00cf_9300_0000_ffffn,
];

const quads = (...values: readonly bigint[]): Uint8Array => new Uint8Array(BigUint64Array.from(values).buffer);

/** A far transfer to code whose descriptor lies in a page that cannot be written: its accessed flag cannot be set. */
function refused(code: readonly number[], ...stack: readonly bigint[]) {
  const machine = machineWith(code);
  const cpu = machine.processor(0);
  machine.writeMemory(GDT, quads(...DESCRIPTORS));
  machine.writeMemory(STACK, quads(...stack));
  machine.writeMemory(DIRECTORY_ENTRY, quads(READ_ONLY_PAGE));
  cpu.set('GDTR.base', BigInt(GDT));
  cpu.set('GDTR.limit', 39n);
  cpu.set('RSP', BigInt(STACK));
  const before = { ...cpu.state.segments, RSP: cpu.read('RSP'), RIP: cpu.read('RIP') };
  const outcome = cpu.step();
  return { outcome, before, after: { ...cpu.state.segments, RSP: cpu.read('RSP'), RIP: cpu.read('RIP') } };
}

describe('a far transfer whose target cannot be marked as accessed', () => {
  it.each([
    ['IRETQ', hex('48 cf'), [0x10_0000n, 0x18n, 2n, 0x30_0000n, 0x20n]],
    ['far RET', hex('48 cb'), [0x10_0000n, 0x18n]],
    ['far CALL', hex('ff 1c 24'), [(0x18n << 32n) | 0x10_0000n]],
  ])('leaves SS, RSP and CS as they were before %s', (_, code, stack) => {
    const { outcome, before, after } = refused(code, ...stack);
    expect(outcome).toMatchObject({
      kind: 'shutdown',
      rule: 'core.paging.rights',
      chain: [{ vector: '#PF', errorCode: 3 }, {}, {}, {}],
    });
    expect(after).toEqual(before);
  });
});
