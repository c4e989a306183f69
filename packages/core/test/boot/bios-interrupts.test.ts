import { describe, expect, it } from 'vitest';
import { pic } from '../../src/interrupt/pic.js';
import { createMachine } from '../../src/machine/machine.js';
import { pit } from '../../src/platform/pit.js';
import { hex } from '../support/booted-machine.js';

const CODE = 0x7c00;
const TICKS = 0x46c;

/** Real-address mode behind firmware, as a boot sector has it. */
function started(code: string) {
  return createMachine({
    profile: 'intel-server',
    memory: 0x40_0000,
    plugins: [pic, pit],
    boot: {
      mode: 'real',
      entry: CODE,
      firmware: 'pc',
      segments: [{ address: CODE, bytes: Uint8Array.from(hex(code)) }],
    },
  });
}
const ticks = (machine: ReturnType<typeof started>): number =>
  new DataView(machine.readMemory(TICKS, 4).buffer).getUint32(0, true);

describe('what the BIOS leaves of interrupts', () => {
  it('wakes a guest that sleeps with interrupts open, 18.2 times a second', () => {
    const machine = started('fb f4 eb fd'); // sti; hlt; jmp to the hlt
    while (ticks(machine) < 4) machine.run({ maxSteps: 1 });
    const cycles = Number(machine.processor(0).read('cycles'));
    expect(cycles / 4).toBeGreaterThan(54_900_000);
    expect(cycles / 4).toBeLessThan(55_000_000);
  });

  it('begins a new day after 1800B0H ticks', () => {
    const machine = started('fb f4 eb fd');
    machine.writeMemory(TICKS, Uint8Array.from([0xae, 0x00, 0x18, 0x00]));
    while (machine.readMemory(TICKS + 4, 1)[0] === 0) machine.run({ maxSteps: 1 });
    expect(ticks(machine)).toBe(0);
  });

  it('is noticed soon to wake nobody who has interrupts masked', () => {
    const machine = started('fa f4'); // cli; hlt
    const { steps, stop } = machine.run({ maxSteps: 5000 });
    expect(stop.reason).toBe('waiting');
    expect(steps).toBeLessThan(200);
  });

  it.each([
    ['11', 0x0226],
    ['12', 639],
  ])('answers INT %sH from the data area', (vector, value) => {
    const machine = started(`cd ${vector} fa f4`);
    machine.run({ maxSteps: 50 });
    expect(machine.processor(0).read('RAX') & 0xffffn).toBe(BigInt(value));
  });

  it.each(['13', '15'])('refuses INT %sH: carry, and AH is 86H', (vector) => {
    const machine = started(`f8 b4 02 cd ${vector} 19 db fa f4`); // clc; mov ah, 2; int; sbb bx, bx
    machine.run({ maxSteps: 50 });
    expect(machine.processor(0).read('RAX') & 0xff00n).toBe(0x8600n);
    expect(machine.processor(0).read('RBX') & 0xffffn).toBe(0xffffn);
  });

  it('returns from the others', () => {
    const machine = started('b8 34 12 cd 10 cd 18 cd 68 40 fa f4'); // ...; inc ax
    machine.run({ maxSteps: 50 });
    expect(machine.processor(0).read('RAX') & 0xffffn).toBe(0x1235n);
  });

  it('lets an image lie over its vectors', () => {
    const machine = createMachine({
      profile: 'intel-server',
      memory: 0x40_0000,
      boot: {
        mode: 'real',
        entry: CODE,
        firmware: 'pc',
        segments: [{ address: 0x44, bytes: Uint8Array.from([1, 2, 3, 4]) }],
      },
    });
    expect([...machine.readMemory(0x40, 8)]).toEqual([0x53, 0xff, 0, 0xf0, 1, 2, 3, 4]);
  });
});
