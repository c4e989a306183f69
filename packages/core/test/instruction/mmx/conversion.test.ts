import { describe, expect, it } from 'vitest';
import type { Machine } from '../../../src/machine/machine.js';
import { definePlugin } from '../../../src/plugin/define.js';
import { hex, machineWith } from '../../support/booted-machine.js';

const DATA = 0x20_0000;
const [EM, TS, NE] = [4n, 8n, 0x20n];
const OSFXSR = 0x200n;
const OSXMMEXCPT = 0x400n;

/** Takes every exception before it is delivered. */
const seen = definePlugin({
  name: 'seen',
  version: '1.0.0',
  apiVersion: 1,
  intercepts: { exception: (_cpu, raised) => ({ ...raised, kind: 'seen/raised' }) },
});

function machine(code: string): Machine {
  const made = machineWith(hex(code), { plugins: [seen] }) as unknown as Machine;
  const cpu = made.processor(0);
  cpu.set('CR0', (cpu.read('CR0') & ~(EM | TS)) | NE);
  cpu.set('CR4', cpu.read('CR4') | OSFXSR | OSXMMEXCPT);
  cpu.set('RDI', BigInt(DATA));
  cpu.set('FSW', 0x3800n);
  cpu.set('FTW', 0n);
  cpu.set('XMM0', 0x1111_1111_2222_2222_3333_3333_4444_4444n);
  return made;
}

/** 2.5 and -3.5 as single, 1.0 and 2.0 above. */
const SINGLES = 0x4000_0000_3f80_0000_c060_0000_4020_0000n;

describe('conversions between MMX and XMM registers', () => {
  it.each([
    ['CVTPS2PI', '0f 2d c9', 0xffff_ffff_fffc_0000_0002n],
    ['CVTTPS2PI', '0f 2c c9', 0xffff_ffff_fffd_0000_0002n],
  ])('%s rounds the two low elements', (_name, code, expected) => {
    const made = machine(code);
    const cpu = made.processor(0);
    cpu.set('XMM1', SINGLES);
    expect(made.step(0, 1)).toMatchObject({ kind: 'completed' });
    expect(cpu.read('R1')).toBe(expected);
    expect([cpu.read('FSW'), cpu.read('FTW'), cpu.read('MXCSR')]).toEqual([0n, 0xffn, 0x1fa0n]);
  });

  it('CVTPD2PI takes two doubles of aligned memory', () => {
    const made = machine('66 0f 2d 0f');
    const doubles = new Float64Array([7.5, -8]);
    made.writeMemory(DATA, new Uint8Array(doubles.buffer));
    made.step(0, 1);
    expect(made.processor(0).read('R1')).toBe(0xffff_ffff_fff8_0000_0008n);
  });

  it('CVTPD2PI takes no memory that is not aligned', () => {
    const made = machine('66 0f 2d 4f 08');
    expect(made.step(0, 1)).toMatchObject({ vector: '#GP', rule: 'core.sse.alignment' });
    expect(made.processor(0).read('FTW')).toBe(0n);
  });

  it('CVTPI2PS keeps the upper quadword', () => {
    const made = machine('0f 2a c1');
    made.processor(0).set('R1', 0xffff_ffff_fffe_0000_0003n);
    made.step(0, 1);
    expect(made.processor(0).read('XMM0')).toBe(0x1111_1111_2222_2222_c000_0000_4040_0000n);
  });

  it('CVTPI2PD fills both quadwords, and with memory leaves the x87 FPU alone', () => {
    const made = machine('66 0f 2a 07');
    made.writeMemory(DATA, Uint8Array.of(1, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff));
    made.step(0, 1);
    expect(made.processor(0).read('XMM0')).toBe(0xc000_0000_0000_0000_3ff0_0000_0000_0000n);
    expect([made.processor(0).read('FSW'), made.processor(0).read('FTW')]).toEqual([0x3800n, 0n]);
  });

  it('raise #XM for an exception that is not masked and leave the registers', () => {
    const made = machine('0f 2d c9');
    const cpu = made.processor(0);
    cpu.set('XMM1', SINGLES);
    cpu.set('MXCSR', 0x0f80n); // PM is clear
    cpu.set('R1', 5n);
    expect(made.step(0, 1)).toMatchObject({ vector: '#XM' });
    expect([cpu.read('R1'), cpu.read('FTW'), cpu.read('MXCSR')]).toEqual([5n, 0n, 0x0fa0n]);
  });

  it('MOVQ2DQ and MOVDQ2Q move a quadword', () => {
    const made = machine('f3 0f d6 c1 f2 0f d6 d0'); // movq2dq xmm0, mm1; movdq2q mm2, xmm0
    made.processor(0).set('R1', 0x7fff_0123_4567_89ab_cdefn);
    made.step(0, 2);
    expect(made.processor(0).read('XMM0')).toBe(0x0123_4567_89ab_cdefn);
    expect(made.processor(0).read('R2')).toBe(0xffff_0123_4567_89ab_cdefn);
  });
});

describe('an instruction on MMX registers', () => {
  const PADDB = '0f fc c1';

  it.each([
    ['#UD with CR0.EM', EM, '#UD', 'core.mmx.emulated'],
    ['#NM with CR0.TS', TS, '#NM', 'core.x87.task-switched'],
  ])('raises %s', (_what, cr0, vector, rule) => {
    const made = machine(PADDB);
    made.processor(0).set('CR0', made.processor(0).read('CR0') | cr0);
    expect(made.step(0, 1)).toMatchObject({ vector, rule });
  });

  it('raises #MF for an x87 exception that is pending', () => {
    const made = machine(PADDB);
    made.processor(0).set('FSW', 0x8084n);
    expect(made.step(0, 1)).toMatchObject({ vector: '#MF', rule: 'core.x87.pending' });
  });

  it('needs CR4.OSFXSR only with an XMM register', () => {
    const with4 = machine('f3 0f d6 c1');
    with4.processor(0).set('CR4', with4.processor(0).read('CR4') & ~OSFXSR);
    expect(with4.step(0, 1)).toMatchObject({ vector: '#UD', rule: 'core.mmx.osfxsr' });
    const without = machine(PADDB);
    without.processor(0).set('CR4', without.processor(0).read('CR4') & ~OSFXSR);
    expect(without.step(0, 1)).toMatchObject({ kind: 'completed' });
  });

  it('leaves the tags when its access faults', () => {
    const made = machine('0f 7f 07'); // movq [rdi], mm0
    made.processor(0).set('RDI', 1n << 50n);
    expect(made.step(0, 1)).toMatchObject({ vector: '#GP' });
    expect([made.processor(0).read('FSW'), made.processor(0).read('FTW')]).toEqual([0x3800n, 0n]);
  });
});
