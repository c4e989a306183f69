import { describe, expect, it } from 'vitest';
import { pic } from '../../src/interrupt/pic.js';
import type { Machine } from '../../src/machine/machine.js';
import { MachineDraft } from '../../src/state/draft.js';
import { withWorkbench } from '../../src/state/workbench-pool.js';
import { hex } from '../support/booted-machine.js';
import { HANDLER, machineWithIdt } from '../support/idt.js';
import { interruptLines } from '../support/interrupt-lines.js';

const [MASTER, SLAVE, MASTER_ELCR] = [0x20, 0xa0, 0x4d0];
const MASTER_VECTORS = 0x40;
const SLAVE_VECTORS = 0x48;
const EOI = 0x20;

/** Both chips initialized, all lines open; `word4` and `word1` are those of the master. */
function started({ word1 = 0x11, word4 = 1, slaveWord4 = 1 } = {}): Machine {
  const gates = Array.from({ length: 16 }, (_, line) => ({ vector: MASTER_VECTORS + line }));
  const machine = machineWithIdt(hex('fb 90 90 90 90 90 90 90 90 90 90'), gates, { plugins: [pic, interruptLines] });
  out(machine, MASTER, word1);
  out(machine, SLAVE, 0x11);
  for (const byte of [MASTER_VECTORS, 4, word4]) out(machine, MASTER + 1, byte);
  for (const byte of [SLAVE_VECTORS, 2, slaveWord4]) out(machine, SLAVE + 1, byte);
  return machine;
}

const out = (machine: Machine, port: number, value: number) => machine.processor(0).outb(port, value);
function input(machine: Machine, port: number): number {
  const outcome = machine.processor(0).inb(port);
  return 'value' in outcome ? Number(outcome.value) : Number.NaN;
}
const drive = (machine: Machine, line: number, high: boolean) => out(machine, 0x2000 + line, high ? 1 : 0);
const raise = (machine: Machine, ...lines: number[]) => {
  for (const line of lines) drive(machine, line, true);
};
function inputAfter(machine: Machine, port: number, command: number): number {
  out(machine, port, command);
  return input(machine, port);
}
const inService = (machine: Machine, port: number) => inputAfter(machine, port, 0x0b);
const requested = (machine: Machine, port: number) => inputAfter(machine, port, 0x0a);

/** The vector that the processor takes with its next step; undefined for an instruction. */
function taken(machine: Machine): number | undefined {
  const cpu = machine.processor(0);
  cpu.set('RFLAGS', 0x202n);
  const outcome = cpu.step();
  return outcome.kind === 'interrupted' ? outcome.vector : undefined;
}

