// Slots of the hot memory are fewer than the frames of a machine: nothing that touches many of them may run out.
import { describe, expect, it } from 'vitest';
import { hex, machineWith } from '../support/booted-machine.js';

const FRAME = 4096;
const FIRST = 0x20_0000;
const MORE_THAN_SLOTS = 67_000;
const memory = 512 * 2 ** 20;

const littleEndian = (value: number): readonly number[] => [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);

describe('memory that does not fit in the slots', () => {
  it('can be written by one event a frame', () => {
    const machine = machineWith([], { memory });
    for (let index = 0; index < MORE_THAN_SLOTS; index++)
      machine.writeMemory(FIRST + index * FRAME, Uint8Array.of(1 + (index % 255)));
    expect(machine.state.memory.usedFrames).toBeGreaterThanOrEqual(MORE_THAN_SLOTS);
    expect(machine.readMemory(FIRST, 1)).toEqual(Uint8Array.of(1));
  });

  it('can be read at once, and written after that', () => {
    const machine = machineWith([], { memory });
    expect(machine.readMemory(0, 100 * 2 ** 20).length).toBe(100 * 2 ** 20);
    machine.writeMemory(0x700_0000, Uint8Array.of(1));
    expect(machine.state.memory.read(0x700_0000, 1)).toEqual(Uint8Array.of(1));
  });

  it('can be written by blocks whose every instruction brings in two frames', () => {
    // 64 times MOV [RDI+disp32], EAX over a page boundary, then ADD RDI, 128 pages and JMP back
    const stores = Array.from({ length: 64 }, (_, index) => [0x89, 0x87, ...littleEndian(index * 2 * FRAME + 4094)]);
    const code = [...stores.flat(), ...hex('48 81 c7'), ...littleEndian(128 * FRAME)];
    const machine = machineWith([...code, 0xe9, ...littleEndian(-(code.length + 5))], { memory });
    const cpu = machine.processor(0);
    cpu.set('RAX', 0x0101_0101n);
    cpu.set('RDI', BigInt(FIRST));
    const turns = 560;
    cpu.step(66 * turns);
    for (let index = 0; index < turns * 64; index += 1)
      expect(machine.readMemory(FIRST + index * 2 * FRAME + 4094, 4)).toEqual(Uint8Array.of(1, 1, 1, 1));
  });
});
