// LTR and LLDT in IA-32e mode, where their descriptors have 16 bytes.
import { describe, expect, it } from 'vitest';
import { hex, machineWith } from '../support/booted-machine.js';

const GDT = 0x20_0000;
/** An available 64-bit TSS at 0x21_0000 with limit 67H. */
const TSS_DESCRIPTOR = hex('67 00 00 00 21 89 00 00');

describe('LTR', () => {
  it('takes #GP(selector) if the GDT ends within the descriptor', () => {
    const machine = machineWith(hex('0f 00 d8')); // ltr ax
    const cpu = machine.processor(0);
    machine.writeMemory(GDT + 8, Uint8Array.from(TSS_DESCRIPTOR));
    cpu.set('GDTR.base', BigInt(GDT));
    cpu.set('RAX', 8n);
    const withLimit = (limit: bigint) => {
      cpu.set('GDTR.limit', limit);
      return machine.fork(machine.position).processor(0).step();
    };
    expect(withLimit(22n)).toMatchObject({ kind: 'shutdown', rule: 'core.ltr.limit' });
    expect(withLimit(23n)).toEqual({ kind: 'completed' });
  });
});
