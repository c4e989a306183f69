import { describe, expect, it } from 'vitest';
import { nmiButton, nmiPressed } from '../../src/platform/nmi-button.js';
import { rtc } from '../../src/platform/rtc.js';
import { hex } from '../support/booted-machine.js';
import { machineWithIdt } from '../support/idt.js';

describe('the NMI button', () => {
  it('is an NMI while LINT1 has that delivery mode, and while the local APIC is disabled', () => {
    const machine = machineWithIdt(hex('90 90 90 90 90 90'), [{ vector: 2 }], { plugins: [nmiButton] });
    const cpu = machine.processor(0);
    const press = () => {
      machine.apply(nmiPressed.create({}));
      const outcome = cpu.step();
      cpu.set('nmiBlocked', 0n);
      cpu.set('RIP', 0x10_0000n);
      return outcome.kind;
    };
    expect(press()).toBe('interrupted'); // as firmware left LINT1
    cpu.set('APIC_LVT_LINT1', 0x1_0400n);
    expect(press()).toBe('completed');
    cpu.wrmsr(0x1b, 0xfee0_0000n);
    expect(press()).toBe('interrupted');
  });

  it('is lost while bit 7 of port 70H masks it', () => {
    const code = hex('b0 8f e6 70 90 b0 0f e6 70 90'); // mov al, 8fh; out 70h, al; nop; mov al, 0fh; out 70h, al; nop
    const machine = machineWithIdt(code, [{ vector: 2 }], { plugins: [rtc, nmiButton] });
    const cpu = machine.processor(0);
    cpu.step(2);
    machine.apply(nmiPressed.create({}));
    expect(cpu.step(3)).toEqual({ kind: 'completed' });
    expect(cpu.step()).toEqual({ kind: 'completed' }); // the edge has passed
    machine.apply(nmiPressed.create({}));
    expect(cpu.step()).toMatchObject({ kind: 'interrupted', event: 'NMI' });
  });
});
