import { describe, expect, it } from 'vitest';
import { CODE, hex } from '../support/booted-machine.js';
import { HANDLER, machineWithIdt } from '../support/idt.js';

const PAGE = 'fe e0';
/** mov dword [0xfee00000 + offset], value */
const store = (offset: number, value: number): string => {
  const bytes = (number: number) =>
    [0, 8, 16, 24].map((shift) => ((number >>> shift) & 0xff).toString(16).padStart(2, '0')).join(' ');
  return `bf ${bytes(0xfee0_0000 + offset)} c7 07 ${bytes(value)} `; // mov edi, address; mov dword [rdi], value
};
const load = (offset: number): string =>
  `bf ${(offset & 0xff).toString(16).padStart(2, '0')} ${(offset >> 8).toString(16).padStart(2, '0')} e0 fe 8b 07 `;
const VECTOR = 0x40;
const IRETQ_AFTER_EOI = `${store(0xb0, 0)} 48 cf`;

describe(`the local APIC at ${PAGE}`, () => {
  it('requests a vector by a self-IPI, which is taken once IF is set, and goes out of service at EOI', () => {
    const code = `${store(0xf0, 0x1ff)} ${store(0x300, 0x4_4040)} fb 90 90 f4`;
    const machine = machineWithIdt(hex(code), [{ vector: VECTOR }]);
    const cpu = machine.processor(0);
    cpu.step(4);
    expect(cpu.read('APIC_IRR2')).toBe(1n);
    expect(cpu.step(2)).toEqual({ kind: 'completed' }); // STI and the instruction in its shadow
    expect(cpu.step()).toEqual({ kind: 'interrupted', event: 'external interrupt', vector: VECTOR });
    expect([cpu.read('RIP'), cpu.read('APIC_IRR2'), cpu.read('APIC_ISR2')]).toEqual([BigInt(HANDLER), 0n, 1n]);
    machine.writeMemory(HANDLER, Uint8Array.from(hex(IRETQ_AFTER_EOI)));
    cpu.step(3);
    expect([cpu.read('APIC_ISR2'), cpu.read('RIP')]).toEqual([0n, BigInt(CODE + hex(code).length - 2)]);
  });

  it('holds back what the task priority does not let through', () => {
    const machine = machineWithIdt(hex(`${store(0x300, 0x4_4040)} fb 90 90 90 90`), [{ vector: VECTOR }]);
    const cpu = machine.processor(0);
    cpu.set('CR8', 4n);
    expect(cpu.read('APIC_TPR')).toBe(0x40n);
    cpu.step(6);
    expect(cpu.read('RIP')).toBeLessThan(BigInt(HANDLER));
    cpu.set('CR8', 3n);
    expect(cpu.step()).toMatchObject({ kind: 'interrupted', vector: VECTOR });
  });

  it('wakes a halted processor with its timer, at the exact cycle', () => {
    const code = `${store(0x3e0, 0xb)} ${store(0x320, VECTOR)} ${store(0x380, 1000)} fb f4`;
    const machine = machineWithIdt(hex(code), [{ vector: VECTOR }]);
    const ran = machine.run({ maxSteps: 9 });
    const cpu = machine.processor(0);
    expect([ran.steps, cpu.read('RIP')]).toEqual([9, BigInt(HANDLER)]);
    expect(cpu.read('cycles')).toBe(5n + 1000n + 1n); // the store is step 6, at cycle 5; the interrupt is a step itself
  });

  it('counts down in ticks of the divided clock', () => {
    const code = `${store(0x3e0, 3)} ${store(0x380, 1000)} 90 90 90 90 90 90 90 90 90 90 90 90 90 90 ${load(0x390)}`;
    const machine = machineWithIdt(hex(code), []);
    machine.processor(0).step(20);
    expect(machine.processor(0).read('RAX')).toBe(999n); // 16 cycles after the store, divided by 16
  });

  it('starts again by itself in periodic mode', () => {
    const code = `${store(0x3e0, 0xb)} ${store(0x320, 0x2_0000 | VECTOR)} ${store(0x380, 100)} fb f4 eb fd`;
    const machine = machineWithIdt(hex(code), [{ vector: VECTOR }]);
    machine.writeMemory(HANDLER, Uint8Array.from(hex(`ff c3 ${IRETQ_AFTER_EOI}`)));
    const cpu = machine.processor(0);
    cpu.set('RBX', 0n);
    machine.run({ maxSteps: 90 });
    const [interrupts, cycles] = [Number(cpu.read('RBX')), Number(cpu.read('cycles'))];
    expect([interrupts > 10, Math.floor((cycles - 5) / 100)]).toEqual([true, interrupts]);
  });

  it('reports that it waits when no timer runs', () => {
    const machine = machineWithIdt(hex('fb f4'), []);
    expect(machine.run()).toEqual({ steps: 2, stop: { reason: 'waiting' } });
  });

  it('starts other processors by INIT and SIPI, in real-address mode at the page of the vector', () => {
    const code = `${store(0x300, 0xc_4500)} ${store(0x300, 0xc_4608)} eb fe`;
    const machine = machineWithIdt(hex(code), [], { processors: 4, quantum: 100 });
    machine.writeMemory(0x8000, Uint8Array.from(hex('40 f4'))); // inc ax; hlt
    machine.run({ maxSteps: 1000 });
    for (const id of [1, 2, 3]) {
      const cpu = machine.processor(id);
      expect([cpu.read('CS.base'), cpu.read('RIP'), cpu.read('RAX')]).toEqual([0x8000n, 2n, 1n]);
      expect(machine.state.processors[id]?.activity).toBe('HLT');
    }
  });

  it('has its registers as MSRs in x2APIC mode and nowhere else', () => {
    const machine = machineWithIdt([], []);
    const cpu = machine.processor(0);
    expect(cpu.rdmsr(0x808)).toMatchObject({ kind: 'fault', vector: '#GP', rule: 'core.msr.x2apic-mode' });
    cpu.wrmsr(0x1b, 0xfee0_0c00n);
    cpu.wrmsr(0x808, 0x50n);
    expect([cpu.read('CR8'), cpu.rdmsr(0x802), cpu.rdmsr(0x80d)]).toMatchObject([5n, { value: 0n }, { value: 1n }]);
    expect(cpu.wrmsr(0x1b, 0xfee0_0800n)).toMatchObject({ vector: '#GP', rule: 'core.wrmsr.apic-base-transition' });
  });
});