describe('the pair of 8259A', () => {
  it('requests nothing before it is initialized', () => {
    const machine = machineWithIdt(hex('fb 90 90'), [], { plugins: [pic, interruptLines] });
    raise(machine, 0);
    expect(taken(machine)).toBeUndefined();
  });

  it('gives the vectors of both chips, the lower line first, and holds back until the end of interrupt', () => {
    const machine = started();
    raise(machine, 12, 5, 1);
    expect(requested(machine, MASTER)).toBe(0b10_0110); // the slave drives line 2
    expect([taken(machine), taken(machine)]).toEqual([MASTER_VECTORS + 1, undefined]);
    out(machine, MASTER, EOI);
    expect(taken(machine)).toBe(SLAVE_VECTORS + 4);
    expect([inService(machine, MASTER), inService(machine, SLAVE)]).toEqual([1 << 2, 1 << 4]);
    expect(taken(machine)).toBeUndefined();
    out(machine, SLAVE, EOI);
    out(machine, MASTER, EOI);
    expect(taken(machine)).toBe(MASTER_VECTORS + 5);
  });

  it('lets a higher line interrupt a lower one', () => {
    const machine = started();
    raise(machine, 6);
    expect(taken(machine)).toBe(MASTER_VECTORS + 6);
    raise(machine, 3);
    expect(taken(machine)).toBe(MASTER_VECTORS + 3);
    expect(inService(machine, MASTER)).toBe(0b100_1000);
  });

  it('wakes the processor that halted', () => {
    const machine = started();
    machine.writeMemory(machine.processor(0).read('RIP'), Uint8Array.from(hex('fb f4')));
    machine.run({ maxSteps: 2 });
    raise(machine, 4);
    expect(machine.processor(0).step()).toMatchObject({ kind: 'interrupted', vector: MASTER_VECTORS + 4 });
    expect(machine.processor(0).read('RIP')).toBe(BigInt(HANDLER));
  });

  it('masks a line, and keeps its request', () => {
    const machine = started();
    out(machine, MASTER + 1, 0x10);
    raise(machine, 4);
    expect([input(machine, MASTER + 1), requested(machine, MASTER), taken(machine)]).toEqual([0x10, 0x10, undefined]);
    out(machine, MASTER + 1, 0);
    expect(taken(machine)).toBe(MASTER_VECTORS + 4);
  });

  it('forgets the request of a line that falls before it is acknowledged', () => {
    const machine = started();
    drive(machine, 9, true);
    drive(machine, 9, false);
    expect([requested(machine, MASTER), requested(machine, SLAVE), taken(machine)]).toEqual([0, 0, undefined]);
  });

  it('takes an edge once, a level until it falls', () => {
    const machine = started();
    out(machine, MASTER_ELCR, 0xff);
    expect(input(machine, MASTER_ELCR)).toBe(0xf8);
    raise(machine, 0);
    expect(taken(machine)).toBe(MASTER_VECTORS);
    out(machine, MASTER, EOI);
    expect(taken(machine)).toBeUndefined();
    raise(machine, 5);
    for (let time = 0; time < 3; time++) {
      expect(taken(machine)).toBe(MASTER_VECTORS + 5);
      out(machine, MASTER, EOI);
    }
    drive(machine, 5, false);
    expect(taken(machine)).toBeUndefined();
  });

  it('is level-triggered on all lines with ICW1.LTIM', () => {
    const machine = started({ word1: 0x19 });
    raise(machine, 0);
    expect(taken(machine)).toBe(MASTER_VECTORS);
    out(machine, MASTER, EOI);
    expect(taken(machine)).toBe(MASTER_VECTORS);
  });

  it('ends by itself with ICW4.AEOI, and rotates then if OCW2 says so', () => {
    const machine = started({ word4: 3 });
    raise(machine, 3);
    expect([taken(machine), inService(machine, MASTER)]).toEqual([MASTER_VECTORS + 3, 0]);
    out(machine, MASTER, 0x80);
    raise(machine, 1);
    taken(machine);
    raise(machine, 4);
    drive(machine, 1, false);
    raise(machine, 1); // line 1 has the lowest priority now
    expect([taken(machine), taken(machine)]).toEqual([MASTER_VECTORS + 4, MASTER_VECTORS + 1]);
  });

  it('ends the line that a specific end names', () => {
    const machine = started();
    raise(machine, 6);
    taken(machine);
    raise(machine, 2, 3);
    taken(machine);
    out(machine, MASTER, 0x66);
    expect(inService(machine, MASTER)).toBe(1 << 3);
  });

  it('rotates priorities at the end of interrupt, and to a line that is named', () => {
    const machine = started();
    raise(machine, 4);
    taken(machine);
    out(machine, MASTER, 0xa0); // rotate on non-specific end: 4 is the lowest
    raise(machine, 3, 5);
    expect(taken(machine)).toBe(MASTER_VECTORS + 5);
    out(machine, MASTER, 0xe5); // rotate on specific end
    out(machine, MASTER, 0xc2); // set priority: 2 is the lowest, 3 the highest
    raise(machine, 0);
    expect(taken(machine)).toBe(MASTER_VECTORS + 3);
  });

  it('lets lower lines through in special mask mode', () => {
    const machine = started();
    raise(machine, 3);
    taken(machine);
    raise(machine, 6);
    expect(taken(machine)).toBeUndefined();
    out(machine, MASTER + 1, 1 << 3);
    expect(taken(machine)).toBeUndefined();
    out(machine, MASTER, 0x68);
    expect(taken(machine)).toBe(MASTER_VECTORS + 6);
    out(machine, MASTER, EOI); // passes over line 3, which is masked
    expect(inService(machine, MASTER)).toBe(1 << 3);
  });

  it('lets the slave interrupt itself in special fully nested mode', () => {
    const [fully, specially] = [started(), started({ word4: 0x11 })];
    for (const machine of [fully, specially]) {
      raise(machine, 12);
      expect(taken(machine)).toBe(SLAVE_VECTORS + 4);
      raise(machine, 9, 5);
    }
    expect(taken(fully)).toBeUndefined();
    expect(taken(specially)).toBe(SLAVE_VECTORS + 1);
    expect(taken(specially)).toBeUndefined(); // line 5 waits
  });

  it('answers a poll with the line, which is then in service', () => {
    const machine = started();
    out(machine, MASTER, 0x0c);
    expect(input(machine, MASTER)).toBe(0);
    raise(machine, 9);
    out(machine, MASTER, 0x0c);
    expect([input(machine, MASTER), inService(machine, MASTER)]).toEqual([0x82, 4]);
    out(machine, SLAVE, 0x0c);
    expect([input(machine, SLAVE), inService(machine, SLAVE), taken(machine)]).toEqual([0x81, 2, undefined]);
  });

  it('gives the slave another turn after its end of interrupt', () => {
    const machine = started({ slaveWord4: 3 });
    raise(machine, 8, 15);
    expect(taken(machine)).toBe(SLAVE_VECTORS);
    out(machine, MASTER, EOI);
    expect(taken(machine)).toBe(SLAVE_VECTORS + 7);
  });

  it('acknowledges what is gone as line 7 of its chip, with nothing in service', () => {
    const machine = started();
    withWorkbench((bench) => {
      const draft = new MachineDraft(machine.definition, bench, machine.state);
      expect(draft.acknowledgeInterrupt()).toBe(MASTER_VECTORS + 7);
      expect(draft.seal().plugins['pic']).toMatchObject({ master: { ISR: 0 }, slave: { ISR: 0 } });
    });
  });

  it('answers a word at its first port as two bytes', () => {
    const machine = started();
    machine.processor(0).outw(MASTER, 0xab_0b);
    expect(input(machine, MASTER + 1)).toBe(0xab);
  });
});
