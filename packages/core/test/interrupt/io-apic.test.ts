import { describe, expect, it } from 'vitest';
import { ioApic } from '../../src/interrupt/io-apic.js';
import type { Machine } from '../../src/machine/machine.js';
import type { MachineOptions } from '../../src/plugin/host.js';
import { MachineDraft } from '../../src/state/draft.js';
import { withWorkbench } from '../../src/state/workbench-pool.js';
import { load, store } from '../support/bare-access.js';
import { hex } from '../support/booted-machine.js';
import { machineWithIdt } from '../support/idt.js';
import { interruptLines } from '../support/interrupt-lines.js';

const SELECT = 0xfec0_0000;
const WINDOW = 0xfec0_0010;
const EOI = 0xfec0_0040;
const LOCAL_EOI = 0xfee0_00b0;
const [LEVEL, MASK, LOGICAL, LOWEST_PRIORITY, NMI] = [0x8000, 0x1_0000, 0x800, 0x100, 0x400];
const REMOTE_IRR = 0x4000;
const LINE = 14;
const VECTOR = 0x79;

function make(options: Partial<MachineOptions> = {}): Machine {
  const gates = [2, ...Array.from({ length: 224 }, (_, index) => index + 32)].map((vector) => ({ vector }));
  const machine = machineWithIdt(hex('fb eb fe'), gates, { plugins: [ioApic, interruptLines], ...options });
  for (const { id } of machine.state.processors) machine.processor(id).set('APIC_SVR', 0x1ffn);
  return machine;
}

function readRegister(machine: Machine, index: number): number {
  store(machine, SELECT, index);
  return load(machine, WINDOW);
}
function writeRegister(machine: Machine, index: number, value: number): void {
  store(machine, SELECT, index);
  store(machine, WINDOW, value);
}
function redirect(machine: Machine, pin: number, low: number, destination = 0): void {
  writeRegister(machine, 0x11 + pin * 2, destination << 24);
  writeRegister(machine, 0x10 + pin * 2, low);
}
const entry = (machine: Machine, pin: number) => readRegister(machine, 0x10 + pin * 2);
const drive = (machine: Machine, line: number, high: boolean) => machine.processor(0).outb(0x2000 + line, high ? 1 : 0);
const pulse = (machine: Machine, line: number) => [true, false].map((high) => drive(machine, line, high));
const endOfInterrupt = (machine: Machine) => store(machine, LOCAL_EOI, 0);

/** The vector that a processor takes with its next step; undefined for an instruction. */
function taken(machine: Machine, id = 0): number | undefined {
  const cpu = machine.processor(id);
  cpu.set('RFLAGS', 0x202n);
  const outcome = cpu.step();
  return outcome.kind === 'interrupted' ? outcome.vector : undefined;
}
/** Vectors that wait in the IRR of a processor. */
const waiting = (machine: Machine, id = 0): readonly number[] =>
  Array.from({ length: 256 }, (_, vector) => vector).filter(
    (vector) => ((machine.processor(id).read(`APIC_IRR${vector >> 5}`) >> BigInt(vector & 31)) & 1n) === 1n,
  );

describe('the registers of the I/O APIC', () => {
  it('show version and pins, and keep bits 27:24 of the ID, which is the arbitration ID too', () => {
    const machine = make();
    const version = readRegister(machine, 1);
    writeRegister(machine, 1, ~version);
    expect([version, readRegister(machine, 1)]).toEqual([0x17_0020, 0x17_0020]);
    writeRegister(machine, 0, 0xffff_ffff);
    writeRegister(machine, 2, 0);
    expect([readRegister(machine, 0), readRegister(machine, 2)]).toEqual([0x0f00_0000, 0x0f00_0000]);
  });

  it('mask every pin at first, and keep what is not read-only', () => {
    const machine = make();
    expect(entry(machine, 23)).toBe(MASK);
    redirect(machine, 23, 0xffff_ffff, 0xab);
    expect([entry(machine, 23), readRegister(machine, 0x11 + 46)]).toEqual([0x1_afff, 0xab00_0000]);
    expect(readRegister(machine, 0x10 + 48)).toBe(0);
  });
});

describe('an edge-triggered pin', () => {
  it('sends at a rise, and clears the bit of the TMR', () => {
    const machine = make();
    machine.processor(0).set('APIC_TMR3', 0xffff_ffffn);
    redirect(machine, LINE, VECTOR);
    pulse(machine, LINE);
    expect([taken(machine), machine.processor(0).read('APIC_TMR3')]).toEqual([VECTOR, 0xfdff_ffffn]);
    endOfInterrupt(machine);
    drive(machine, LINE, true);
    drive(machine, LINE, true);
    expect([taken(machine), endOfInterrupt(machine), taken(machine)]).toMatchObject({ 0: VECTOR, 2: undefined });
  });

  it('that is masked loses the edge', () => {
    const machine = make();
    redirect(machine, LINE, VECTOR | MASK);
    drive(machine, LINE, true);
    redirect(machine, LINE, VECTOR);
    expect(taken(machine)).toBeUndefined();
    drive(machine, LINE, false);
    drive(machine, LINE, true);
    expect(taken(machine)).toBe(VECTOR);
  });

  it('is taken in the order of vectors, not of lines', () => {
    const machine = make();
    redirect(machine, 14, 0x78);
    redirect(machine, 15, 0x66);
    pulse(machine, 15);
    pulse(machine, 14);
    expect([taken(machine), taken(machine)]).toEqual([0x78, undefined]);
    endOfInterrupt(machine);
    expect(taken(machine)).toBe(0x66);
  });
});

