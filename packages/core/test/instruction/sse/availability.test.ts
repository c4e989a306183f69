// When instructions on XMM registers are there, and what stops them: control bits, alignment, unmasked exceptions.
import { describe, expect, it } from 'vitest';
import type { Machine } from '../../../src/machine/machine.js';
import { CODE, hex, machineWith } from '../../support/booted-machine.js';

const [CR0_EM, CR0_TS] = [1n << 2n, 1n << 3n];
const [OSFXSR, OSXMMEXCPT] = [1n << 9n, 1n << 10n];
const ADDPS = '0f 58 c1'; // addps xmm0, xmm1
const DIVSS_MEMORY = 'f3 0f 5e 00'; // divss xmm0, [rax]
const ONE = 0x3f80_0000n;
const NEAREST_ABOVE_ONE = 0x3f80_0001n;

function machineAt(code: string, { cr0 = 0n, cr4 = OSFXSR | OSXMMEXCPT, mxcsr = 0x1f80n } = {}): Machine {
  const machine = machineWith(hex(code));
  const cpu = machine.processor(0);
  cpu.set('CR0', cpu.read('CR0') | cr0);
  cpu.set('CR4', cpu.read('CR4') | cr4);
  cpu.set('MXCSR', mxcsr);
  return machine;
}

/** What the first instruction raises: without an IDT the processor shuts down, and the chain begins with it. */
function raisedBy(machine: Machine): unknown {
  const outcome = machine.processor(0).step() as { chain?: readonly { vector: string; rule: string }[] };
  const [first] = outcome.chain ?? [];
  return first === undefined ? outcome : [first.vector, first.rule];
}

describe('an instruction on XMM registers', () => {
  it.each([
    ['CR0.EM', { cr0: CR0_EM }, ['#UD', 'core.sse.emulation']],
    ['CR4.OSFXSR', { cr4: 0n }, ['#UD', 'core.sse.osfxsr']],
    ['CR0.TS', { cr0: CR0_TS }, ['#NM', 'core.sse.task-switched']],
    ['CR4.OSFXSR before CR0.TS', { cr0: CR0_TS, cr4: 0n }, ['#UD', 'core.sse.osfxsr']],
  ] as const)('is stopped by %s', (_what, start, raised) => {
    expect(raisedBy(machineAt(ADDPS, start))).toEqual(raised);
  });

  it('is stopped before it reads memory', () => {
    const machine = machineAt('0f 58 00', { cr0: CR0_TS }); // addps xmm0, [rax]
    machine.processor(0).set('RAX', 0x8000_0000_0000_0001n);
    expect(raisedBy(machine)).toEqual(['#NM', 'core.sse.task-switched']);
  });

  it.each([
    ['0f 28 00', 'movaps xmm0, [rax]'],
    ['66 0f 7f 00', 'movdqa [rax], xmm0'],
    ['66 0f fe 00', 'paddd xmm0, [rax]'],
  ])('takes #GP for an operand that is not aligned: %s (%s)', (code) => {
    const machine = machineAt(code);
    machine.processor(0).set('RAX', BigInt(CODE) + 8n);
    expect(raisedBy(machine)).toEqual(['#GP', 'core.sse.alignment']);
  });

  it.each([
    ['0f 10 00', 'movups xmm0, [rax]'],
    ['f2 0f f0 00', 'lddqu xmm0, [rax]'],
    ['66 0f 3a 63 00 00', 'pcmpistri xmm0, [rax], 0'],
  ])('need not be aligned: %s (%s)', (code) => {
    const machine = machineAt(code);
    machine.processor(0).set('RAX', BigInt(CODE) + 8n);
    expect(raisedBy(machine)).toEqual({ kind: 'completed' });
  });
});

describe('an unmasked exception', () => {
  const UNMASKED_ZERO_DIVIDE = 0x1d80n;

  it.each([
    ['#XM', OSFXSR | OSXMMEXCPT],
    ['#UD', OSFXSR],
  ] as const)('is %s by CR4.OSXMMEXCPT, with its flag set and the register as it was', (vector, cr4) => {
    const machine = machineAt(DIVSS_MEMORY, { cr4, mxcsr: UNMASKED_ZERO_DIVIDE });
    const cpu = machine.processor(0);
    cpu.set('RAX', 0x20_0000n); // zeros
    cpu.set('XMM0', ONE);
    expect(raisedBy(machine)).toEqual([vector, 'core.sse.unmasked-exception']);
    expect([cpu.read('XMM0'), cpu.read('MXCSR')]).toEqual([ONE, UNMASKED_ZERO_DIVIDE | 4n]);
  });

  it('of an operand keeps the flags of other results away', () => {
    const machine = machineAt('0f 5e c1', { mxcsr: UNMASKED_ZERO_DIVIDE }); // divps xmm0, xmm1
    const cpu = machine.processor(0);
    cpu.set('XMM0', (ONE << 32n) | ONE);
    cpu.set('XMM1', (NEAREST_ABOVE_ONE << 96n) | (NEAREST_ABOVE_ONE << 64n) | (NEAREST_ABOVE_ONE << 32n));
    raisedBy(machine);
    expect(cpu.read('MXCSR')).toBe(UNMASKED_ZERO_DIVIDE | 4n);
  });
});

describe('who wrote', () => {
  it('an XMM register and MXCSR is told by the instruction', () => {
    const machine = machineAt('0f 58 c1 90 f3 0f 5e ca'); // addps xmm0, xmm1; nop; divss xmm1, xmm2
    const cpu = machine.processor(0);
    cpu.set('XMM1', NEAREST_ABOVE_ONE);
    const start = machine.position;
    cpu.step(3);
    const timeline = machine.timeline();
    expect(timeline.lastWrite('XMM0', machine.position)?.position).toBe(start);
    expect(timeline.lastWrite('XMM1', machine.position)?.position).toBe(start + 2);
    expect(timeline.lastWrite('MXCSR', machine.position)?.position).toBe(start + 2);
  });
});