describe('a level-triggered pin', () => {
  it('has remote IRR from acceptance to EOI, and sends again while the level is there', () => {
    const machine = make();
    redirect(machine, LINE, VECTOR | LEVEL);
    drive(machine, LINE, true);
    expect([taken(machine), entry(machine, LINE) & REMOTE_IRR]).toEqual([VECTOR, REMOTE_IRR]);
    expect(machine.processor(0).read('APIC_TMR3')).toBe(1n << 25n);
    endOfInterrupt(machine);
    expect([taken(machine), entry(machine, LINE) & REMOTE_IRR]).toEqual([VECTOR, REMOTE_IRR]);
    drive(machine, LINE, false);
    endOfInterrupt(machine);
    expect([taken(machine), entry(machine, LINE) & REMOTE_IRR]).toEqual([undefined, 0]);
  });

  it('makes one interrupt of a level that falls and rises before EOI and is gone then', () => {
    const machine = make();
    redirect(machine, LINE, VECTOR | LEVEL);
    drive(machine, LINE, true);
    taken(machine);
    for (const high of [false, true, false]) drive(machine, LINE, high);
    endOfInterrupt(machine);
    expect(taken(machine)).toBeUndefined();
  });

  it('sends when it is unmasked, and after EOI under a mask not', () => {
    const machine = make();
    redirect(machine, LINE, VECTOR | LEVEL | MASK);
    drive(machine, LINE, true);
    expect(taken(machine)).toBeUndefined();
    redirect(machine, LINE, VECTOR | LEVEL);
    expect(taken(machine)).toBe(VECTOR);
    redirect(machine, LINE, VECTOR | LEVEL | MASK);
    endOfInterrupt(machine);
    expect([taken(machine), entry(machine, LINE) & REMOTE_IRR]).toEqual([undefined, 0]);
    redirect(machine, LINE, VECTOR | LEVEL);
    expect(taken(machine)).toBe(VECTOR);
  });

  it('is ended by its EOI register while the local APIC suppresses the broadcast, or by turning to edges', () => {
    const machine = make();
    machine.processor(0).set('APIC_SVR', 0x11ffn);
    redirect(machine, LINE, VECTOR | LEVEL);
    for (const finish of [() => store(machine, EOI, VECTOR), () => redirect(machine, LINE, VECTOR)]) {
      drive(machine, LINE, true);
      taken(machine);
      drive(machine, LINE, false);
      endOfInterrupt(machine);
      expect(entry(machine, LINE) & REMOTE_IRR).toBe(REMOTE_IRR);
      finish();
      expect(entry(machine, LINE) & REMOTE_IRR).toBe(0);
    }
  });

  it('is ended by EOI for its vector, wherever the entry points now', () => {
    const machine = make();
    redirect(machine, LINE, VECTOR | LEVEL);
    drive(machine, LINE, true);
    taken(machine);
    drive(machine, LINE, false);
    writeRegister(machine, 0x11 + 2 * LINE, 1 << 24);
    endOfInterrupt(machine);
    expect(entry(machine, LINE) & REMOTE_IRR).toBe(0);
  });

  it('waits for a destination that is there', () => {
    const machine = make();
    redirect(machine, LINE, VECTOR | LEVEL, 7);
    drive(machine, LINE, true);
    expect(entry(machine, LINE) & REMOTE_IRR).toBe(0);
    redirect(machine, LINE, VECTOR | LEVEL, 0);
    expect(taken(machine)).toBe(VECTOR);
  });
});

describe('where a message goes', () => {
  it('is pin 2 for line 0, and a pin of the same number for the others', () => {
    const machine = make();
    redirect(machine, 2, 0x30);
    redirect(machine, 0, 0x31);
    redirect(machine, 20, 0x32);
    pulse(machine, 0);
    pulse(machine, 20);
    expect(waiting(machine)).toEqual([0x30, 0x32]);
  });

  it('is one processor by its ID, several by a logical destination, the idlest of them with lowest priority', () => {
    const machine = make({ processors: 4 });
    for (const id of [0, 1, 2, 3]) machine.processor(id).set('APIC_LDR', BigInt(1 << id) << 24n);
    machine.processor(0).set('APIC_TPR', 0x90n); // above the class of what waits at processor 2
    redirect(machine, 3, 0x85, 1);
    redirect(machine, 4, 0x86 | LOGICAL | LEVEL, 0xd);
    redirect(machine, 5, 0x87 | LOGICAL | LOWEST_PRIORITY, 0x5);
    for (const line of [3, 4, 5]) pulse(machine, line);
    expect([0, 1, 2, 3].map((id) => waiting(machine, id))).toEqual([[0x86], [0x85], [0x86, 0x87], [0x86]]);
  });

  it('is the NMI input for that delivery mode', () => {
    const machine = make();
    redirect(machine, LINE, NMI);
    drive(machine, LINE, true);
    expect(machine.processor(0).step()).toMatchObject({ kind: 'interrupted', event: 'NMI' });
  });
});

describe('lines above the pins', () => {
  it('are nobody’s', () => {
    withWorkbench((bench) => {
      const { definition, state } = make();
      const draft = new MachineDraft(definition, bench, state);
      draft.setInterruptLine(24, true);
      expect(draft.seal().plugins['io-apic']).toEqual(state.plugins['io-apic']);
    });
  });
});
